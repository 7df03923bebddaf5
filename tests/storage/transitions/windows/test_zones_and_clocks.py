"""Open windows when the zone that their rule uses changes, and after a clock that was wrong."""

from typing import Any

import pytest

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import windows
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import PRODUCT, ScratchDatabase
from hookbundle.tests.storage.transitions.windows.ruled import (
    DAY_MS,
    FIRST,
    MINUTE_MS,
    at_time,
    due,
    goes,
    retime_all,
    ruled,
    says,
    sent,
)

AT = {"at": ["18:00"]}


# ---- the workspace's zone


def test_windows_follow_the_zone_of_their_workspace(db: ScratchDatabase) -> None:
    ruled(db, AT)
    says(db, "09:00", "a")

    db.change("acme", time_zone="Asia/Jerusalem")
    retime_all(db)

    assert due(db) == at_time("15:00")


@pytest.mark.parametrize("value", [{**AT, "zone": "Europe/Berlin"}, {"quiet": "10m"}, FIRST])
def test_a_rule_that_does_not_use_the_zone_is_left_alone(db: ScratchDatabase, value: Any) -> None:
    ruled(db, value)
    says(db, "09:00", "a", "b")

    db.change("acme", time_zone="Asia/Jerusalem")

    assert db.dues(DueKind.RETIME) == []


def test_a_zone_with_hours_moves_the_opening(db: ScratchDatabase) -> None:
    ruled(db, {"every": "1h", "hours": {"from": "20:00", "to": "21:00"}})
    says(db, "09:00", "a")

    db.change("acme", time_zone="Asia/Jerusalem")
    retime_all(db)

    assert due(db) == at_time("17:00")


def test_a_zone_that_is_changed_in_the_night_of_a_clock_change(db: ScratchDatabase) -> None:
    """On 30 March 2025 Berlin skips 02:00 to 03:00; New York changed three weeks before."""
    day = -106  # before 14 July
    ruled(db, {"at": ["02:30"]})
    db.now_ms = at_time("00:10", day)
    db.accept("a")
    ends = [due(db)]

    for zone in ("Europe/Berlin", "America/New_York", "UTC"):
        db.change("acme", time_zone=zone)
        db.reopen()
        retime_all(db)
        ends.append(due(db))

    assert ends == [at_time(end, day) for end in ("02:30", "01:00", "06:30", "02:30")]


def test_a_time_that_comes_twice_is_the_first_one_also_after_a_change_of_zone(
    db: ScratchDatabase,
) -> None:
    """On 26 October 2025 Berlin has 02:00 to 03:00 twice."""
    day = 104
    ruled(db, {"at": ["02:30"]}, time_zone="America/New_York")
    db.now_ms = at_time("00:31", day)
    db.accept("a")

    db.now_ms = at_time("00:40", day)
    db.change("acme", time_zone="Europe/Berlin")
    retime_all(db)

    # The first 02:30 was at 00:30, before the window was opened.
    assert due(db) == at_time("01:30", day + 1)


def test_rules_of_the_zone_that_were_changed_seal_nothing_too_early(db: ScratchDatabase) -> None:
    """As when a release of the daemon brings newer time zones: no setting was changed."""
    ruled(db, AT)
    says(db, "09:00", "a")
    early = at_time("17:00")
    with db.unit() as unit:
        record = unit.chat(1, b"c")
        assert record is not None
        (collecting,) = record.collecting
        assert collecting.window is not None
        _, webhook = unit.webhook_numbered(1)
        windows.retime(unit, webhook, b"c", collecting.window, early)

    db.now_ms = early
    db.do(SealDue((db.dues(DueKind.WINDOW)[0],), early, PRODUCT), DueSealed)

    assert sent(db) == []
    assert due(db) == at_time("18:00")
    assert len(db.events("window.retimed")) == 1


# ---- a clock that was wrong


def test_windows_and_silences_of_a_wrong_clock_are_set_right(db: ScratchDatabase) -> None:
    ruled(db, {"quiet": "10m", "first": "now"})
    says(db, "09:00", "a", "b")
    says(db, "09:00", "e", chat="empty")

    db.now_ms = at_time("09:00", day=-400)
    db.done(TrustClock(db.now_ms))
    retime_all(db)

    assert {due(db), due(db, "empty")} == {db.now_ms + 10 * MINUTE_MS}
    assert findings(db) == []


def test_a_chat_that_was_written_to_in_the_future_is_bundled_once(db: ScratchDatabase) -> None:
    ruled(db, {"quiet": "10m", "first": "now"})
    says(db, "09:00", "a")
    goes(db, "09:10")

    db.now_ms = at_time("09:00", day=-400)
    db.done(TrustClock(db.now_ms))
    db.accept("b")
    db.now_ms += DAY_MS
    db.accept("c")

    assert sent(db) == [("first", ["a"]), ("quiet", ["b"]), ("first", ["c"])]
