"""The simulated world of the daemon: its machine, its peers, and one life after another.

Real: the daemon with its order of starting and stopping, the chats, the webhooks, the timer, the
mailers, the directories and supervisors, the Store's logic with its groups and refusals, all
transitions, and LMDB. Simulated, by one seed: time, the wall clock, the disk's room and power, the
receivers, the mail server. Left out: HTTP on both sides, threads, and the sync of commits (the data
is in memory; test_power_cut.py tests power cuts of a real disk). One more difference: a crash does
not reset the modules of this process, so a value in a global would survive it here.

`chronicle` has everything that can be observed from outside: the events of the feed, commit by
commit; requests at receivers and their answers; mails taken. `trace` is the same as text, and is
identical for the same seed. A crash is a power failure between two steps of the loop, or before or
after a commit: nothing that the daemon does then reaches the disk or a peer, and the next life
starts from what was committed.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, cast
from unittest.mock import patch

import pykka

from hookbundle.actors import due_work
from hookbundle.actors.mailer import SmtpConfig
from hookbundle.actors.store import StoreConfig
from hookbundle.engine.errors import HookbundleError
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.resources.sources.observing import Observations
from hookbundle.server.http.sockets.socket_files import SocketWatch
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.reads.feed import FeedEvent, FeedReader
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.reliability.simulation.machine import SimulatedDaemon
from hookbundle.tests.reliability.simulation.peers import (
    Answered,
    Began,
    MailTaken,
    Receivers,
    SimulatedMailServer,
    Stalls,
)
from hookbundle.tests.reliability.simulation.rendering import SimulatedRenderer
from hookbundle.tests.reliability.simulation.tenants import HELD_MAX, HELD_MS_MAX, WAITING_MAX
from hookbundle.tests.reliability.simulation.virtual_time import (
    SimulatedClock,
    SimulatedLoop,
    Wall,
)

BEGINNING_MS = 1_700_000_000_000
IN_MEMORY = Path("/dev/shm")
PAGE = 1_000_000
ANSWER_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Committed:
    """The events of one commit, or of several."""

    facts: tuple[FeedEvent, ...]


Happening = Committed | Began | Answered | MailTaken


class PowerLost(Exception):
    """The power failed before there was an answer."""


class World:
    def __init__(self, rng: Random, beginning_ms: int = BEGINNING_MS) -> None:
        self.rng = rng
        self._beginning_ms = beginning_ms
        self.chronicle: list[Happening] = []
        self.trace: list[str] = []
        self.wall = Wall(beginning_ms)
        self.stalls = Stalls(self.now_ms)
        self.receivers = Receivers(rng, self._happened, self.now_ms, self.stalls.within_ms)
        self.mail_server = SimulatedMailServer(self._happened)
        self._mailing = patch("aiosmtplib.send", self.mail_server.send)
        # A tenant holds few deliveries here, and shall need several steps for them all the same.
        self._stepping = patch.multiple(due_work, MOVE_AT_ONCE=1, ERASE_AT_ONCE=1)
        # Its look at the files, each ten seconds, is all that happens in most of the time.
        self._looking = patch.object(SocketWatch, "start", lambda _: None)
        # Without power it would wait for a commit that never comes.
        self._noting = patch.object(Observations, "close", self._closed(Observations.close))
        self._folder = tempfile.TemporaryDirectory(
            prefix="simulated-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None
        )
        self._heard = 0
        self._ended_s = 0.0
        self._mailing.start()
        self._stepping.start()
        self._looking.start()
        self._noting.start()

    # ---- lives

    def start(self) -> None:
        """The daemon has started and is ready."""
        self.loop = SimulatedLoop(self._ended_s)
        asyncio.set_event_loop(self.loop)
        self.clock = SimulatedClock(self.loop, self.wall)
        self.daemon: SimulatedDaemon = self._in_loop(self._daemon)
        self.write("start")
        self._run(self.daemon.start())
        self.loop.horizon = self.daemon.quiet_for_s

    def stop(self) -> None:
        """The daemon was told to stop, and has stopped."""
        self.write("stop")
        self._run(self.daemon.stop())
        self._end(self.loop.time())

    def crash(self) -> None:
        """The power has failed: nothing that the daemon did since then has any effect."""
        self.daemon.disk.dead = True
        self.write("crash")
        at_s = self.loop.time()
        self._read_feed()
        happened = self.chronicle
        self.chronicle = []
        self.loop.horizon = lambda: 0.0
        self._run(self.daemon.stop())  # closes the descriptors, as the kernel would
        self.chronicle = happened
        self._end(at_s)

    def close(self) -> None:
        if not self.loop.is_closed():
            self.daemon.disk.full = False
            self.crash()
        self._mailing.stop()
        self._stepping.stop()
        self._looking.stop()
        self._noting.stop()
        self._folder.cleanup()

    @property
    def wall_off_ms(self) -> int:
        return self.wall.ahead_ms - self._beginning_ms

    def step_wall(self, by_ms: int) -> None:
        self.write(f"> the wall clock is set by {by_ms} ms")
        self.wall.ahead_ms += by_ms

    def downtime(self, for_ms: int) -> None:
        self._ended_s += for_ms / 1_000

    # ---- what is done to the daemon

    def advance(self, by_ms: int) -> None:
        """Time passes, unless the power fails."""
        if not self.lost_power:
            self.loop.run_to(self.loop.time() + by_ms / 1_000)

    def ask(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """The daemon's answer.

        Raises: HookbundleError, as the daemon does; PowerLost, if the power failed before.
        """

        async def asking() -> Any:
            return await work()

        return self._run(asking())

    @property
    def lost_power(self) -> bool:
        """Whether the power has failed while something was under way."""
        return self.daemon.disk.dead

    @property
    def renders(self) -> bool:
        """Whether a body is being rendered."""
        return cast(SimulatedRenderer, self.daemon.traffic.rendering.renderer).busy

    def now_ms(self) -> int:
        return self.clock.now_ms()

    # ---- what is written down

    def write(self, line: str) -> None:
        clock = getattr(self, "clock", None)
        at_ms = clock.elapsed_ms() if clock else 0
        self.trace.append(f"{at_ms / 1_000:>12.3f} {line}")

    def trace_hash(self) -> str:
        return sha256("\n".join(self.trace).encode()).hexdigest()

    def _happened(self, happening: Began | Answered | MailTaken) -> None:
        if not self.lost_power:
            self.chronicle.append(happening)
            self.write(self._in_words(happening))

    def _read_feed(self) -> None:
        """Events committed since the last call are in the chronicle."""
        page = FeedReader(self.daemon.disk).read(self._heard, PAGE)
        assert not page.missed
        self._heard = page.after
        if page.events:
            self.chronicle.append(Committed(tuple(page.events)))
        for event in page.events:
            line = f"{event.type} {event.workspace} {event.chat} {event.data}"
            self.write(self.nameless(line))

    def nameless(self, text: str) -> str:
        """The text without the database's epoch, which is random and not drawn from the seed."""
        return text.replace(self.daemon.disk.identity.epoch, "*")

    def _in_words(self, happening: Began | Answered | MailTaken) -> str:
        match happening:
            case Began(request):
                line = f"request {request.delivery_id} to {request.url}: {request.mood}"
            case Answered(request):
                line = f"answered {request.delivery_id}: {request.mood}"
            case MailTaken(message_id, workspace_id, confirmed):
                line = f"mail {message_id} for {workspace_id} {confirmed=}"
        return self.nameless(line)

    # ---- the machinery

    def _closed(self, close: Callable[[Observations], Awaitable[None]]) -> Any:
        async def closed(observations: Observations) -> None:
            if not self.lost_power:
                await close(observations)

        return closed

    def _daemon(self) -> SimulatedDaemon:
        folder = Path(self._folder.name)
        config = DaemonConfig(
            data=folder / "data",
            listeners=ListenersConfig(folder / "run" / "control.sock"),
            store=StoreConfig(
                floor_bytes=1_000,
                reserve_bytes=4_096,
                retention=Retention(feed_events=PAGE, feed_ms=400 * 86_400_000),
            ),
            quota=Quota(HELD_MAX, HELD_MS_MAX, waiting_messages_max=WAITING_MAX),
            smtp=SmtpConfig(host="mail.example", security="none"),
            stop_within_s=10.0,
        )
        rng = Random(self.rng.random())
        parts = self.receivers.take, self._read_feed, self.stalls.sum_s
        return SimulatedDaemon(config, self.clock, rng, *parts)

    def _in_loop(self, make: Callable[[], Any]) -> Any:
        async def making() -> Any:
            return make()

        return self.loop.run_until_complete(making())

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        task = self.loop.create_task(work)
        task.add_done_callback(lambda _: self.loop.stop())
        self.loop.run_to(self.loop.time() + ANSWER_WITHIN_S)
        if not task.done():
            task.cancel()
            self.loop.run_to(self.loop.time())
            raise PowerLost
        self.loop.run_to(self.loop.time())
        error = task.exception()
        if isinstance(error, HookbundleError):
            raise error
        return task.result()

    def _end(self, at_s: float) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_to(self.loop.time())
        self.loop.close()
        asyncio.set_event_loop(None)
        assert not pykka.ActorRegistry.get_all(), "an actor has outlived its daemon"
        self._ended_s = at_s
