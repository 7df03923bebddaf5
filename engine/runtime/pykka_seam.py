"""The only place that knows a private name of Pykka.

Pykka allows new kinds of actors, but the names needed for one are underscored. Each of them that
hookbundle uses is here, under a public name; `setup.cfg` pins Pykka's version, and
`tests/engine/runtime/test_pykka_seam.py` fails when a name is gone or has another shape.

`SeamActor` does not run `pykka.Actor.__init__`: that makes a random URN, a `threading.Event` and a
reference with every actor, which together are more than half of its bytes. The reference is made
on first use, the URN is a number, and the event is `StopFlag`.
"""

import abc
import itertools
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import pykka
from pykka import _envelope, messages

if TYPE_CHECKING:
    Envelope: TypeAlias = _envelope.Envelope[Any]
else:
    Envelope = _envelope.Envelope  # calling the generic alias takes five times as long
"""A message in a mailbox: `message`, and `reply_to`, a promise if it was sent by `ask`."""

STOP = messages._ActorStop()
"""The message after which an actor handles nothing more."""

_OWN_MESSAGES = frozenset(
    (
        messages._ActorStop,
        messages.ProxyCall,
        messages.ProxyGetAttr,
        messages.ProxySetAttr,
    )
)
_numbers = itertools.count(1)


def is_stop(envelope: Envelope) -> bool:
    return isinstance(envelope.message, messages._ActorStop)


class StopFlag:
    """What Pykka needs of `actor_stopped`, without a `threading.Event`'s lock: no thread waits.

    `stopped`: as `is_set()`, for those who look at each message.
    """

    __slots__ = ("stopped",)

    def __init__(self) -> None:
        self.stopped = False

    def is_set(self) -> bool:
        return self.stopped

    def set(self) -> None:
        self.stopped = True


class SeamActor(pykka.Actor):
    """A `pykka.Actor` whose inner hooks have public names; `LoopActor` is made of it."""

    actor_stopped: StopFlag  # type: ignore[assignment]
    _actor_ref: "pykka.ActorRef[Any] | None"  # type: ignore[assignment]

    def __init__(self, urn: str | None = None) -> None:
        self.actor_urn = urn or f"urn:hookbundle:actor:{next(_numbers)}"
        self.actor_inbox = self.new_inbox()
        self.actor_stopped = StopFlag()
        self._actor_ref = None

    @property
    def actor_ref(self) -> "pykka.ActorRef[Self]":
        if self._actor_ref is None:
            self._actor_ref = pykka.ActorRef(self)
        return self._actor_ref

    @staticmethod
    @abc.abstractmethod
    def new_inbox() -> Any:
        """An empty inbox."""

    @staticmethod
    @abc.abstractmethod
    def new_promise() -> pykka.Future[Any]:
        """What `ask` returns."""

    @abc.abstractmethod
    def begin(self) -> None:
        """The actor takes messages from now on."""

    @abc.abstractmethod
    def retire(self) -> None:
        """The actor has stopped as asked, and `on_stop` has run."""

    def receive(self, message: Any) -> Any:
        """Handles any message, Pykka's own ones or one for `on_receive`; returns the answer."""
        if type(message) in _OWN_MESSAGES:
            return self._handle_receive(message)
        return self.on_receive(message)

    def report_failure(self, error: BaseException) -> None:
        """The error is in Pykka's log, and the actor is stopped and in no registry."""
        self._handle_failure(type(error), error, error.__traceback__)

    @classmethod
    def _create_actor_inbox(cls) -> Any:
        return cls.new_inbox()

    @classmethod
    def _create_future(cls) -> pykka.Future[Any]:
        return cls.new_promise()

    def _start_actor_loop(self) -> None:
        self.begin()

    def _stop(self) -> None:
        self.retire()
