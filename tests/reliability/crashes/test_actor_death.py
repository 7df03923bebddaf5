"""After any exception in any actor the daemon either goes on working or ends with an error.

It is never alive and idle.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.actors.chat import ChatActor
from hookbundle.actors.mailer import MailerActor
from hookbundle.actors.store import Store
from hookbundle.actors.timer import TimerActor
from hookbundle.actors.webhook import WebhookActor
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.server.feed.subscription import Feed
from hookbundle.server.http import listeners
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import (
    HOUR_MS,
    MINUTE_MS,
    System,
    connected,
    daemon_in,
    event,
    receiving,
)
from hookbundle.tests.mail_server import MailServer
from hookbundle.tests.program import program_in
from hookbundle.tests.reliability.crashes import leaving
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.running import Running, started

ENDS_WITHIN_S = 60.0  # on a busy machine
METHODS: dict[str, tuple[type, str]] = {
    "chat": (ChatActor, "_collect"),
    "webhook": (WebhookActor, "_send_some"),
    "mailer": (MailerActor, "_deliver"),
    "feed": (Feed, "committed"),
    "timer": (TimerActor, "_poll"),
    "store": (Store, "_serve"),
}
ESSENTIAL = ("timer", "store")


class OddError(BaseException):
    """A BaseException that Python does not know, as a debugger might raise it."""


ERRORS: tuple[Callable[[], BaseException], ...] = (
    RuntimeError,
    asyncio.CancelledError,
    OddError,
    *size((), (MemoryError, GeneratorExit)),
)


class Once:
    """The method raises the error at its first call; later calls work."""

    def __init__(
        self, patch: pytest.MonkeyPatch, owner: type, name: str, error: Callable[[], BaseException]
    ) -> None:
        self.raised = asyncio.Event()
        real, loop = getattr(owner, name), asyncio.get_running_loop()

        def fail_once(*arguments: Any, **options: Any) -> Any:
            if self.raised.is_set():
                return real(*arguments, **options)
            self.raised.set()  # at once, because the Store may call again from its own thread
            loop.call_soon_threadsafe(self.raised.set)
            raise error()

        patch.setattr(owner, name, fail_once)


@pytest.mark.parametrize("actor", METHODS)
@pytest.mark.parametrize("error", ERRORS)
async def test_the_daemon_goes_on_or_ends_but_is_never_alive_and_idle(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    actor: str,
    error: Callable[[], BaseException],
) -> None:
    monkeypatch.setattr(listeners, "SHUTDOWN_S", 0.1)
    policy = BackoffPolicy(steps_ms=(1,), errors_max=1)
    async with (
        MailServer(tmp_path) as server,
        receiving() as receiver,
        daemon_in(tmp_path, policy=policy, smtp=server.config(), stop_within_s=60.0) as system,
    ):
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m0"))
        once = Once(monkeypatch, *METHODS[actor], error)
        working = asyncio.ensure_future(work(system, receiver, server))
        await asyncio.wait_for(once.raised.wait(), ENDS_WITHIN_S)

        waited: set[asyncio.Future[Any]] = {working, system.daemon.failed}
        done, _ = await asyncio.wait(
            waited, timeout=ENDS_WITHIN_S, return_when=asyncio.FIRST_COMPLETED
        )
        ended = system.daemon.failed.done()
        working.cancel()
        if ended:
            await asyncio.wait_for(system.daemon.stop(), ENDS_WITHIN_S)
        else:
            assert working in done, "the daemon is alive, but idle"
            working.result()

    stops_all = error in (OddError, GeneratorExit) and actor != "feed"  # the feed is no actor
    assert ended == (actor in ESSENTIAL or stops_all)


async def work(system: System, receiver: HookReceiver, server: MailServer) -> None:
    """Messages, a delivery, and a mail; each is tried again, as real callers do."""
    receiver.answers(200)
    for number in range(3):
        await system.ask("POST", "/v1/workspaces/acme/messages", event(f"m{number}"))
    system.clock.move(HOUR_MS)
    while not receiver.at("hook"):
        system.clock.move(MINUTE_MS)
        await system.get("/v1/status")
    receiver.answers(500)
    await system.make("bad", receiver, "bad")
    await system.accept("bad", event("m"))
    while server.taken.empty():
        system.clock.move(MINUTE_MS)
        await system.get("/v1/status")
    assert receiver.at("hook")[0].message_ids[0] == "m0"


@pytest.mark.parametrize("actor", size(("chat", "store"), ("chat", "webhook", "timer", "store")))
async def test_an_actor_that_raises_system_exit_ends_the_process_as_failed(
    tmp_path: Path, actor: str
) -> None:
    program = program_in(tmp_path)
    process = await started(program, command=leaving.command(*METHODS[actor]))
    try:
        async with receiving() as receiver, connected(program.socket_path) as session:
            daemon = Running(session, process)
            if actor not in ESSENTIAL:
                await daemon.says("ready")
                await daemon.make("acme", receiver)
                with suppress(aiohttp.ClientError):
                    await daemon.ask("POST", "/v1/workspaces/acme/messages", event("m1"))
            async with asyncio.timeout(ENDS_WITHIN_S):
                ended_with = await daemon.ended()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert ended_with != 0
