"""The first message of a conversation leaves at once, and opens a window that may stay empty."""

import msgspec

from hookbundle.storage.database.keyspace import DueKind
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

    assert db.seal() == Sealed(messages=0, wake=(), empty=1, windows=1)

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
