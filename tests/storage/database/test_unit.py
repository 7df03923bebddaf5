"""The unit of work: records decoded once and written once, facts numbered without a gap."""

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import ChatRecord, Meta
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions.housekeeping import Note
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, House


def note(house: House, kind: str) -> Note:
    return Note(kind, "", house.now_ms)


def feed_rows(house: House) -> list[int]:
    """The last sequence number of each row of the feed."""
    return [keyspace.parse_number(key) for key in house.dump() if key.startswith(keyspace.FEED)]


# ---- records


def test_the_transitions_of_a_group_change_the_same_state_and_chat(house: House) -> None:
    number = house.workspace()

    with house.unit() as unit:
        assert unit.state(number) is unit.state(number)
        unit.keep_chat(number, b"c", ChatRecord(last_ms=1))
        assert unit.chat(number, b"c") is unit.chat(number, b"c")
        unit.state(number).log_next = 5

    assert house.view().state.log_next == 5


def test_what_the_unit_holds_is_written_with_it(house: House) -> None:
    number = house.workspace()
    with house.unit() as unit:
        unit.keep_chat(number, b"c", ChatRecord(last_ms=1))

    with house.unit() as unit:
        chat = unit.chat(number, b"c")
        assert chat is not None
        chat.last_ms = 2

    assert house.chat() == ChatRecord(last_ms=2)


def test_rows_see_held_chats_once_they_are_flushed(house: House) -> None:
    number = house.workspace()
    prefix = keyspace.owned(keyspace.CHATS, number)

    with house.unit() as unit:
        unit.keep_chat(number, b"c", ChatRecord(last_ms=1))
        before = list(unit.rows(prefix))
        unit.flush_chats()
        after = [key for key, _ in unit.rows(prefix)]

    assert (before, after) == ([], [prefix + b"c"])


def test_rows_go_on_behind_a_key_whether_or_not_it_is_there(house: House) -> None:
    rows = [Due(at_ms, DueKind.MAIL, 1) for at_ms in (1, 3, 5)]

    with house.unit() as unit:
        for row in rows:
            unit.put_due(row)
        behind_three = [key for key, _ in unit.rows(keyspace.DUES, keyspace.due(rows[1]))]
        behind_two = [key for key, _ in unit.rows(keyspace.DUES, keyspace.due_before(1))]

    assert behind_three == [keyspace.due(rows[2])]
    assert behind_two == [keyspace.due(row) for row in rows[1:]]


def test_rows_are_deleted_in_steps(house: House) -> None:
    with house.unit() as unit:
        for number in range(5):
            unit.put_flag(keyspace.owned(keyspace.DISABLED, number))
        unit.put_flag(keyspace.owned(keyspace.READY, 1))
        deleted = [unit.delete_rows(keyspace.DISABLED, 3) for _ in range(3)]

        left = list(unit.rows(keyspace.READY))

    assert (deleted, len(left)) == ([3, 2, 0], 1)


def test_a_forgotten_workspace_is_not_written_again(house: House) -> None:
    number = house.workspace()

    with house.unit() as unit:
        unit.state(number).log_next = 9
        unit.keep_chat(number, b"c", ChatRecord())
        unit.activity(number)
        unit.forget_workspace(number)

    assert house.view().state.log_next == 0
    assert house.chat() is None


def test_a_workspace_that_is_not_there_is_named(house: House) -> None:
    with house.unit() as unit:
        with pytest.raises(NotFound, match="no workspace 'nobody'"):
            unit.workspace("nobody")
        with pytest.raises(NotFound, match="number 99 was deleted"):
            unit.workspace_numbered(99)


def test_nothing_is_written_of_a_unit_that_is_given_up(house: House) -> None:
    house.workspace()
    before = house.dump()

    def give_up() -> None:
        with house.env.write() as txn:
            unit = Unit(txn, house.env.identity)
            unit.emit("daemon.started", house.now_ms)
            unit.state(1).enabled = False
            unit.flush(house.keep_events, house.keep_ms)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_up()

    assert house.dump() == before


# ---- the feed


def test_sequence_numbers_have_no_gap_over_groups_and_restarts(house: House) -> None:
    house.workspace()
    house.group(note(house, "a"), house.accepting("m1", "m2"), note(house, "b"))
    house.reopen()
    house.group(note(house, "c"))
    house.group()

    numbers = [number for number, _ in house.feed()]

    assert numbers == list(range(1, len(numbers) + 1))
    assert [fact["type"] for _, fact in house.feed()][-4:] == ["a", "message.accepted", "b", "c"]
    assert house.reads.meta().feed_next == numbers[-1] + 1


def test_a_commit_has_one_row_and_one_without_facts_has_none(house: House) -> None:
    house.group(*(note(house, "a") for _ in range(5)))
    house.group()
    house.group(note(house, "b"))

    assert feed_rows(house) == [5, 6]


def test_the_latest_time_seen_never_goes_back(house: House) -> None:
    house.group(note(house, "a"))
    house.now_ms -= HOUR_MS
    house.group(note(house, "b"))

    assert house.reads.meta().last_ms == START_MS


def test_the_feed_keeps_as_many_facts_as_it_is_told(house: House) -> None:
    house.keep_events = 10

    for _ in range(30):
        house.group(note(house, "a"))

    assert [number for number, _ in house.feed()] == list(range(21, 31))
    assert house.reads.meta().feed_oldest == 21


def test_busy_times_after_quiet_ones_do_not_make_the_feed_grow(house: House) -> None:
    house.keep_events = 200
    for _ in range(200):
        house.group(note(house, "quiet"))

    for _ in range(20):
        house.group(*(note(house, "busy") for _ in range(50)))

    assert len(house.feed()) <= 200
    assert house.reads.meta().feed_oldest == house.feed()[0][0]


def test_the_feed_forgets_what_is_too_old_but_never_its_newest_row(house: House) -> None:
    house.keep_ms = HOUR_MS
    for minutes in range(0, 90, 30):
        house.now_ms = START_MS + minutes * 60_000
        house.group(note(house, f"at {minutes}"))

    house.now_ms += 10 * HOUR_MS
    house.group(note(house, "much later"))
    house.group(note(house, "still later"))
    house.now_ms += 10 * HOUR_MS
    house.group(note(house, "alone"))

    assert [fact["type"] for _, fact in house.feed()] == ["alone"]


def test_a_retention_made_shorter_is_reached_commit_by_commit(house: House) -> None:
    for _ in range(50):
        house.group(note(house, "a"))
    house.keep_events = 10

    for _ in range(40):
        house.group(note(house, "b"))

    assert len(house.feed()) == 10


def test_a_new_database_has_counted_nothing(house: House) -> None:
    assert house.reads.meta() == Meta()
