"""A webhook's budget of a day: counted with each request, kept over restarts, told once a day."""

from datetime import datetime

import pytest

from hookbundle.engine.delivery.states import WebhookStatus
from hookbundle.storage.database.delivery_records import Attempt, WebhookTest
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.webhooks.tests import RecordTest
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import retry
from hookbundle.tests.storage.transitions.pacing.sending import paced, send, status, waits_ms

HOUR_MS = 3_600_000
TOLD = ("webhook.budget_warned", "webhook.budget_used_up")


def at(db: ScratchDatabase, text: str) -> None:
    db.now_ms = int(datetime.fromisoformat(text).timestamp() * 1_000)


@pytest.fixture
def db(db: ScratchDatabase) -> ScratchDatabase:
    at(db, "2026-11-28T09:00:00+00:00")
    return db


def told(db: ScratchDatabase) -> list[tuple[str, int]]:
    return [
        (fact["type"].removeprefix("webhook.budget_"), fact["data"]["used"])
        for fact in db.events(*TOLD)
    ]


def test_so_many_go_a_day_and_the_rest_waits_for_midnight_without_an_error(
    db: ScratchDatabase,
) -> None:
    number = paced(db, budget=5)

    sent = send(db)

    state = db.view().state
    assert (sent, status(db), waits_ms(db)) == (5, WebhookStatus.OVER_BUDGET, 15 * HOUR_MS)
    assert (state.consecutive_errors, state.enabled, db.reads.ready(0, 10)) == (0, True, [])
    db.wait()
    assert db.reads.ready(0, 10) == [number]
    assert send(db) == 4
    assert db.view().state.budget_used == 4
    assert_sound(db)


