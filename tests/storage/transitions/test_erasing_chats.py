"""A chat deleted: its window at once, what waits of it step by step, nothing of other chats."""

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Begun, Idle
from hookbundle.storage.transitions.erasing import ChatDeleted
from hookbundle.storage.transitions.timed.erase_steps import Erased, EraseStep
from hookbundle.tests.storage.deleting import assert_sound, busy, delete_chat, erase, step
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook


def test_a_deleted_chat_has_no_window_and_knows_no_ids(db: ScratchDatabase) -> None:
    number = busy(db)

    deleted = delete_chat(db, "c0")

    assert deleted == ChatDeleted(messages=22)
    assert db.chat("c0") is None
    assert db.view().state.windows == 0
    assert [row for row in db.dues() if row.subject == b"c0"] == db.dues(DueKind.ERASE)
    assert db.accept("m1", ws=number, chat="c0").accepted == 1
    assert_sound(db)


def test_its_deliveries_are_erased_wherever_they_wait_and_those_of_others_stay(
    db: ScratchDatabase,
) -> None:
    busy(db)
    (dead_letters,) = db.dead_letters()
    others = [delivery.chat_id for delivery in db.queued()]

    delete_chat(db, dead_letters.chat_id)
    delete_chat(db, others[0])
    erase(db)

    assert db.dead_letters() == []
    assert [delivery.chat_id for delivery in db.queued()] == others[1:]
    assert {entry.chat_id for entry in log_of(db.reads, "acme")} <= set(others[1:])
    assert db.reads.meta().totals.discarded == 2


def test_what_is_sealed_after_the_deletion_is_sent(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("old")
    delete_chat(db)
    db.accept("new")

    begun = db.begun()
    assert_sound(db)
    erase(db)

    assert b"new" in begun.body
    assert [delivery.number for delivery in db.queued()] == [begun.delivery.number]


def test_a_dead_letter_of_it_does_not_come_back(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    for _ in range(3):
        db.attempt(NO)
    delete_chat(db)

    db.enable()

    assert db.begin() == Idle()
    assert (db.queued(), db.dead_letters()) == ([], [])
    erase(db)
    assert db.reads.meta().totals.discarded == 1


def test_an_attempt_under_way_of_it_leaves_no_record_and_the_next_one_goes_on(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    begun = db.begun()
    db.accept("m2", chat="d")
    delete_chat(db)
    erase(db)

    following = db.finish(begun, OK, go_on=True)

    assert isinstance(following, Begun)
    assert following.delivery.chat_id == "d"
    assert log_of(db.reads, "acme") == []
    assert_sound(db)


def test_deleted_again_while_it_is_erased_it_is_erased_up_to_the_second_time(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2", "m3", "m4", "m5")
    for other in range(5):
        db.accept(f"x{other}", chat="d")
    delete_chat(db)
    last = step(db, most=3)
    assert not last.finished
    db.accept("m6")
    delete_chat(db)

    while not last.finished:
        last = step(db)

    assert {delivery.chat_id for delivery in db.queued()} == {"d"}
    assert db.view().usage.erasures == 0
    assert_sound(db)


def test_of_a_deleted_chat_nothing_is_left_to_the_clock(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1")
    db.seal()
    db.accept("m2")
    delete_chat(db)

    erase(db)

    assert db.dues() == []


def test_steps_of_one_record_come_to_an_end_with_several_webhooks(db: ScratchDatabase) -> None:
    busy(db)
    for webhook in ("crm", "dwh", "bot"):
        add_webhook(db, "acme", webhook)
    assert db.view().usage.arrival_bytes
    delete_chat(db, db.queued()[0].chat_id)
    assert db.dues(DueKind.ERASE)

    steps = 0
    while (rows := db.dues(DueKind.ERASE)) and steps < 60:
        db.do(EraseStep(row=rows[0], most=1, now_ms=db.now_ms), Erased)
        steps += 1

    assert db.dues(DueKind.ERASE) == []
    assert_sound(db)
