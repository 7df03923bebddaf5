"""The actor of one chat: messages are collected in a window until the window's time is up.

The window is in the database, and so is its timer: a row of the due index, on which `TimerActor`
acts for many chats in one transition. The actor turns its messages into transitions in the order in
which they arrive, and passes each transition's result on. The API sends it `Collect` for new
messages, `Alter` for edits and deletions, and `Flush` to send a window now.

It holds the head of its chat (chat_records.py): the chat's record, decoded, as the last messages
left it. It hands the head to each transition with messages, which finds that this is what the
database has, and decodes nothing, or that it is not. The actor itself never looks inside.

It may be passivated while the Store still has work of it. Nothing is lost: the callbacks are with
the work, and a new activation submits to the same queue, so its work is done later.

It does no I/O and sends no request. Whether a message is a duplicate, which window it opens and
whether that window is full is decided in the transition, where nothing can be stale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, Protocol, assert_never

import msgspec

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.messages.changes import Change
from hookbundle.engine.messages.message import Incoming, Skipped
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.database.chat_records import Head
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.changing.changing import ChangeMessages, ChangesMade
from hookbundle.storage.transitions.sealing import Sealed, SealWindow
from hookbundle.storage.transitions.table import Result


class ChatKey(NamedTuple):
    workspace_number: int
    chat_id: str


class ReplyTo(Protocol):
    """Waits for the result of a message; exactly one of the two methods is called, once."""

    def answer(self, result: Accepted | Sealed | ChangesMade) -> None: ...

    def fail(self, error: HookbundleError) -> None: ...


class Collect(msgspec.Struct, frozen=True):
    """The messages of one request for this chat. A msgspec Struct because it is made often."""

    messages: tuple[Incoming, ...]
    skipped: tuple[Skipped, ...]
    reply: ReplyTo


@dataclass(frozen=True, slots=True)
class Flush:
    """Seal the open windows now; with a webhook's number, only that of this one.

    `reason`, `note`: as of `SealWindow`.
    """

    reply: ReplyTo
    webhook: int = 0
    reason: Literal["flush", "close"] = "flush"
    note: str = ""


class Alter(msgspec.Struct, frozen=True):
    """Edits and deletions of one request for this chat."""

    changes: tuple[Change, ...]
    reply: ReplyTo


Inbox = Collect | Flush | Alter


@dataclass(slots=True)
class ChatConfig:
    """Shared by all chats; the daemon changes it when it reads its configuration again."""

    product_name: str
    quota: Quota


@dataclass(slots=True)
class ChatState:
    """`head`: from the second message on, while the actor is active. Most chats that get a message
    get no other for a long time, and what is kept for them would only cost memory."""

    has_collected: bool = False
    head: Head | None = None


class ChatActor(LoopActor):
    def __init__(
        self,
        key: ChatKey,
        store: StoreQueue,
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

    def on_stop(self) -> None:
        if self._state.head is not None:
            self._store.heads.let_go(self._state.head)

    def on_receive(self, message: Inbox) -> None:
        match message:
            case Collect():
                self._collect(message)
            case Flush():
                self._flush(message)
            case Alter():
                self._alter(message)
            case _:
                assert_never(message)

    def _collect(self, message: Collect) -> None:
        state = self._state
        if state.has_collected and state.head is None:
            state.head = Head()
        state.has_collected = True
        transition = AcceptMessages(
            workspace_number=self._key.workspace_number,
            chat_id=self._key.chat_id,
            messages=message.messages,
            skipped=message.skipped,
            now_ms=self._clock.now_ms(),
            product_name=self._config.product_name,
            quota=self._config.quota,
            head=state.head,
        )
        self._submit(transition, message.reply)

    def _flush(self, message: Flush) -> None:
        transition = SealWindow(
            workspace_number=self._key.workspace_number,
            chat_id=self._key.chat_id,
            now_ms=self._clock.now_ms(),
            product_name=self._config.product_name,
            webhook=message.webhook,
            reason=message.reason,
            note=message.note,
        )
        self._submit(transition, message.reply)

    def _alter(self, message: Alter) -> None:
        transition = ChangeMessages(
            workspace_number=self._key.workspace_number,
            chat_id=self._key.chat_id,
            changes=message.changes,
            now_ms=self._clock.now_ms(),
            product_name=self._config.product_name,
            quota=self._config.quota,
        )
        self._submit(transition, message.reply)

    def _submit(
        self, transition: AcceptMessages | SealWindow | ChangeMessages, reply: ReplyTo
    ) -> None:
        try:
            self._store.submit(transition, partial(self._pass_on, reply))
        except HookbundleError as exc:
            reply.fail(exc)  # the Store is overloaded or has stopped; this actor itself is fine

    def _pass_on(self, reply: ReplyTo, result: Result | HookbundleError) -> None:
        """The Store calls this, outside the actor's turns: it must not touch the actor's state."""
        if isinstance(result, HookbundleError):
            reply.fail(result)
            return
        assert isinstance(result, (Accepted, Sealed, ChangesMade))
        for webhook in result.wake:
            self._wake(webhook)
        reply.answer(result)


def answer_dead_letter(_key: ChatKey, message: Inbox, error: HookbundleError) -> None:
    """A message that no actor will handle fails; its sender is not left waiting."""
    message.reply.fail(error)
