"""A webhook's rate: what goes over it waits, and nobody and nothing passes it."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from hookbundle.engine.delivery.outcomes import Outcome
from hookbundle.engine.delivery.states import WebhookStatus
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.transitions.attempting import Begun, Idle
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import CUT, NO, OK, START_MS, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import retry, retry_dead_letters
from hookbundle.tests.storage.transitions.pacing.sending import paced, send, status, waits_ms

PERIOD_MS = 10_000
RATE: dict[str, Any] = {"rate_count": 3, "rate_ms": PERIOD_MS}
NO_RATE: dict[str, Any] = {"rate_count": 0, "rate_ms": 0}


def test_a_burst_goes_and_the_rest_waits_without_an_error(db: ScratchDatabase) -> None:
    number = paced(db, **RATE)

    sent = send(db)

    state = db.view().state
    assert (sent, waits_ms(db), status(db)) == (3, PERIOD_MS + 1, WebhookStatus.OVER_BUDGET)
    assert (state.consecutive_errors, state.last_error, state.enabled) == (0, "", True)
    assert db.reads.ready(0, 10) == []
    assert db.dues(DueKind.RETRY) == [Due(START_MS + PERIOD_MS + 1, DueKind.RETRY, number)]
    db.wait()
    assert (status(db), db.reads.ready(0, 10)) == (WebhookStatus.ENABLED, [number])
    assert send(db) == 3
    assert_sound(db)


def test_the_answer_of_an_attempt_is_the_next_one_only_within_the_rate(db: ScratchDatabase) -> None:
    paced(db, **RATE)
    begun = db.begun()
    for _ in range(2):
        following = db.finish(begun, OK, go_on=True)
        assert isinstance(following, Begun)
        begun = following

    assert db.finish(begun, OK, go_on=True) == Idle()
    assert status(db) is WebhookStatus.OVER_BUDGET


def test_a_webhook_with_an_empty_queue_is_not_shown_to_wait(db: ScratchDatabase) -> None:
    paced(db, 3, **RATE)
    assert send(db) == 3

    assert (status(db), waits_ms(db)) == (WebhookStatus.ENABLED, 0)
    db.accept("late")
    assert send(db) == 0
    assert status(db) is WebhookStatus.OVER_BUDGET


def test_what_waited_and_was_discarded_leaves_no_wait(db: ScratchDatabase) -> None:
    paced(db, 5, **RATE)
    send(db)
    db.enable(discard=True)

    assert (status(db), waits_ms(db)) == (WebhookStatus.ENABLED, 0)


def test_slow_requests_count_from_their_ends_on(db: ScratchDatabase) -> None:
    paced(db, rate_count=1, rate_ms=PERIOD_MS)
    begun = db.begun()
    db.now_ms += 9_000
    db.finish(begun, OK)

    assert (send(db), waits_ms(db)) == (0, PERIOD_MS + 1)


@pytest.mark.parametrize("outcome", [OK, failed(), NO, CUT])
def test_every_attempt_counts_however_it_ends(db: ScratchDatabase, outcome: Any) -> None:
    paced(db, rate_count=1, rate_ms=3_600_000)
    db.finish(db.begun(), outcome)
    db.now_ms += 20_000  # the wait after a first error is over
    db.wait()

    assert db.begin() == Idle()
    assert db.view().state.retry_ms == START_MS + 3_600_001


def test_the_longer_of_two_waits_is_the_one_that_is_shown(db: ScratchDatabase) -> None:
    paced(db, rate_count=2, rate_ms=PERIOD_MS)
    db.finish(db.begun(), failed(retry_after_ms=60_000), go_on=True)
    after_an_error = status(db), waits_ms(db)
    db.change("acme", rate_count=1, rate_ms=3_600_000)
    send(db)

    assert after_an_error == (WebhookStatus.BACKING_OFF, 60_000)
    assert (status(db), waits_ms(db)) == (WebhookStatus.OVER_BUDGET, 3_600_001)


def test_a_retry_does_not_pass_the_rate_and_says_until_when_it_waits(db: ScratchDatabase) -> None:
    paced(db, rate_count=1, rate_ms=3_600_000)
    db.finish(db.begun(), failed())

    retried = retry(db, 1)

    assert (retried.wake, retried.waits_until_ms) == ((), START_MS + 3_600_001)
    assert db.begin() == Idle()
    assert len(db.events("delivery.retried")) == 1
    db.wait()
    assert db.begun().delivery.number == 1
    assert_sound(db)


def test_dead_letters_that_are_retried_wait_too(db: ScratchDatabase) -> None:
    paced(db, 2)
    for _ in range(3):
        db.attempt(NO)
    db.change("acme", rate_count=1, rate_ms=3_600_000)
    db.attempt(OK)

    retried = retry_dead_letters(db)

    assert (retried.returned, retried.wake, retried.waits_until_ms > db.now_ms) == (1, (), True)


def test_a_retry_of_a_webhook_that_may_send_waits_for_nothing(db: ScratchDatabase) -> None:
    number = paced(db, **RATE)
    db.finish(db.begun(), failed())

    retried = retry(db, 1)

    assert (retried.wake, retried.waits_until_ms) == ((number,), 0)


def test_a_restart_and_a_lost_attempt_change_nothing(db: ScratchDatabase) -> None:
    paced(db, **RATE)
    send(db, 2)
    db.begun()
    db.now_ms += 4_000
    db.reopen()

    assert db.begin() == Idle()
    # It may have come to the receiver until the daemon died, so that counts until then.
    assert waits_ms(db) == 6_001
    db.wait()
    assert send(db) == 2
    assert waits_ms(db) == 4_000


def test_a_request_that_went_out_twice_counts_twice(db: ScratchDatabase) -> None:
    paced(db, **RATE)
    begun = db.begun()
    assert begun.may_repeat
    db.finish(begun, OK, requests=2)

    last = db.begun()

    assert not last.may_repeat, "there is one left, and it is this one"
    db.finish(last, OK)
    assert send(db) == 0


def test_without_rate_and_budget_every_request_may_go_out_again(db: ScratchDatabase) -> None:
    paced(db)

    assert db.begun().may_repeat
    state = db.view().state
    assert (state.rate_used, state.rate_from_ms, state.budget_day_ms) == ((), 0, 0)


@pytest.mark.parametrize("changes", [{"rate_count": 5}, NO_RATE])
def test_another_rate_is_in_force_at_once(db: ScratchDatabase, changes: dict[str, Any]) -> None:
    number = paced(db, **RATE)
    send(db)

    assert db.change("acme", **changes).wake == (number,)
    assert send(db) == (2 if changes["rate_count"] else 6)
    assert_sound(db)


def test_a_lowered_rate_counts_what_was_sent(db: ScratchDatabase) -> None:
    paced(db, **RATE)
    send(db, 2)
    db.change("acme", rate_count=2)

    assert (send(db), waits_ms(db)) == (0, PERIOD_MS + 1)


def test_another_url_and_enabling_give_no_second_burst(db: ScratchDatabase) -> None:
    paced(db, **RATE)
    send(db)
    db.change("acme", url="https://elsewhere.example/")
    after_url = send(db)
    db.disable()
    db.enable()

    assert (after_url, send(db)) == (0, 0)
    assert status(db) is WebhookStatus.OVER_BUDGET


def test_a_rate_is_told_as_it_is_written(db: ScratchDatabase) -> None:
    paced(db, **RATE)
    db.change("acme", rate_count=5)
    db.change("acme", **NO_RATE)

    told = [fact["data"]["changes"] for fact in db.events("workspace.changed")]
    assert told == [{"rate": "5/10s"}, {"rate": "none"}]
    assert [line.detail for line in db.reads.activity("acme")][:2] == [
        "rate none, by test",
        "rate 5/10s, by test",
    ]


def test_a_clock_that_was_wrong_lets_nothing_wait_for_years(db: ScratchDatabase) -> None:
    paced(db, **RATE)
    send(db)
    db.now_ms -= 365 * 86_400_000
    db.done(TrustClock(db.now_ms))

    assert (send(db), waits_ms(db)) == (0, PERIOD_MS + 1)
    assert_sound(db)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_no_stretch_has_more_requests_than_the_rate(
    db: ScratchDatabase, seed: int
) -> None:
    """Requests reach the receiver at any time between begin and end; many ends are lost."""
    rng = random.Random(seed)
    count, period_ms, set_ms = 4, PERIOD_MS, START_MS
    paced(db, 1, rate_count=count, rate_ms=period_ms)
    came: list[int] = []
    outcomes: list[Outcome] = [OK, OK, failed(), CUT]
    stretches: list[tuple[int, int, int, list[int]]] = []

    def change() -> None:
        nonlocal count, period_ms, set_ms, came
        stretches.append((count, period_ms, set_ms, came))
        count, period_ms, set_ms = rng.randint(1, 6), rng.choice((2_000, PERIOD_MS)), db.now_ms
        came = []
        db.change("acme", rate_count=count, rate_ms=period_ms)

    def attempt() -> None:
        begun = db.begin()
        if isinstance(begun, Begun):
            began_ms = db.now_ms
            db.now_ms += rng.choice((0, 3, 700, 4_000))
            came.append(rng.randint(began_ms, db.now_ms))
            twice = begun.may_repeat and rng.random() < 0.2
            if twice:
                came.append(rng.randint(came[-1], db.now_ms))
            if rng.random() < 0.8:
                db.finish(begun, rng.choice(outcomes), requests=1 + twice)
            elif twice:
                came.pop()  # nobody knows of it: see the decision

    acts: list[Callable[[], object]] = [
        *[attempt] * 40,
        *[lambda: db.accept(*(f"m{rng.random()}" for _ in range(9)))] * 3,
        lambda: retry(db, rng.randint(1, 20)),
        db.reopen,
        db.enable,
        *[db.wait] * 8,
        change,
    ]
    for _ in range(800):
        db.now_ms += rng.choice((0, 0, 0, 1, 50, 900))
        try:
            rng.choice(acts)()
        except HookbundleError:
            continue  # nothing to retry

    change()
    assert sum(len(each) for *_, each in stretches) > 100
    for most, length_ms, _, times in stretches:
        for number, at_ms in enumerate(times[most:]):
            assert at_ms - times[number] > length_ms
    assert_sound(db)
