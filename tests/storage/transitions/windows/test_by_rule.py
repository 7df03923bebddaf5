"""Each kind of window, by its rule: what it takes, and when and why it is sealed."""

import msgspec

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.sealing import Sealed
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming
from hookbundle.tests.storage.transitions.windows.ruled import (
    FIRST,
    HOUR_MS,
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


# ---- first


def test_the_first_message_leaves_at_once_and_is_not_in_the_bundle(db: ScratchDatabase) -> None:
    ruled(db, FIRST)

    says(db, "09:00", "a")
    opened = db.window()
    says(db, "09:10", "b")
    says(db, "09:50", "c")
    goes(db, "10:00")

    assert sent(db) == [("first", ["a"]), ("time", ["b", "c"])]
    assert all(each.bundle for each in db.queued())
    assert opened is not None
    assert (opened.count, opened.due_ms) == (0, at_time("10:00"))


def test_of_a_request_with_several_messages_only_one_is_the_first(db: ScratchDatabase) -> None:
    ruled(db, FIRST)

    says(db, "09:00", "a", "b", "c")
    says(db, "09:00", "a", "b", "c")
    goes(db, "10:00")

    assert sent(db) == [("first", ["a"]), ("time", ["b", "c"])]


def test_a_window_that_stays_empty_calls_nobody_and_a_fact_says_so(db: ScratchDatabase) -> None:
    ruled(db, FIRST)

    says(db, "09:00", "a")
    goes(db, "10:00")

    assert sent(db) == [("first", ["a"])]
    assert [event["data"] for event in db.events("window.ended")] == [{"reason": "time"}]
    assert db.window() is None
    assert db.view().state.windows == 0
    assert db.dues(DueKind.FORGET) != []


def test_a_message_is_the_first_again_after_the_windows_length(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    says(db, "09:00", "a")
    says(db, "09:30", "b")

    says(db, "10:29", "c")  # a window ended at 10:00, but the chat was not silent for an hour
    says(db, "12:29", "d")

    assert sent(db) == [("first", ["a"]), ("time", ["b"]), ("time", ["c"]), ("first", ["d"])]


def test_after_a_flush_the_conversation_is_still_the_same(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    says(db, "09:00", "a", "b")
    db.seal()

    says(db, "09:10", "c")

    assert sent(db) == [("first", ["a"]), ("flush", ["b"])]
    assert due(db) == at_time("10:10")


def test_an_empty_window_is_flushed_without_a_call(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    says(db, "09:00", "a")

    assert db.seal() == Sealed(messages=0, wake=(), empty=1)

    assert sent(db) == [("first", ["a"])]
    assert [event["data"]["reason"] for event in db.events("window.ended")] == ["flush"]


def test_a_quiet_window_is_counted_from_the_first_message_that_left(db: ScratchDatabase) -> None:
    ruled(db, {"quiet": "10m", "max": "15m", "first": "now"})

    says(db, "09:00", "a")
    assert due(db) == at_time("09:10")
    says(db, "09:08", "b")
    assert due(db) == at_time("09:15")
    says(db, "09:17", "c")  # 9 minutes after the last one
    says(db, "09:28", "d")

    assert sent(db) == [("first", ["a"]), ("max", ["b"]), ("quiet", ["c"]), ("first", ["d"])]


def test_the_first_since_the_last_time_of_day_leaves_at_once(db: ScratchDatabase) -> None:
    ruled(db, {"at": ["18:00"], "days": "mon", "first": "now"})

    says(db, "09:00", "a")
    says(db, "17:00", "b")
    says(db, "19:00", "c")
    says(db, "17:00", "d", day=7)
    goes(db, "18:00", day=7)

    assert sent(db) == [("first", ["a"]), ("at", ["b"]), ("first", ["c"]), ("at", ["d"])]


def test_outside_the_hours_the_first_is_bundled(db: ScratchDatabase) -> None:
    hours = {"days": "mon-fri", "from": "09:00", "to": "18:00"}
    ruled(db, {"quiet": "10m", "max": "1h", "first": "now", "hours": hours})

    says(db, "18:00", "a")
    says(db, "19:00", "b")
    goes(db, "09:00", day=1)
    assert sent(db) == [("max", ["a", "b"])]
    says(db, "09:00", "c", day=1)
    says(db, "09:05", "d", day=1)
    goes(db, "09:15", day=1)

    assert sent(db)[1:] == [("first", ["c"]), ("quiet", ["d"])]


def test_the_first_never_overtakes_what_its_chat_has_collected(db: ScratchDatabase) -> None:
    """The timer is an hour behind: the window that is over goes before the new first message."""
    ruled(db, FIRST)
    says(db, "09:00", "a", "b")

    db.now_ms = at_time("11:00")
    db.accept("c")

    assert sent(db) == [("first", ["a"]), ("time", ["b"]), ("first", ["c"])]


def test_a_message_too_large_for_the_limit_does_not_end_an_empty_window(
    db: ScratchDatabase,
) -> None:
    ruled(db, FIRST, bytes_max=1_024)

    says(db, "09:00", "a")
    db.accept(incoming("b", text="x" * 2_000))

    assert db.events("window.ended") == []
    assert due(db) == at_time("10:00")


def test_a_first_message_has_the_shape_of_a_bundle(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    db.accept(incoming("a", is_new_chat=True, permalink="https://app.example/m/a"))

    body = msgspec.json.decode(db.queued()[0].body)

    assert body["chat"]["is_new_chat"] is True
    assert body["first_message_timestamp"] == body["last_message_timestamp"]
    assert "https://app.example/m/a" in body["aggregation"]


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


# ---- restarts, and what is shown


def test_windows_go_on_after_a_restart(db: ScratchDatabase) -> None:
    ruled(db, {"quiet": "10m", "first": "now"})
    says(db, "09:00", "a", "b")
    db.reopen()

    says(db, "09:05", "c")
    db.reopen()
    goes(db, "09:15")

    assert sent(db) == [("first", ["a"]), ("quiet", ["b", "c"])]


def test_an_empty_window_is_shown_without_a_body(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    says(db, "09:00", "a")

    shown = db.reads.preview("acme", "c", "P", "")

    assert (shown.body, shown.window.messages, shown.window.first) == (b"", 0, True)
    assert shown.window.due_ms - shown.window.opened_ms == HOUR_MS
