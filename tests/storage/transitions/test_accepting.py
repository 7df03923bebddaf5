"""Messages accepted: told from duplicates, held to a quota, counted when skipped."""

import pytest

from hookbundle.engine.delivery.outcomes import Rejected
from hookbundle.engine.errors import NotFound, QuotaReached
from hookbundle.engine.messages.message import Skipped
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, ScratchDatabase
from hookbundle.tests.storage.transitions.timed.moving import move_all

DAY_MS = 24 * HOUR_MS


def forget(db: ScratchDatabase) -> None:
    """The clock has come to what is to be forgotten by now."""
    rows = tuple(row for row in db.dues(DueKind.FORGET) if row.at_ms <= db.now_ms)
    db.done(Forget(rows, db.now_ms))


def seen_parts(db: ScratchDatabase) -> int:
    return sum(key.startswith(keyspace.SEEN_PARTS) for key in db.dump())


# ---- duplicates


def test_a_message_twice_in_a_request_is_stored_once(db: ScratchDatabase) -> None:
    db.workspace()

    accepted = db.accept("m1", "m2", "m1")

    assert (accepted.accepted, accepted.duplicate) == (2, 1)
    assert db.view().state.buffered_messages == 2


def test_a_message_sent_again_is_a_duplicate_also_after_its_window_and_a_restart(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.accept("m1", "m2")
    db.seal()
    db.reopen()

    accepted = db.accept("m2", "m3")

    assert (accepted.accepted, accepted.duplicate) == (1, 1)


@pytest.mark.parametrize("what", ["duplicates", "skipped"])
def test_messages_that_add_nothing_to_a_chat_write_no_row_of_it(
    db: ScratchDatabase, what: str
) -> None:
    """Else a client that sends the same again and again makes each commit write a page a chat."""
    db.workspace()
    ids = [f"m{n}" for n in range(9)]
    db.accept(*ids)
    db.collected = {}

    if what == "duplicates":
        assert db.accept(*ids).duplicate == 9
    else:
        db.accept(skipped=(Skipped("s", "no_text"),))

    kinds = {key[:1] for key in db.collected}
    assert keyspace.FEED[:1] in kinds
    assert not kinds & {keyspace.CHATS[:1], keyspace.SEEN_PARTS[:1], keyspace.SEEN_IDS[:1]}


def test_a_duplicate_in_a_group_keeps_what_the_group_has_changed(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m0")

    with db.unit() as unit:
        for ids in (["m0"], ["m1"], ["m1"], ["m1", "m2"]):
            table.apply(unit, db.accepting(*ids))

    assert db.view().state.buffered_messages == 3
    assert db.accept("m0", "m1", "m2").duplicate == 3


def test_the_same_id_in_another_chat_or_workspace_is_another_message(db: ScratchDatabase) -> None:
    db.workspace()
    db.workspace("other")
    db.accept("m1")

    accepted = [db.accept("m1", chat="d").accepted, db.accept("m1", ws=2).accepted]

    assert accepted == [1, 1]


@pytest.mark.parametrize("at_once", [1, 63, 64, 65, 5_000])
def test_thousands_of_ids_of_a_chat_are_remembered(db: ScratchDatabase, at_once: int) -> None:
    db.workspace()
    ids = [f"m{number}" for number in range(max(200, at_once))]
    for start in range(0, len(ids), at_once):
        db.accept(*ids[start : start + at_once])

    again = db.accept(*ids, "new")

    assert (again.accepted, again.duplicate) == (1, len(ids))


def test_ids_are_remembered_for_48_hours_after_the_chat_s_last_message(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.now_ms += 30 * HOUR_MS
    db.accept("m2")
    db.now_ms += 48 * HOUR_MS - 1
    forget(db)

    again = db.accept("m1", "m2")

    assert again.duplicate == 2


def test_a_chat_silent_for_48_hours_is_forgotten_without_a_trace(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(500)))
    db.now_ms += 48 * HOUR_MS
    for _ in range(2):  # steps: the chat has more parts than go in one
        forget(db)
        db.now_ms += 1
    left = (db.chat(), seen_parts(db), [row.kind for row in db.dues()])

    again = db.accept("m1")

    assert left == (None, 0, [DueKind.ARRIVALS])  # when its messages came is known for ten days
    assert again.accepted == 1


def test_ids_of_a_busy_chat_go_part_by_part_once_48_hours_old(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for day in range(6):
        db.now_ms = START_MS + day * DAY_MS
        db.accept(*(f"d{day}m{number}" for number in range(100)))

    known = [db.accept(f"d{day}m0").duplicate for day in range(6)]

    assert known == [0, 0, 0, 0, 1, 1]
    assert seen_parts(db) == 3


def test_a_duplicate_does_not_prolong_what_is_remembered(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.now_ms += 47 * HOUR_MS
    db.accept("m1")
    db.now_ms += HOUR_MS
    forget(db)

    assert db.chat() is None


# ---- the quota of a disabled workspace


def test_a_disabled_workspace_holds_its_quota_and_refuses_the_rest_whole(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.disable()
    db.quota = Quota(messages_max=5)
    db.accept("m1", "m2")
    db.seal()
    db.accept("m3", chat="d")
    before = db.dump()

    with pytest.raises(QuotaReached, match="holds 3 messages of at most 5"):
        db.accept("m4", "m5", "m6")

    assert {key for key in db.dump() if db.dump()[key] != before[key]} <= {keyspace.META}
    assert db.accept("m4", "m5").accepted == 2


def test_duplicates_are_no_matter_of_quota(db: ScratchDatabase) -> None:
    db.workspace()
    db.disable()
    db.quota = Quota(messages_max=2)
    db.accept("m1", "m2")

    assert db.accept("m1", "m2").duplicate == 2


@pytest.mark.parametrize("held", [(), ("in time",)])
def test_a_workspace_disabled_for_longer_than_messages_are_held_takes_no_more(
    db: ScratchDatabase, held: tuple[str, ...]
) -> None:
    db.workspace()
    db.disable()
    db.now_ms += 7 * DAY_MS
    db.accept(*held)
    db.now_ms += 1

    with pytest.raises(QuotaReached, match="disabled for longer"):
        db.accept("too late")

    db.enable()
    assert db.accept("too late").accepted == 1


def test_an_enabled_workspace_has_no_quota(db: ScratchDatabase) -> None:
    db.workspace()
    db.quota = Quota(messages_max=1, held_ms_max=1)
    db.now_ms += DAY_MS

    assert db.accept("m1", "m2", "m3").accepted == 3


@pytest.mark.parametrize(
    "quota", [Quota(waiting_messages_max=4), Quota(waiting_bytes_max=1)], ids=["messages", "bytes"]
)
@pytest.mark.parametrize("waits", ["in a window", "queued", "dead letter"])
def test_what_waits_is_bounded_whatever_the_webhook_does(
    db: ScratchDatabase, quota: Quota, waits: str
) -> None:
    """One that is enabled, and fails now and then, would else fill the disk of all."""
    db.workspace()
    db.accept("m1", "m2", "m3")
    if waits != "in a window":
        db.seal()
    if waits == "dead letter":
        for _ in range(3):
            db.attempt(Rejected(404))
            db.wait()
        assert db.dead_letters()
    db.quota = quota

    with pytest.raises(QuotaReached, match="has 3 messages of"):
        db.accept("m4", "m5")

    assert db.accept("m1", "m2").duplicate == 2
    if waits != "in a window":
        db.enable(discard=True)
        move_all(db)  # the bytes are there until then
        assert db.accept("m4").accepted == 1


def test_a_workspace_without_a_url_holds_its_quota_of_messages_for_as_long_as_it_takes(
    db: ScratchDatabase,
) -> None:
    db.workspace(url="")
    db.quota = Quota(messages_max=2, held_ms_max=1)
    db.now_ms += DAY_MS
    db.accept("m1", "m2")

    with pytest.raises(QuotaReached, match="can't send, and holds 2 messages"):
        db.accept("m3")


def test_a_workspace_that_is_gone_is_named(db: ScratchDatabase) -> None:
    with pytest.raises(NotFound, match="number 1 was deleted"):
        db.accept("m1")


# ---- skipped


def test_skipped_messages_are_counted_and_told_but_not_stored(db: ScratchDatabase) -> None:
    db.workspace()

    accepted = db.accept(skipped=("m1", "m2"))

    assert accepted == Accepted(0, 0, 0, wake=())
    assert db.chat() is None
    assert db.reads.meta().totals.skipped == 2
    (fact,) = db.events("message.received")
    assert fact["data"]["skipped"] == [
        {"message": "m1", "reason": "attachment"},
        {"message": "m2", "reason": "attachment"},
    ]


def test_skips_of_a_chat_in_a_row_are_one_line_of_activity(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(skipped=("m1", "m2"))
    db.accept(skipped=("m3",))
    db.accept(chat="d", skipped=("m4",))

    lines = [(line.chat_id, line.messages) for line in db.reads.activity("acme")[:2]]

    assert lines == [("d", 1), ("c", 3)]


def test_a_line_of_skips_names_every_reason_there_was(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(skipped=("m1",))
    db.accept(skipped=(Skipped("m2", "no_text"),))

    line = db.reads.activity("acme")[0]

    assert (line.messages, line.detail) == (2, "attachment, no_text")
