"""Many chats deleted: one chain, no walk that grows with what was deleted, nothing for nobody."""

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.tables import erasures
from hookbundle.storage.transitions.attempting import AskAgain, BeginAttempt, Begun, Idle
from hookbundle.storage.transitions.erasing import ChatDeleted
from hookbundle.tests.storage.deleting import assert_sound, delete, delete_chat, erase, step
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import OK, ScratchDatabase, failed, incoming

CHATS = [f"c{number}" for number in range(30)]
CHAT_WITH_PHONE = b'{"chat_id":"c","phone":"+49 1"}'


@pytest.fixture
def many(db: ScratchDatabase) -> ScratchDatabase:
    """Thirty chats with a queued delivery each, and then the live one of chat d."""
    db.workspace(aggregation_ms=0)
    for chat in CHATS:
        db.accept("m1", chat=chat)
    db.accept("live", chat="d")
    return db


def written(db: ScratchDatabase) -> int:
    assert db.collected is not None
    count = len(db.collected)
    db.collected = {}
    return count


def test_all_deleted_chats_of_a_workspace_have_one_row_of_the_due_index(
    many: ScratchDatabase,
) -> None:
    for chat in CHATS:
        delete_chat(many, chat)

    assert many.dues(DueKind.ERASE) == [Due(0, DueKind.ERASE, 1)]
    assert many.view().usage.erasures == 30
    assert_sound(many)


def test_a_step_goes_on_with_the_next_chat_and_no_further_than_it_may(
    many: ScratchDatabase,
) -> None:
    for chat in CHATS:
        delete_chat(many, chat)

    steps = []
    many.collected = {}
    while not (last := step(many, most=5)).finished:
        steps.append(written(many))
        assert_sound(many)

    assert last.finished
    assert 5 <= len(steps) <= 10
    assert max(steps) <= 5 * 12
    assert [ids_in(each) for each in many.queued()] == [["live"]]
    assert len(many.events("chat.erased")) == 30


@pytest.mark.parametrize("chat", ["never", "c1"])
def test_deleting_what_is_not_there_leaves_nothing(many: ScratchDatabase, chat: str) -> None:
    delete_chat(many, "c1")
    erase(many)
    before = many.dump()

    deleted = delete_chat(many, chat)

    assert deleted == ChatDeleted(0)
    assert many.dump() == before


def test_a_chat_with_nothing_but_a_window_is_gone_without_a_chain(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1", "m2")

    deleted = delete_chat(db)

    assert deleted == ChatDeleted(2)
    assert db.dues() == []
    assert [event["type"] for event in db.events("chat.deleted", "chat.erased")] == [
        "chat.deleted",
        "chat.erased",
    ]
    assert_sound(db)


def test_the_sender_comes_past_what_was_deleted_in_bounded_transactions(
    many: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "HEADS_AT_ONCE", 10)
    for chat in CHATS:
        delete_chat(many, chat)
    found: list[object] = []

    many.collected = {}
    sizes = []
    while not found or isinstance(found[-1], AskAgain):
        found += many.group(BeginAttempt(1, many.now_ms))
        sizes.append(written(many))
        assert_sound(many)

    assert [type(each) for each in found] == [AskAgain] * 3 + [Begun]
    assert max(sizes) <= 10 * 9
    assert isinstance(found[-1], Begun)
    assert ids_in(found[-1]) == ["live"]
    assert many.reads.meta().totals.discarded == 30
    erase(many)
    assert_sound(many)


def test_it_comes_past_them_after_a_success_too(many: ScratchDatabase) -> None:
    begun = many.begun()  # of a chat that stays
    for chat in CHATS[1:]:
        delete_chat(many, chat)

    following = many.finish(begun, OK, go_on=True)

    assert isinstance(following, Begun)
    assert ids_in(following) == ["live"]


def test_when_only_deleted_ones_were_queued_the_webhook_is_idle(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    delete_chat(db)

    assert db.begin() == Idle()
    assert not db.view().state.ready
    assert_sound(db)


def test_the_phones_of_a_deleted_chat_are_gone_at_once_and_those_it_has_then_stay(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(incoming("m1", chat=CHAT_WITH_PHONE))
    delete_chat(db)
    at_once = phones(db)
    db.accept(incoming("m2", chat=CHAT_WITH_PHONE.replace(b"1", b"2")))
    assert_sound(db)

    erase(db)

    assert at_once == []
    assert phones(db) == [b"492"]


def phones(db: ScratchDatabase) -> list[bytes]:
    prefix = keyspace.of_chat(keyspace.CHAT_PHONES, 1, b"c")
    return [key.removeprefix(prefix) for key in db.dump() if key.startswith(prefix)]


def test_a_workspace_with_many_deleted_chats_is_deleted_in_few_rows(many: ScratchDatabase) -> None:
    for chat in CHATS:
        delete_chat(many, chat)

    many.collected = {}
    delete(many)

    assert written(many) <= 20
    assert_sound(many)
    assert erase(many) > 5
    assert many.dues() == []
    assert not [key for key in many.dump() if key.startswith(keyspace.ERASURES)]


def test_a_damaged_erasure_keeps_no_other_chat(many: ScratchDatabase) -> None:
    for chat in CHATS:
        delete_chat(many, chat)
    with many.env.write() as txn:
        txn.put(keyspace.owned(keyspace.ERASURES, 1, b"c0"), b"damaged")

    for _ in range(40):
        step(many, most=1)
        if many.view().usage.erasures == 1:
            break

    assert many.view().usage.erasures == 1
    with pytest.raises(Exception, match="damaged"):
        step(many)


def test_a_step_that_spends_its_last_row_on_the_last_chat_leaves_no_row(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    for _ in range(10):
        db.attempt(failed())
        db.wait()
    delete_chat(db)

    assert step(db, most=2).finished
    assert_sound(db)
    assert db.dues(DueKind.ERASE) == []
