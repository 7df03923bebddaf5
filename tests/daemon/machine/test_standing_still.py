"""A daemon that stood still: what its time limits then end is no error of its receivers."""

import asyncio
import os
import select
import signal
import time
from itertools import count
from pathlib import Path

from hookbundle.engine.delivery.outcomes import AttemptLimits
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import daemon_in, event, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.running import running

HALTED = os.WSTOPPED | os.WNOWAIT
NAMES = ("one", "two", "three")
LIMIT_S = 2.0
LIMITS = AttemptLimits(connect_timeout_ms=1_000, total_timeout_ms=2_000)


async def test_after_sigstop_beside_slow_receivers_no_webhook_has_an_error(tmp_path: Path) -> None:
    """Stopped for longer than the time limit of the attempts that were under way."""
    settings = {"DELIVERY__TOTAL_TIMEOUT": "2s", "DELIVERY__CONNECT_TIMEOUT": "1s"}
    program, never = program_in(tmp_path, **settings), asyncio.Event()
    async with receiving() as receiver, running(program) as daemon:
        receiver.answers(*[Answer(after=never)] * len(NAMES), 200)
        for name in NAMES:
            await daemon.make(name, receiver, path=name)
            await daemon.accept(name, event("m1"))
        await receiver.until(len(NAMES))

        daemon.process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, daemon.process.pid, HALTED)
        began_s = time.monotonic()
        await asyncio.to_thread(_until, began_s + LIMIT_S + 2)
        daemon.process.send_signal(signal.SIGCONT)
        lines = count(1)  # a busy machine lets a daemon stand still for a moment, too
        while (await daemon.says("stood still", next(lines)))["seconds"] < LIMIT_S:
            pass
        await receiver.until(2 * len(NAMES))  # each is repeated after the first step
        hooks = [await daemon.hook(name) for name in NAMES]
        entries = [await daemon.get(f"/v1/workspaces/{name}/log") for name in NAMES]
        never.set()

    assert [hook["consecutive_errors"] for hook in hooks] == [0] * len(NAMES)
    assert [hook["state"] for hook in hooks] == ["enabled"] * len(NAMES)
    assert all("stood_still: " in str(entry) for entry in entries)


async def test_after_a_blocked_loop_no_webhook_has_an_error(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path, limits=LIMITS) as system:
        receiver.answers(*[Answer(after=asyncio.Event())] * len(NAMES), 200)
        for name in NAMES:
            await system.make(name, receiver, path=name)
            await system.accept(name, event("m1"))
        await receiver.until(len(NAMES))

        _until(time.monotonic() + LIMIT_S + 1)  # on the daemon's own loop
        await system.facts.until("delivery.unknown", len(NAMES))
        system.clock.move(10_000)
        await system.facts.until("delivery.delivered", len(NAMES))

        assert system.facts.known("delivery.failed") == []
        hooks = [await system.hook(name) for name in NAMES]
        assert [(h["consecutive_errors"], h["own_faults"]) for h in hooks] == [(0, 0)] * len(NAMES)


async def test_without_a_standstill_the_same_time_limit_counts(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path, limits=LIMITS) as system:
        receiver.answers(Answer(after=asyncio.Event()))
        await system.make("one", receiver)
        await system.accept("one", event("m1"))

        (failed,) = await system.facts.until("delivery.failed")

        assert failed["data"]["errors"] == 1
        assert failed["data"]["error"].startswith("timeout_total: ")


async def test_what_is_to_be_done_about_a_standstill_shows_where_it_stands_and_loses_nothing(
    tmp_path: Path,
) -> None:
    """As "What /readyz says" of the operations guide has it: SIGABRT, and a start."""
    program = program_in(tmp_path)
    async with receiving() as receiver:
        async with running(program) as daemon:
            await daemon.make("one", receiver, aggregation="24h")
            await daemon.accept("one", event("m1"))
            daemon.process.send_signal(signal.SIGABRT)
            _, said = await daemon.process.communicate()
            code = daemon.process.returncode
        async with running(program) as daemon:
            ready = await daemon.ask("GET", "/readyz")
            await daemon.ask("POST", "/v1/workspaces/one/chats/flush")
            await receiver.until(1)

    assert code == -signal.SIGABRT
    assert said.count(b"hread 0x") >= 2  # the loop's and the Store's
    assert b"/pykka/" in said
    assert ready.status == 200
    assert receiver.posts[0].message_ids == ["m1"]


def _until(end_s: float) -> None:
    """This thread does nothing else until then, as a machine does that stands still."""
    while (left_s := end_s - time.monotonic()) > 0:
        select.select([], [], [], left_s)
