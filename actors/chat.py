"""A chat: it collects its messages in a window until the window's time is up.

The window itself is in the database, and so is its timer: a row of the due index, on which the
clock acts for many chats in one transition. The actor keeps nothing beside them. It turns mail into
transitions in the order in which it comes, and passes on what they came to. Intake tells it
`Collect`, the API `Flush`. It may be let go while the Store still has work of its: whoever takes
its place hands in theirs behind that.

It never does I/O, never sends, and never decides by what it remembers: whether a message is a
duplicate, which window it opens and whether that is full is decided in the transition, where
nothing can be stale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import msgspec

from hookbundle.actors.store_queue import StoreDoor
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.messages.message import Incoming, Skipped
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages, Quota
from hookbundle.storage.transitions.sealing import Sealed, SealWindow
from hookbundle.storage.transitions.table import Outcome


class ChatKey(NamedTuple):
    workspace_number: int
    chat_id: str


class Reply(Protocol):
    """Who waits for what becomes of a message."""

    def answer(self, outcome: Accepted | Sealed) -> None: ...

    def fail(self, error: HookbundleError) -> None: ...


class Collect(msgspec.Struct, frozen=True):
    """The messages of one request; made for each of its chats, so by msgspec, which is quicker."""

    messages: tuple[Incoming, ...]
    skipped: tuple[Skipped, ...]
    reply: Reply


@dataclass(frozen=True, slots=True)
class Flush:
    """Somebody wants the window sealed now."""

    reply: Reply


Inbox = Collect | Flush


@dataclass(slots=True)
class ChatConfig:
    """Shared by all chats; the daemon changes it when its configuration is read again."""

    product_name: str
    quota: Quota


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

    def on_receive(self, message: Inbox) -> None:
        match message:
            case Collect():
                self._collect(message)
            case Flush():
                self._flush(message)

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

    def _flush(self, message: Flush) -> None:
        transition = SealWindow(
            workspace_number=self._key.workspace_number,
            chat_id=self._key.chat_id,
            now_ms=self._clock.now_ms(),
            product_name=self._config.product_name,
        )
        self._submit(transition, message.reply)

    def _submit(self, transition: AcceptMessages | SealWindow, reply: Reply) -> None:
        try:
            self._store.submit(transition, partial(self._pass_on, reply))
        except HookbundleError as exc:
            reply.fail(exc)  # the Store has enough to do, or has stopped: no fault of this chat

    def _pass_on(self, reply: Reply, outcome: Outcome | HookbundleError) -> None:
        """The Store calls this between turns, which is soon enough: it changes nothing of ours."""
        if isinstance(outcome, HookbundleError):
            reply.fail(outcome)
            return
        assert isinstance(outcome, (Accepted, Sealed))
        if outcome.wake:
            self._wake(self._key.workspace_number)
        reply.answer(outcome)


def bury(_key: ChatKey, message: Inbox, error: HookbundleError) -> None:
    """What no actor will handle is answered all the same."""
    message.reply.fail(error)
