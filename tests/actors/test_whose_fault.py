"""Whose fault it is that an attempt failed: the receiver's or ours. Neither can be gamed."""

from pathlib import Path

import pytest

from hookbundle.engine.delivery.backoff import STEPS_MS
from hookbundle.engine.delivery.outcomes import ErrorClass, NoResponse, Response
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.tests.actors.hooks import Webhooks, sending

FAR_MS = 1 << 60
NO_ROUTE = NoResponse(
    error=ErrorClass.NO_ROUTE, detail="there is no route to the host", sent=False, duration_ms=1
)
TIMED_OUT = NoResponse(
    error=ErrorClass.TIMEOUT_TOTAL, detail="no answer", sent=True, duration_ms=15_000
)
RESET = NoResponse(error=ErrorClass.RESET, detail="it ended", sent=True, duration_ms=1)
FULL = NoResponse(
    error=ErrorClass.LOOK_UPS_FULL, detail="too many look-ups", sent=False, duration_ms=1
)
LOCAL = NoResponse(error=ErrorClass.LOCAL, detail="no sockets", sent=False, duration_ms=1)
ANSWER = Response(status=503, headers=(), body=b"", truncated=False, duration_ms=14_999)
OK = Response(status=200, headers=(), body=b"", truncated=False, duration_ms=1)


async def attempts(hooks: Webhooks, ws: str, most: int) -> int:
    """So many attempts of the webhook at most, each after its wait; how many there were."""
    number = hooks.store.reads.workspace(ws).webhook.number
    for made in range(most):
        if not hooks.state(ws).enabled:
            return made
        await attempt(hooks, ws, number)
        hooks.store.clock.move(STEPS_MS[-1] * 2)
        now_ms = hooks.store.clock.now_ms()
        rows = tuple(DueReads(hooks.store.disk).due(DueKind.RETRY, now_ms, 100))
        await hooks.store.do(EndWaits(rows, now_ms))
    return most


async def attempt(hooks: Webhooks, ws: str, number: int) -> None:
    before = len(hooks.seen)

    def is_recorded() -> bool:
        return len(hooks.seen) > before and hooks.state(ws).flight is None

    hooks.wake(number)
    await hooks.store.until(is_recorded)


class Stalling:
    """A machine that stands still for some seconds in every attempt."""

    def __init__(self, each_s: float) -> None:
        self.each_s, self.sum_s, self.asked = each_s, 0.0, 0

    def __call__(self) -> float:
        self.asked += 1
        if self.asked % 2 == 0:  # asked before and after each attempt
            self.sum_s += self.each_s
        return self.sum_s


@pytest.mark.parametrize("result", [LOCAL, FULL])
async def test_descriptors_and_look_ups_of_ours_wait_and_do_not_count(
    tmp_path: Path, result: NoResponse
) -> None:
    async with sending(tmp_path) as hooks:
        hooks.client.says = lambda url: result
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")

        await attempts(hooks, "acme", 3)
        state = hooks.state()

        assert (state.consecutive_errors, state.own_faults, state.queued) == (0, 3, 1)
        assert hooks.seen == [("unknown", str(result.error))] * 3
        assert state.last_error.startswith(f"{result.error}: ")
        await attempts(hooks, "acme", 1)
        assert hooks.state().consecutive_errors == 1


async def test_a_time_limit_that_passed_while_we_stood_still_does_not_count(
    tmp_path: Path,
) -> None:
    async with sending(tmp_path) as hooks:
        hooks.traffic.stood_still_s = Stalling(1.0)
        hooks.client.says = lambda url: TIMED_OUT
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")

        await attempts(hooks, "acme", 1)

        state = hooks.state()
        assert (state.consecutive_errors, state.own_faults) == (0, 1)
        assert state.last_error.startswith("stood_still: ")


