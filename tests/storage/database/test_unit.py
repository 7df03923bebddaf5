"""The unit of work: records are read and written once, events numbered without gaps."""

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Meta
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions.notes import Note
from hookbundle.tests.storage.noting import note_of, noted
from hookbundle.tests.storage.scratch import HOUR_MS, NEVER_MS, START_MS, ScratchDatabase


def note(db: ScratchDatabase, kind: str) -> Note:
    return note_of(kind, "", db.now_ms)


def feed_rows(db: ScratchDatabase) -> list[int]:
    """The last sequence number of each row of the feed."""
    return [key_fields.number(key) for key in db.dump() if key.startswith(keyspace.FEED)]


# ---- records


def test_the_transitions_of_a_group_change_the_same_state_and_chat(db: ScratchDatabase) -> None:
    number = db.workspace()

    with db.unit() as unit:
        assert unit.state(number) is unit.state(number)
        unit.keep_chat(keyspace.owned(keyspace.CHATS, number, b"c"), ChatRecord(last_ms=1))
        assert unit.chat(number, b"c") is unit.chat(number, b"c")
        unit.state(number).log_next = 5

    assert db.view().state.log_next == 5


def test_a_changed_chat_is_written_when_the_unit_ends(db: ScratchDatabase) -> None:
    number = db.workspace()
    with db.unit() as unit:
        unit.keep_chat(keyspace.owned(keyspace.CHATS, number, b"c"), ChatRecord(last_ms=1))

    with db.unit() as unit:
        chat = unit.chat(number, b"c")
        assert chat is not None
        chat.last_ms = 2

    assert db.chat() == ChatRecord(last_ms=2)


def test_rows_include_changed_chats_only_after_flush_chats(db: ScratchDatabase) -> None:
    number = db.workspace()
    prefix = keyspace.owned(keyspace.CHATS, number)

    with db.unit() as unit:
        unit.keep_chat(keyspace.owned(keyspace.CHATS, number, b"c"), ChatRecord(last_ms=1))
        before = list(unit.rows(prefix))
        unit.flush_chats()
        after = [key for key, _ in unit.rows(prefix)]

    assert (before, after) == ([], [prefix + b"c"])


def test_rows_continue_after_a_key_whether_or_not_it_exists(db: ScratchDatabase) -> None:
    rows = [Due(at_ms, DueKind.MAIL, 1) for at_ms in (1, 3, 5)]

    with db.unit() as unit:
        for row in rows:
            unit.put_due(row)
        behind_three = [key for key, _ in unit.rows(keyspace.DUES, keyspace.due(rows[1]))]
        after_one = keyspace.due_before(DueKind.MAIL, 1)
        behind_two = [key for key, _ in unit.rows(keyspace.DUES, after_one)]

    assert behind_three == [keyspace.due(rows[2])]
    assert behind_two == [keyspace.due(row) for row in rows[1:]]


def test_rows_are_deleted_in_steps(db: ScratchDatabase) -> None:
    with db.unit() as unit:
        for number in range(5):
            unit.put_flag(keyspace.owned(keyspace.DISABLED, number))
        unit.put_flag(keyspace.owned(keyspace.READY, 1))
        deleted = [unit.delete_rows(keyspace.DISABLED, 3) for _ in range(3)]

        left = list(unit.rows(keyspace.READY))

    assert (deleted, len(left)) == ([3, 2, 0], 1)


def test_a_forgotten_workspace_is_not_written_again(db: ScratchDatabase) -> None:
    number = db.workspace()

    with db.unit() as unit:
        unit.state(number).log_next = 9
        unit.keep_chat(keyspace.owned(keyspace.CHATS, number, b"c"), ChatRecord())
        unit.forget_workspace(unit.workspace_numbered(number))

    assert db.view().state.log_next == 0
    assert db.chat() is None


def test_a_missing_workspace_is_an_error_that_names_it(db: ScratchDatabase) -> None:
    with db.unit() as unit:
        with pytest.raises(NotFound, match="no workspace 'nobody'"):
            unit.workspace("nobody")
        with pytest.raises(NotFound, match="number 99 was deleted"):
            unit.workspace_numbered(99)


def test_a_unit_that_fails_writes_nothing(db: ScratchDatabase) -> None:
    db.workspace()
    before = db.dump()

    def give_up() -> None:
        with db.env.write() as txn:
            unit = Unit(txn, db.env.identity)
            unit.emit(noted("noted"), db.now_ms)
            unit.state(1).enabled = False
            unit.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_up()

    assert db.dump() == before


# ---- the feed


def test_sequence_numbers_have_no_gap_over_groups_and_restarts(db: ScratchDatabase) -> None:
    db.workspace()
    db.group(note(db, "a"), db.accepting("m1", "m2"), note(db, "b"))
    db.reopen()
    db.group(note(db, "c"))
    db.group()

    numbers = [number for number, _ in db.feed()]

    assert numbers == list(range(1, len(numbers) + 1))
    assert [fact["type"] for _, fact in db.feed()][-4:] == [
        "test.a",
        "message.received",
        "test.b",
        "test.c",
    ]
    assert db.reads.meta().feed_next == numbers[-1] + 1


def test_a_commit_writes_one_feed_row_or_none_without_events(db: ScratchDatabase) -> None:
    db.group(*(note(db, "a") for _ in range(5)))
    db.group()
    db.group(note(db, "b"))

    assert feed_rows(db) == [5, 6]


def test_the_latest_time_seen_never_goes_back(db: ScratchDatabase) -> None:
    db.group(note(db, "a"))
    db.now_ms -= HOUR_MS
    db.group(note(db, "b"))

    assert db.reads.meta().last_ms == START_MS


def test_the_feed_keeps_the_configured_number_of_events(db: ScratchDatabase) -> None:
    db.retention = Retention(feed_events=10, feed_ms=NEVER_MS)

    for _ in range(30):
        db.group(note(db, "a"))

    assert [number for number, _ in db.feed()] == list(range(21, 31))
    assert db.reads.meta().feed_oldest == 21


def test_busy_times_after_quiet_ones_do_not_make_the_feed_grow(db: ScratchDatabase) -> None:
    db.retention = Retention(feed_events=200, feed_ms=NEVER_MS)
    for _ in range(200):
        db.group(note(db, "quiet"))

    for _ in range(20):
        db.group(*(note(db, "busy") for _ in range(50)))

    assert len(db.feed()) <= 200
    assert db.reads.meta().feed_oldest == db.feed()[0][0]


def test_the_feed_deletes_old_events_but_never_its_newest_row(db: ScratchDatabase) -> None:
    db.retention = Retention(feed_ms=HOUR_MS)
    for minutes in range(0, 90, 30):
        db.now_ms = START_MS + minutes * 60_000
        db.group(note(db, "timed"))

    db.now_ms += 10 * HOUR_MS
    db.group(note(db, "later"))
    db.group(note(db, "later"))
    db.now_ms += 10 * HOUR_MS
    db.group(note(db, "alone"))

    assert [fact["type"] for _, fact in db.feed()] == ["test.alone"]


def test_a_retention_made_shorter_is_reached_commit_by_commit(db: ScratchDatabase) -> None:
    for _ in range(50):
        db.group(note(db, "a"))
    db.retention = Retention(feed_events=10, feed_ms=NEVER_MS)

    for _ in range(40):
        db.group(note(db, "b"))

    assert len(db.feed()) == 10


def test_a_new_database_has_counted_nothing(db: ScratchDatabase) -> None:
    assert db.reads.meta() == Meta()
