"""A daemon that is killed again and again under traffic, and everything observed of it.

    async with surviving(tmp_path, seed) as history:
        await history.dies_at("F9", 2)
        await history.dies_at_random()
        seen = await history.ends_well()
    assert not faults(seen)

A life is one run of the daemon. Every life has the same clients, deleter and operator (people.py).
They wait for events that they can observe, never for the clock. A client without an answer repeats
its request in the next life, or drops it, at random.
"""

import asyncio
import time
from asyncio import timeout
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any

import msgspec

from hookbundle.storage.database.opening import open_environment
from hookbundle.tests import feed_readers
from hookbundle.tests.feed_readers import Subscriber
from hookbundle.tests.in_process import Api, connected, daemon_in
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, program_in
from hookbundle.tests.reliability.harness import failpoints
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.reliability.harness.final_state import read_final_state
from hookbundle.tests.reliability.harness.people import Client, Daemon, Deleter, Operator
from hookbundle.tests.reliability.harness.recording_peers import (
    RecordingMailServer,
    RecordingReceiver,
)
from hookbundle.tests.reliability.harness.seen import Seen
from hookbundle.tests.running import Running, started

KINDS = {"single": "none", "bundle": "1s", "flaky": "none", "down": "none"}
CHATS = ("one", "two")
DRAIN_S = size(60, 600)
REQUESTS_A_LIFE = (1, 120)  # for each set of workspaces, until a kill at random


@asynccontextmanager
async def surviving(folder: Path, seed: int, of_each: int = 1) -> AsyncIterator["History"]:
    """A history without lives yet, with `of_each` workspaces of each kind."""
    seen, rng = Seen(), Random(seed)
    async with (
        RecordingReceiver(seen=seen, rng=rng) as receiver,
        RecordingMailServer(folder, seen=seen) as mail_server,
    ):
        program = program_in(
            folder,
            DELIVERY__BACKOFF="5ms",
            SMTP__HOST="127.0.0.1",
            SMTP__PORT=str(mail_server.port),
            SMTP__SECURITY="none",
        )
        yield History(folder, program, seen, receiver, rng, of_each)


@dataclass(slots=True)
class Life:
    running: Running
    daemon: Daemon