@pytest.mark.parametrize("result", [RESET, ANSWER])
async def test_a_reset_and_a_late_answer_count_also_while_we_stand_still(
    tmp_path: Path, result: NoResponse | Response
) -> None:
    async with sending(tmp_path) as hooks:
        hooks.traffic.stood_still_s = Stalling(20.0)
        hooks.client.says = lambda url: result
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")

        made = await attempts(hooks, "acme", 20)

        assert (made, hooks.state().enabled) == (11, False)


async def test_a_receiver_that_hangs_and_keeps_us_busy_each_time_is_disabled(
    tmp_path: Path,
) -> None:
    async with sending(tmp_path) as hooks:
        hooks.traffic.stood_still_s = Stalling(5.0)
        hooks.client.says = lambda url: TIMED_OUT
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")

        made = await attempts(hooks, "acme", 30)

        state = hooks.state()
        assert (made, state.enabled, state.disabled_reason) == (14, False, "errors")


async def test_less_than_a_second_excuses_nothing(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        hooks.traffic.stood_still_s = Stalling(0.99)
        hooks.client.says = lambda url: TIMED_OUT
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")

        await attempts(hooks, "acme", 1)

        assert hooks.state().consecutive_errors == 1


async def test_a_host_without_a_route_while_others_are_reached_is_disabled_and_mailed(
    tmp_path: Path,
) -> None:
    async with sending(tmp_path) as hooks:
        hooks.client.says = lambda url: NO_ROUTE if "2606:2800" in url else OK
        lost = await hooks.store.workspace(
            "lost", url="http://[2606:2800:220:1::9]/hook", owner_email="owner@lost.example"
        )
        sound = await hooks.workspace("sound")
        await hooks.enqueue(lost, "m1")
        made = 0
        while hooks.state("lost").enabled:
            await hooks.enqueue(sound, f"s{made}")
            await attempts(hooks, "sound", 1)
            made += await attempts(hooks, "lost", 1)

        state = hooks.state("lost")
        assert (made, state.disabled_reason) == (11, "errors")
        assert state.last_error == "no_route: there is no route to the host"
        mails = DueReads(hooks.store.disk).due(DueKind.MAIL, FAR_MS, 9)
        assert len(mails) == 2  # of the warning, and of the disabling
        assert hooks.state("sound").consecutive_errors == 0


async def test_one_host_without_a_route_and_no_other_at_all_counts_too(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        hooks.client.says = lambda url: NO_ROUTE
        number = await hooks.store.workspace("lost", url="http://[2606:2800:220:1::9]/hook")
        await hooks.enqueue(number, "m1")

        made = await attempts(hooks, "lost", 20)

        assert (made, hooks.state("lost").enabled) == (11, False)


async def test_when_nobody_can_be_reached_it_is_this_machine(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        hooks.client.says = lambda url: NO_ROUTE
        one = await hooks.store.workspace("one", url="http://192.0.2.1/hook")
        two = await hooks.store.workspace("two", url="http://198.51.100.1/hook")
        for ws, number in (("one", one), ("two", two)):
            await hooks.enqueue(number, "m1")
            await attempt(hooks, ws, number)

        first, second = hooks.state("one"), hooks.state("two")
        assert (first.consecutive_errors, first.own_faults) == (1, 0)  # none but it was known
        assert (second.consecutive_errors, second.own_faults) == (0, 1)
        assert second.last_error == "no_route: there is no route to anybody from this machine"


async def test_two_at_a_time_do_not_share_a_standstill_that_one_of_them_had(
    tmp_path: Path,
) -> None:
    async with sending(tmp_path) as hooks:
        sum_s = 0.0
        hooks.traffic.stood_still_s = lambda: sum_s
        hooks.client.says = lambda url: TIMED_OUT
        number = await hooks.workspace("acme")
        await hooks.enqueue(number, "m1")
        sum_s = 30.0  # before the attempt

        await attempts(hooks, "acme", 1)

        assert hooks.state().consecutive_errors == 1
