"""A chat: it collects its messages in a window until the window's time is up.

The window itself is in the database; what the actor keeps is how much of its mail the Store has
not answered yet. It turns mail into transitions in the order in which it comes, and passes on
what they came to. Intake tells it `Collect`, the clock `Due`, the API `Flush`.

It never does I/O, never sends, and never decides by what it remembers: whether a message is a
duplicate, which window it opens and whether that is full is decided in the transition, where
nothing can be stale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import pykka

from hookbundle.actors.store import StoreDoor
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.loop_actor import LoopActor
from hookbundle.engine.message import Incoming, Skipped
from hookbundle.storage.accepting import Accepted, AcceptMessages, Quota
from hookbundle.storage.sealing import Sealed, SealWindow
from hookbundle.storage.transitions import Outcome


class ChatKey(NamedTuple):
    workspace_number: int
    chat_id: str


class Reply(Protocol):
    """Who waits for what becomes of a message."""

    def answer(self, outcome: Accepted | Sealed) -> None: ...

    def fail(self, error: HookbundleError) -> None: ...


@dataclass(frozen=True, slots=True)
class Collect:
    messages: tuple[Incoming, ...]
    skipped: tuple[Skipped, ...]
    reply: Reply


@dataclass(frozen=True, slots=True)
class Due:
    """The clock's row for this chat has come up."""

    at_ms: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Flush:
    """Somebody wants the window sealed now."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Settled:
    """The Store's answer to a transition of ours."""

    outcome: Outcome | HookbundleError
    reply: Reply


Inbox = Collect | Due | Flush | Settled


@dataclass(frozen=True, slots=True)
class ChatConfig:
    product_name: str
    quota: Quota


@dataclass(slots=True)
class ChatState:
    unanswered: int = 0


class ChatActor(LoopActor):
    def __init__(
        self,
        key: ChatKey,
        store: StoreDoor,
        clock: Clock,
        config: ChatConfig,
        wake: Callable[[int], None],
    ) -> None:
        super().__init__()
        self._key = key
        self._store = store
        self._clock = clock
        self._config = config
        self._wake = wake
        self._state = ChatState()

    def on_receive(self, message: Inbox) -> None:
        match message:
            case Collect():
                self._collect(message)
            case Due():
                self._seal(message.at_ms, message.reply)
            case Flush():
                self._seal(None, message.reply)
            case Settled():
                self._settled(message)

    def is_idle(self) -> bool:
        return not self._state.unanswered

    def _collect(self, message: Collect) -> None:
        transition = AcceptMessages(
            workspace_number=self._key.workspace_number,
            chat_id=self._key.chat_id,
            messages=message.messages,
            skipped=message.skipped,
            now_ms=self._clock.now_ms(),
            product_name=self._config.product_name,
            quota=self._config.quota,
        )
        self._submit(transition, message.reply)

    def _seal(self, due_ms: int | None, reply: Reply) -> None:
        transition = SealWindow(
            workspace_number=self._key.workspace_number,
            chat_id=self._key.chat_id,
            due_ms=due_ms,
            reason="flush" if due_ms is None else "time",
            now_ms=self._clock.now_ms(),
            product_name=self._config.product_name,
        )
        self._submit(transition, reply)

    def _submit(self, transition: AcceptMessages | SealWindow, reply: Reply) -> None:
        self._store.submit(transition, partial(self._pass_on, reply))
        self._state.unanswered += 1

    def _pass_on(self, reply: Reply, outcome: Outcome | HookbundleError) -> None:
        """The Store calls this between turns; what follows from it is done in one."""
        try:
            self.actor_ref.tell(Settled(outcome, reply))
        except pykka.ActorDeadError as exc:
            bury(self._key, Settled(outcome, reply), HookbundleError(str(exc)))

    def _settled(self, message: Settled) -> None:
        self._state.unanswered -= 1
        outcome = message.outcome
        if isinstance(outcome, HookbundleError):
            message.reply.fail(outcome)
            return
        assert isinstance(outcome, Accepted | Sealed)
        if outcome.wake:
            self._wake(self._key.workspace_number)
        message.reply.answer(outcome)


def bury(key: ChatKey, message: Inbox, error: HookbundleError) -> None:
    """What no actor will handle is answered all the same; what was stored, as stored."""
    if isinstance(message, Settled) and isinstance(message.outcome, Accepted | Sealed):
        message.reply.answer(message.outcome)
    else:
        message.reply.fail(error)
