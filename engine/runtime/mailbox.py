"""Mailboxes that schedule themselves, and the dispatcher that gives them their turns.

A mailbox is in one of two states. *Resting*: no mail, and nobody looks at it. *Scheduled*: it
waits in the dispatcher's queue, or its owner is in a turn, or a task finishes that turn. `put`
appends first and looks at the state second; the end of a turn rests first and looks for mail
second. So whatever the order of two threads, one of them sees the other, and no mail is left
lying in a resting mailbox. Only the dispatcher moves a mailbox from resting to scheduled, under
its lock, so a mailbox is in the queue at most once and its owner handles one message at a time.

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

from hookbundle.engine.runtime.pykka_seam import Letter

MESSAGES_PER_TURN = 16
TURNS_PER_PASS = 128
SHIFTED_ONE_BY_ONE_MAX = 8
"""Up to this length `pop(0)` on a list beats taking the lot and turning it round."""

_NOTHING: list[Letter] = []


class Owner(Protocol):
    def take_turn(self, mailbox: "Mailbox") -> None:
        """Handles some mail; sooner or later calls `mailbox.rest()`, exactly once."""


class Mailbox:
    """First in, first out, without a bound: who lets mail in has to bound it."""

    __slots__ = ("_arrived", "_taken", "dispatcher", "owner", "scheduled")

    def __init__(self) -> None:
        self._arrived: list[Letter] = []
        self._taken = _NOTHING  # in reverse, so that the next one is at the end
        self.scheduled = True  # not yet on a dispatcher: mail just waits for `attach`
        self.dispatcher: Dispatcher
        self.owner: Owner

    def attach(self, dispatcher: "Dispatcher", owner: Owner) -> None:
        """The owner gets a first turn soon, with mail or without."""
        self.dispatcher = dispatcher
        self.owner = owner
        self.scheduled = False
        dispatcher.schedule(self)

    def put(self, letter: Letter, /) -> None:
        """The letter will be in some turn of the owner.

        Raises:
            ActorDeadError: the event loop is closed, so there will be no more turns.
        """
        self._arrived.append(letter)
        if not self.scheduled:
            self.dispatcher.schedule(self)

    def empty(self) -> bool:
        return not self._taken and not self._arrived

    def get(self) -> Letter:
        """The oldest letter; only the owner in its turn may ask, and only if there is one."""
        if self._taken:
            return self._taken.pop()
        arrived = self._arrived
        count = len(arrived)
        if count <= SHIFTED_ONE_BY_ONE_MAX:
            return arrived.pop(0)
        self._taken = arrived[:count]
        del arrived[:count]
        self._taken.reverse()
        return self._taken.pop()

    def drain(self) -> list[Letter]:
        """Everything that is left, oldest first."""
        letters = []
        while not self.empty():
            letters.append(self.get())
        return letters

    def rest(self) -> None:
        """The turn is over; there will be another one if there is mail."""
        self.scheduled = False
        if self._arrived or self._taken:
            self.dispatcher.schedule(self)


class Dispatcher:
    """One per event loop: hands out turns, with at most one wake-up of the loop under way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        # Without a context of its own, every handler would run in that of whoever happened to
        # wake the loop, and log under a stranger's request id.
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
        """The mailbox waits for a turn, unless it did already or is in one."""
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