class History:
    def __init__(
        self,
        folder: Path,
        program: Program,
        seen: Seen,
        receiver: RecordingReceiver,
        rng: Random,
        of_each: int,
    ) -> None:
        self.seen = seen
        self._folder = folder
        self._program = program
        self._receiver = receiver
        self._rng = rng
        self._of_each = of_each
        self._names = [f"{kind}{number}" for number in range(of_each) for kind in KINDS]
        self._clients = [
            Client(ws, chat, seen, receiver, Random(rng.random()))
            for ws in self._names
            for chat in CHATS
        ]
        self._deleter = Deleter(seen, receiver)
        self._operator = Operator(seen, receiver, self._deleter)

    async def dies_while_made(self, nth: int) -> None:
        """A life that ends at F15, while the database is made: there is nothing to observe yet."""
        command = [*failpoints.command("F15", nth), "run"]
        process = await asyncio.create_subprocess_exec(*command, env=self._program.env)
        async with timeout(TIMEOUT_S):
            assert await process.wait() == -SIGKILL, f"F15 was not passed {nth} times"
        self.seen.killed.append("F15")

    async def begins(self) -> None:
        """The workspaces exist."""
        async with daemon_in(self._folder) as system:
            for ws in self._names:
                kind = KINDS[ws.rstrip("0123456789")]
                await system.make(ws, self._receiver, ws, aggregation=kind)

    async def dies_at(self, point: str, nth: int) -> None:
        """A life under traffic that ends when the point is passed for the n-th time."""
        receiver = self._receiver
        command = [PROGRAM] if point == "F7" else failpoints.command(point, nth)
        async with self._life(command) as life:
            if point == "F7":
                receiver.hold(nth)
                async with timeout(TIMEOUT_S):
                    await receiver.held.wait()
                receiver.held.clear()
                life.running.process.kill()
            if point == "F17":
                await self._until_news(nth * 5)
                life.running.process.terminate()
            assert await life.running.ended() == -SIGKILL, f"{point} was not passed {nth} times"
        self.seen.killed.append(point)

    async def dies_at_random(self) -> None:
        """A life that ends at a random moment: after a random number of requests."""
        async with self._life([PROGRAM]) as life:
            await self._until_news(self._rng.randint(*REQUESTS_A_LIFE) * self._of_each)
            life.running.process.kill()
            assert await life.running.ended() == -SIGKILL
        self.seen.killed.append("random")

    async def dies_when_all_was_seen(self) -> None:
        """A life that ends once an event of every class has happened, in this life or before.

        After a timeout the life ends anyway; the test's `Planned.check` then names what is missing.
        """
        async with self._life([PROGRAM]) as life:
            with suppress(TimeoutError):
                async with timeout(TIMEOUT_S):
                    await self._receiver.wait_for(lambda: all(self.seen.classes().values()))
            life.running.process.kill()
            assert await life.running.ended() == -SIGKILL
        self.seen.killed.append("all seen")

    async def ends_well(self) -> Seen:
        """All receivers answer 200, everything was delivered, and the final state is read."""
        self._receiver.honest = True
        async with self._life([PROGRAM], with_people=False) as life:
            for shown in (await life.daemon.ask("GET", "/v1/workspaces?limit=500")).document[
                "workspaces"
            ]:
                at = f"/v1/workspaces/{shown['id']}"
                await life.daemon.ask("POST", f"{at}/webhook/enable")
                await life.daemon.ask("POST", f"{at}/deliveries/retry")  # what enabling leaves
                await life.daemon.ask("POST", f"{at}/chats/flush")
            try:
                async with _subscribed(self._program, "oldest") as feed, timeout(DRAIN_S):
                    await _all_is_done(life.daemon, feed)
            except TimeoutError:
                self.seen.unfinished = True
            life.running.process.terminate()
            assert await life.running.ended() == 0
        read_final_state(open_environment(self._folder / "data", 0), self.seen)
        return self.seen

    async def _until_news(self, requests: int) -> None:
        wanted = len(self.seen.posted) + requests
        async with timeout(TIMEOUT_S):
            await self._receiver.wait_for(lambda: len(self.seen.posted) >= wanted)

    @asynccontextmanager
    async def _life(self, command: list[str], *, with_people: bool = True) -> AsyncIterator[Life]:
        """A daemon and its clients; both have ended afterwards.

        Work left by the life before may take the daemon past its failpoint before it is ready. Then
        there are no clients.
        """
        process = await started(self._program, command=command)
        began_s = time.monotonic()
        async with AsyncExitStack() as closing:
            closing.push_async_callback(_ended, process)
            session = await closing.enter_async_context(connected(self._program.socket_path))
            life = Life(Running(session, process), Daemon(Api(session)))
            if not await _is_ready(process):
                yield life
                return
            waited_s = _waited_for_a_processor_s(process.pid)
            self.seen.starts_s.append(time.monotonic() - began_s - waited_s)
            people = await closing.enter_async_context(asyncio.TaskGroup())
            if with_people:
                for person in self._people(life.daemon):
                    people.create_task(person)
            try:
                yield life
            finally:
                life.daemon.ended = True
                await self._receiver.news()

    def _people(self, daemon: Daemon) -> Iterator[Coroutine[Any, Any, None]]:
        yield self._deleter.create_and_delete(daemon)
        yield self._watch(daemon)
        for client in self._clients:
            yield client.send_all(daemon, self._clients)

    async def _watch(self, daemon: Daemon) -> None:
        try:
            async with _subscribed(self._program, "now") as feed:
                await self._operator.watch(daemon, feed, self._names)
        except OSError:
            return  # it was killed before the operator had connected


async def _is_ready(process: asyncio.subprocess.Process) -> bool:
    """False if the process ended before it was ready."""
    assert process.stderr is not None
    async with timeout(TIMEOUT_S):
        while line := await process.stderr.readline():
            if b'"event": "ready"' in line:
                return True
    return False


def _waited_for_a_processor_s(pid: int) -> float:
    """How long the process was runnable without a CPU: a delay that the daemon can't help.

    The second field of /proc/PID/schedstat.
    """
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.communicate()


@asynccontextmanager
async def _subscribed(program: Program, since: str) -> AsyncIterator[Subscriber]:
    """A reader of the feed from `since` on; the server has sent its hello."""
    path = str(program.socket_path.with_name("feed.sock"))
    hello = msgspec.json.encode({"hello": 1, "format": "ndjson", "since": since}) + b"\n"
    async with feed_readers.connected(path, hello) as feed:
        await feed.hear()
        yield feed


async def _all_is_done(daemon: Daemon, feed: Subscriber) -> None:
    """No window and no delivery is left, and nothing is to be erased. A mail may wait an hour."""
    erasing: set[tuple[str, str]] = set()
    known = 0  # the last event at the time of the last request for the status
    while (frame := await feed.hear()) is not None:
        kind, scope = frame["type"], (frame.get("workspace", ""), frame.get("chat", ""))
        if kind in ("workspace.deleted", "chat.deleted"):
            erasing.add(scope)
        if kind == "chat.erased":
            erasing.discard(scope)
        if kind == "workspace.erased":
            erasing = {each for each in erasing if each[0] != scope[0]}
        if frame.get("seq", 0) < known or erasing:
            continue
        status = (await daemon.ask("GET", "/v1/status")).document
        known = status["feed"]["next"] - 1
        waits = sum(status[name] for name in ("windows", "queued", "dead_letters"))
        if not waits and frame.get("seq") == known:
            return
    raise TimeoutError("the feed ended before everything was done")
