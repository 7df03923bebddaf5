"""Each kind of window, by its rule: what it takes, and when and why it is sealed."""

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions import table
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming
from hookbundle.tests.storage.transitions.windows.ruled import (
    at_time,
    due,
    goes,
    ruled,
    says,
    sent,
)


def test_a_window_of_one_length_ends_that_long_after_its_first_message(db: ScratchDatabase) -> None:
    ruled(db, {"every": "1h", "hours": {"from": "00:00", "to": "24:00"}})

    says(db, "09:00", "a")
    says(db, "09:59", "b")
    says(db, "10:00", "c")

    assert sent(db) == [("time", ["a", "b"])]
    assert due(db) == at_time("11:00")


# ---- quiet


def test_a_quiet_window_ends_when_nothing_came_for_so_long(db: ScratchDatabase) -> None:
    ruled(db, {"quiet": "10m", "max": "6h"})

    for at, message_id in (("09:00", "a"), ("09:09", "b"), ("09:18", "c")):
        says(db, at, message_id)
    assert due(db) == at_time("09:28")
    goes(db, "09:27")
    assert sent(db) == []
    goes(db, "09:28")

    assert sent(db) == [("quiet", ["a", "b", "c"])]
    assert db.dues(DueKind.WINDOW) == []


def test_a_chat_that_never_falls_quiet_is_sealed_at_its_maximum(db: ScratchDatabase) -> None:
    ruled(db, {"quiet": "10m", "max": "30m"})

    for minute in range(0, 40, 5):
        says(db, f"09:{minute:02}", f"m{minute}")

    assert sent(db) == [("max", ["m0", "m5", "m10", "m15", "m20", "m25"])]
    assert due(db) == at_time("09:45")


def test_what_counts_is_the_arrival_and_not_the_timestamp(db: ScratchDatabase) -> None:
    ruled(db, {"quiet": "10m"})

    says(db, "09:00", "a")
    goes(db, "09:05")
    db.accept(incoming("old", at_time("03:00")))

    assert due(db) == at_time("09:15")


def test_a_quiet_window_that_is_over_is_sealed_before_a_message_that_comes_first(
    db: ScratchDatabase,
) -> None:
    """The timer may be behind: what came later still stands in a window of its own."""
    ruled(db, {"quiet": "10m"})
    says(db, "09:00", "a")

    db.now_ms = at_time("09:10")
    db.accept("b")

    assert sent(db) == [("quiet", ["a"])]
    assert due(db) == at_time("09:20")


def test_a_repeated_message_does_not_keep_a_chat_from_being_quiet(db: ScratchDatabase) -> None:
    ruled(db, {"quiet": "10m"})
    says(db, "09:00", "a")

    says(db, "09:05", "a")

    assert due(db) == at_time("09:10")


# ---- at


def test_a_window_ends_at_the_next_of_its_times(db: ScratchDatabase) -> None:
    ruled(db, {"at": ["12:00", "18:00"], "days": "mon-tue"})

    says(db, "09:00", "a")
    says(db, "11:59", "b")
    says(db, "12:00", "c")
    says(db, "18:00", "d")
    assert due(db) == at_time("12:00", day=1)
    says(db, "19:00", "e", day=1)

    assert sent(db) == [("at", ["a", "b"]), ("at", ["c"]), ("at", ["d"])]
    assert due(db) == at_time("12:00", day=7)


def test_times_are_those_of_the_rules_zone_or_else_of_the_workspace(db: ScratchDatabase) -> None:
    ruled(db, {"at": ["18:00"], "zone": "Asia/Jerusalem"}, time_zone="America/New_York")
    says(db, "09:00", "a")
    at_work = due(db)
    db.change("acme", window=b'{"at":["18:00"]}')
    says(db, "09:00", "b", chat="d")

    assert at_work == at_time("15:00")
    assert due(db, "d") == at_time("22:00")


# ---- hours


def test_an_end_outside_the_hours_is_moved_to_the_next_opening(db: ScratchDatabase) -> None:
    hours = {"days": "mon-fri", "from": "09:00", "to": "18:00"}
    ruled(db, {"quiet": "10m", "max": "1h", "hours": hours})

    says(db, "17:55", "a")
    says(db, "19:30", "b")
    assert due(db) == at_time("09:00", day=1)
    says(db, "08:59", "c", day=1)
    assert due(db) == at_time("09:00", day=1)
    goes(db, "09:00", day=1)

    assert sent(db) == [("max", ["a", "b", "c"])]


def test_size_and_flush_do_not_wait_for_the_hours(db: ScratchDatabase) -> None:
    ruled(db, {"every": "1h", "hours": {"from": "20:00", "to": "21:00"}}, messages_max=2)

    says(db, "09:00", "a", "b", "c")
    flushed = db.seal()

    assert sent(db) == [("size", ["a", "b"]), ("flush", ["c"])]
    assert flushed.messages == 1


# ---- rules


RULES = {
    "rules": [
        {"match": {"text_contains": "urgent"}, "window": "none"},
        {"match": {"labels": "vip"}, "window": {"quiet": "5m", "first": "now"}},
    ],
    "else": {"every": "6h"},
}


def test_the_message_that_opens_a_window_chooses_its_rule(db: ScratchDatabase) -> None:
    ruled(db, RULES)
    vip = incoming("b", extra=b'{"labels":["vip"]}')

    says(db, "09:00", "a", chat="plain")
    db.accept(vip, chat="vip")
    db.accept(incoming("c", text="URGENT!"), chat="alone")

    assert sent(db) == [("first", ["b"]), ("single", ["c"])]
    assert due(db, "plain") == at_time("15:00")
    assert due(db, "vip") == at_time("09:05")
    assert db.window("alone") is None


def test_an_open_window_takes_what_would_have_chosen_another_rule(db: ScratchDatabase) -> None:
    ruled(db, RULES)
    says(db, "09:00", "a")

    db.accept(incoming("b", text="urgent"), incoming("c", extra=b'{"labels":["vip"]}'))

    assert sent(db) == []
    assert due(db) == at_time("15:00")
    assert db.seal().messages == 3


def test_a_message_for_which_there_is_no_room_chooses_anew(db: ScratchDatabase) -> None:
    ruled(db, RULES, bytes_max=1_024)
    db.accept(incoming("a", text="x" * 300))

    db.accept(incoming("b", text="urgent" + "x" * 300))

    assert sent(db) == [("size", ["a"]), ("single", ["b"])]


def test_what_rules_look_through_is_part_of_the_transitions_weight(db: ScratchDatabase) -> None:
    ruled(db, RULES)
    with db.unit() as unit:
        table.apply(unit, db.accepting(incoming("a", text="x" * 60_000)))
        weight = unit.weight

    assert weight >= 30