def test_the_day_begins_at_midnight_of_the_workspaces_zone(db: ScratchDatabase) -> None:
    paced(db, budget=2, time_zone="Asia/Jerusalem")
    at(db, "2026-11-28T21:30:00+00:00")

    assert (send(db), waits_ms(db)) == (2, HOUR_MS // 2)


@pytest.mark.parametrize(
    ("noon", "hours"),
    [("2026-10-25T12:00:00+01:00", 12), ("2026-10-24T12:00:00+02:00", 12)],
)
def test_a_day_in_which_the_clock_changes_ends_at_its_own_midnight(
    db: ScratchDatabase, noon: str, hours: int
) -> None:
    at(db, noon)
    paced(db, budget=1, time_zone="Europe/Berlin")
    assert (send(db), waits_ms(db)) == (1, hours * HOUR_MS)

    db.wait()
    assert send(db) == 1
    assert waits_ms(db) == (25 if "24T" in noon else 24) * HOUR_MS


def test_it_is_told_at_80_percent_and_when_it_is_used_up_each_once_a_day(
    db: ScratchDatabase,
) -> None:
    paced(db, 20, budget=5)
    send(db, 3)
    before = told(db)
    send(db)
    for _ in range(3):
        retry(db, db.queued()[0].number)
        db.begin()
        db.reopen()

    assert (before, told(db)) == ([], [("warned", 4), ("used_up", 5)])
    lines = [line for line in db.reads.activity("acme") if line.action == "budget"]
    assert [(line.outcome, line.detail) for line in lines] == [
        ("used_up", "5 of 5 requests of the day"),
        ("nearly_used", "4 of 5 requests of the day"),
    ]
    (warned, used_up) = db.events(*TOLD)
    assert warned["webhook"] == used_up["webhook"] == "outbound"
    assert used_up["data"]["resets"] == db.view().state.paced_ms
    db.wait()
    send(db)
    assert len(told(db)) == 4


def test_a_budget_is_warned_of_once(db: ScratchDatabase) -> None:
    paced(db, 20, budget=100)
    for number in range(80):
        db.accept(f"more{number}")
    send(db)

    assert told(db) == [("warned", 80), ("used_up", 100)]


def test_a_budget_of_which_80_percent_is_all_is_told_once(db: ScratchDatabase) -> None:
    paced(db, budget=1)
    send(db)

    assert told(db) == [("used_up", 1)]


def test_without_warnings_only_the_end_of_the_budget_is_told(db: ScratchDatabase) -> None:
    paced(db, budget=5, warnings=False)
    send(db)

    assert told(db) == [("used_up", 5)]


def test_errors_repeats_and_lost_attempts_are_requests_too(db: ScratchDatabase) -> None:
    paced(db, budget=10)
    db.finish(db.begun(), failed())
    db.wait()
    db.finish(db.begun(), OK, requests=2)
    db.begun()
    db.reopen()
    again = db.begun()

    assert db.view().state.budget_used == 5
    db.finish(again, OK)
    assert db.view().state.budget_used == 5
    assert send(db) == 5
    assert db.begin() == Idle()


def test_the_last_request_of_the_day_may_not_go_out_twice(db: ScratchDatabase) -> None:
    paced(db, budget=2)
    first = db.begun()
    db.finish(first, OK)

    assert (first.may_repeat, db.begun().may_repeat) == (True, False)


def test_a_retry_does_not_pass_the_budget(db: ScratchDatabase) -> None:
    paced(db, budget=1)
    db.finish(db.begun(), failed())

    retried = retry(db, 1)

    assert (retried.wake, retried.waits_until_ms - db.now_ms) == ((), 15 * HOUR_MS)
    assert db.begin() == Idle()


def test_a_raised_budget_goes_on_at_once_and_may_be_told_anew(db: ScratchDatabase) -> None:
    number = paced(db, 20, budget=5)
    send(db)

    assert db.change("acme", budget=10).wake == (number,)
    assert send(db) == 5
    assert told(db) == [("warned", 4), ("used_up", 5), ("warned", 8), ("used_up", 10)]


def test_a_lowered_budget_counts_what_was_used_today(db: ScratchDatabase) -> None:
    paced(db, 20, budget=10)
    send(db, 6)
    db.change("acme", budget=3)

    assert (send(db), waits_ms(db)) == (0, 15 * HOUR_MS)
    assert told(db) == [("used_up", 6)]


def test_a_budget_that_is_taken_away_and_set_again_is_no_second_one(db: ScratchDatabase) -> None:
    paced(db, 20, budget=5)
    send(db)
    db.change("acme", budget=0)
    without = send(db, 3)
    db.change("acme", budget=5)

    assert (without, send(db)) == (3, 0)
    assert_sound(db)


def test_it_counts_from_the_time_when_it_was_set(db: ScratchDatabase) -> None:
    paced(db, 20)
    send(db, 7)
    db.now_ms += HOUR_MS
    db.change("acme", budget=5)
    send(db, 2)

    state = db.view().state
    assert (state.budget_used, state.budget_since_ms) == (2, db.now_ms)


@pytest.mark.parametrize(
    ("zone", "waits_h"), [("Asia/Tokyo", 30), ("America/New_York", 20), ("Asia/Jerusalem", 13)]
)
def test_another_zone_ends_the_day_at_its_own_midnight_and_gives_no_second_budget(
    db: ScratchDatabase, zone: str, waits_h: int
) -> None:
    paced(db, budget=5)
    send(db)

    wake = db.change("acme", time_zone=zone).wake

    assert wake == (1,), "it is judged anew"
    assert (send(db), waits_ms(db)) == (0, waits_h * HOUR_MS)


def test_enabling_and_another_url_give_no_second_budget(db: ScratchDatabase) -> None:
    paced(db, budget=5)
    send(db)
    db.disable()
    db.enable()
    db.change("acme", url="https://elsewhere.example/")

    assert (send(db), status(db)) == (0, WebhookStatus.OVER_BUDGET)


def test_after_midnight_the_rate_still_holds(db: ScratchDatabase) -> None:
    paced(db, budget=2, rate_count=2, rate_ms=HOUR_MS)
    at(db, "2026-11-28T23:30:00+00:00")

    assert (send(db), waits_ms(db)) == (2, HOUR_MS + 1)


def test_a_clock_that_was_wrong_gives_neither_a_second_budget_nor_a_wait_of_years(
    db: ScratchDatabase,
) -> None:
    paced(db, budget=5)
    send(db)
    at(db, "2025-03-01T20:00:00+00:00")
    db.done(TrustClock(db.now_ms))

    assert (send(db), waits_ms(db)) == (0, 4 * HOUR_MS)
    assert_sound(db)


def test_tests_are_not_counted(db: ScratchDatabase) -> None:
    paced(db, budget=5)
    made = Attempt(at_ms=db.now_ms, url="", request_headers=(), outcome="delivered")
    db.done(RecordTest(webhook=1, test=WebhookTest("test_1", b"{}", made), now_ms=db.now_ms))

    assert db.view().state.budget_used == 0
