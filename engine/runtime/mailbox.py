"""Mailboxes that schedule themselves, and the dispatcher that gives them their turns.

A mailbox is in one of two states. *Resting*: it is empty and has no turn coming. *Scheduled*: it
is in the dispatcher's queue, or its owner is in a turn, or a task finishes that turn. `put` appends
first and checks the state second; the end of a turn rests first and checks for messages second. So
in whatever order two threads run, one of them sees the other's step, and no message stays behind in
a resting mailbox. Only the dispatcher moves a mailbox from resting to scheduled, under its lock, so
a mailbox is in the queue at most once and its owner handles one message at a time.

Turns are bounded twice: `MESSAGES_PER_TURN` keeps a busy mailbox from starving the others,
`TURNS_PER_PASS` keeps all of them together from starving the loop's sockets.

`put` may be called from any thread (a list's `append`, `pop(0)` and slice deletion are each one
step under the interpreter lock); everything else belongs to the loop's thread.
"""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import pykka

from hookbundle.engine.runtime.pykka_seam import Envelope

MESSAGES_PER_TURN = 16
TURNS_PER_PASS = 128
SHIFTED_ONE_BY_ONE_MAX = 8
"""Up to this length `pop(0)` on a list is faster than taking all of it and reversing it."""

_NOTHING: list[Envelope] = []


class Owner(Protocol):
    def take_turn(self, mailbox: "Mailbox") -> None:
        """Handles some messages; at the end, maybe later in a task, calls `mailbox.rest()` once."""


class Mailbox:
    """First in, first out, and unbounded: its senders have to bound what they put."""

    __slots__ = ("_arrived", "_taken", "dispatcher", "owner", "scheduled")

    def __init__(self) -> None:
        self._arrived: list[Envelope] = []
        self._taken = _NOTHING  # in reverse, so that the next one is at the end
        self.scheduled = True  # not yet on a dispatcher: messages wait for `attach`
        self.dispatcher: Dispatcher
        self.owner: Owner

    def attach(self, dispatcher: "Dispatcher", owner: Owner) -> None:
        """The owner gets a first turn soon, even without messages."""
        self.dispatcher = dispatcher
        self.owner = owner
        self.scheduled = False
        dispatcher.schedule(self)

    def put(self, envelope: Envelope, /) -> None:
        """A later turn of the owner will handle the envelope.

        Raises:
            ActorDeadError: the event loop is closed, so there will be no more turns.
        """
        self._arrived.append(envelope)
        if not self.scheduled:
            self.dispatcher.schedule(self)

    def empty(self) -> bool:
        return not self._taken and not self._arrived

    def get(self) -> Envelope:
        """As Pykka has it, but that it never waits: only if there is one."""
        envelope = self.take()
        assert envelope is not None
        return envelope

    def take(self) -> Envelope | None:
        """The oldest envelope; None if there is none. Only for the owner in its turn."""
        if self._taken:
            return self._taken.pop()
        arrived = self._arrived
        count = len(arrived)
        if count <= SHIFTED_ONE_BY_ONE_MAX:
            return arrived.pop(0) if count else None
        self._taken = arrived[:count]
        del arrived[:count]
        self._taken.reverse()
        return self._taken.pop()

    def drain(self) -> list[Envelope]:
        """All that are left, oldest first."""
        envelopes = []
        while (envelope := self.take()) is not None:
            envelopes.append(envelope)
        return envelopes

    def rest(self) -> None:
        """The turn is over; there will be another one if there are messages."""
        self.scheduled = False
        if self._arrived or self._taken:
            self.dispatcher.schedule(self)


class Dispatcher:
    """One per event loop: hands out turns, with at most one wake-up of the loop under way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        # Without a context of its own, a handler would run in the context of the request that
        # happened to wake the loop, and log under that request's id.
        self.context = contextvars.Context()
        self._ready: deque[Mailbox] = deque()
        self._lock = threading.Lock()
        self._woken = False
        self._tasks: set[asyncio.Task[Any]] = set()

    @staticmethod
    def running() -> "Dispatcher":
        """The dispatcher of the event loop that runs in this thread.

        Raises:
            RuntimeError: no event loop runs in this thread.
        """
        loop = asyncio.get_running_loop()
        mine: Dispatcher | None = getattr(_of_this_thread, "dispatcher", None)
        if mine is None or mine.loop is not loop:
            mine = _of_this_thread.dispatcher = Dispatcher(loop)
        return mine

    def schedule(self, mailbox: Mailbox) -> None:
        """The mailbox is in the queue for a turn, unless it was already or is in one."""
        with self._lock:
            if mailbox.scheduled:
                return
            mailbox.scheduled = True
            self._ready.append(mailbox)
            if self._woken:
                return
            self._woken = True
        try:
            self._wake()
        except RuntimeError as exc:
            self._woken = mailbox.scheduled = False
            raise pykka.ActorDeadError("the actors' event loop is closed") from exc

    def run_task(
        self, work: Coroutine[Any, Any, Any], then: Callable[["asyncio.Task[Any]"], None]
    ) -> None:
        """The work runs as a task; `then` is called when it is done, failed or cancelled."""
        task = self.loop.create_task(work)
        self._tasks.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._tasks.discard, context=self.context)
        task.add_done_callback(then, context=self.context)

    def _wake(self) -> None:
        if _runs_here(self.loop):
            self.loop.call_soon(self._pass, context=self.context)
        else:
            self.loop.call_soon_threadsafe(self._pass, context=self.context)

    def _pass(self) -> None:
        ready = self._ready
        try:
            for _ in range(min(len(ready), TURNS_PER_PASS)):
                mailbox = ready.popleft()
                mailbox.owner.take_turn(mailbox)
        finally:
            with self._lock:
                self._woken = bool(ready)
            if self._woken:
                self.loop.call_soon(self._pass, context=self.context)


# A thread runs one loop at a time, so its last dispatcher is the right one or an old one. A
# table by loop would keep every closed loop alive, because a dispatcher refers to its loop.
_of_this_thread = threading.local()


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
