"""`LoopActor`: a Pykka actor that lives on the asyncio loop instead of a thread of its own.

It behaves as Pykka documents: `tell`, `ask`, proxies, `on_start`, `on_stop`, `on_failure`, `stop`,
`ActorDeadError`. A handler that returns at once runs inline; one that returns a coroutine is
awaited in a task, and the mailbox waits until that task is done. So there is always one message
at a time, a task only for an actor that is busy, and no task for one that rests.

What is different, and why:
- `start()` has to be called on the loop's thread; the actor belongs to that loop.
- `await ref.ask(message, block=False)` really waits; a blocking `ask` on the loop is an error.
- An ask that arrives after the last turn gets `ActorDeadError`; on a thread it waits for ever.
- An ask is answered with `ActorDeadError` too when a BaseException stops the actor.
- A `CancelledError` is a failure of that handler. If the actor's own task was cancelled, which
  happens when the loop is closed down, the actor fails as well.
- SystemExit and KeyboardInterrupt stop all actors, as in Pykka, and then end the loop.
"""

import asyncio
from types import CoroutineType
from typing import Any, NamedTuple, Protocol, Self

import pykka

from hookbundle.engine.runtime.mailbox import MESSAGES_PER_TURN, Dispatcher, Mailbox
from hookbundle.engine.runtime.promise import Promise
from hookbundle.engine.runtime.pykka_seam import STOP, Envelope, SeamActor, is_stop


class Failure(NamedTuple):
    """Why an actor died. `envelope` is the message it failed on, None if `on_start` failed.

    If that message was an ask, it has been answered.
    """

    envelope: Envelope | None
    error: BaseException


class Watcher(Protocol):
    """Is told of an actor's end, and takes over the messages it has not handled."""

    def ended(self, failure: Failure | None, leftovers: list[Envelope]) -> None: ...


class LoopActor(SeamActor):
    """An actor of the event loop; subclass it as any other Pykka actor."""

    actor_inbox: Mailbox
    watcher: Watcher | None = None
    _registered = False
    _started = False
    _failure: Failure | None = None

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> "pykka.ActorRef[Self]":
        """The actor is in Pykka's registry and takes messages on the loop of this thread.

        Raises:
            RuntimeError: no event loop runs in this thread.
        """
        Dispatcher.running()
        actor = cls(*args, **kwargs)
        actor._registered = True
        pykka.ActorRegistry.register(actor.actor_ref)
        actor.begin()
        return actor.actor_ref

    @staticmethod
    def new_inbox() -> Mailbox:
        return Mailbox()

    @staticmethod
    def new_promise() -> Promise[Any]:
        return Promise()

    def begin(self) -> None:
        """The actor takes messages on the loop of this thread; it is in no registry."""
        self.actor_inbox.attach(Dispatcher.running(), self)

    def on_start(self) -> Any:
        """May be `async`: the first message waits until it is done.

        Pykka types it as sync, so an async one needs `# type: ignore[override]`.
        """

    def is_idle(self) -> bool:
        """False while the actor holds state that would be lost if it were passivated."""
        return True

    def is_resting(self) -> bool:
        """True if it may be passivated now: no messages, not in a turn, and `is_idle()`."""
        inbox = self.actor_inbox
        return not inbox.scheduled and inbox.empty() and self.is_idle()

    def passivate(self) -> None:
        """The resting actor is stopped without a turn; later messages are dead letters.

        Only for an actor that `is_resting()`. That is not asserted here, because another thread
        may have sent it a message since the check, which is then as late as any other.
        """
        self.retire()
        self._cut_circles()

    def retire(self) -> None:
        """The actor is stopped, out of the registry, and `on_stop` has run."""
        if self._registered:
            pykka.ActorRegistry.unregister(self.actor_ref)
        self.actor_stopped.set()
        try:
            self.on_stop()
        except Exception as exc:  # noqa: BLE001 - what Pykka documents for on_stop
            self.report_failure(exc)

    def stop(self) -> None:
        """The actor stops after the messages it has now."""
        self.actor_inbox.put(Envelope(STOP))

    def take_turn(self, mailbox: Mailbox) -> None:
        """Part of the runtime: handles up to MESSAGES_PER_TURN messages, then gives way."""
        handed_to_a_task = False
        try:
            if not self._started:
                self._started = True
                handed_to_a_task = self._handle(None)
            left, flag = MESSAGES_PER_TURN, self.actor_stopped
            while left and not handed_to_a_task and not flag.stopped:
                envelope = mailbox.take()
                if envelope is None:
                    break
                left -= 1
                handed_to_a_task = self._handle(envelope)
        finally:
            # Also when a SystemExit passes through: a mailbox must not stay in its turn for ever.
            if not handed_to_a_task:
                self._end_turn()

    def _handle(self, envelope: Envelope | None) -> bool:
        """Handles one letter (None: the start); True if a task does it and ends the turn."""
        try:
            answer = self.on_start() if envelope is None else self.receive(envelope.message)
            if type(answer) is CoroutineType:
                self.actor_inbox.dispatcher.run_task(
                    answer, lambda task: self._done(envelope, task)
                )
                return True
            if envelope is not None and envelope.reply_to is not None:
                envelope.reply_to.set(answer)
        except BaseException as exc:
            self._raised(envelope, exc)
            if isinstance(exc, SystemExit | KeyboardInterrupt):
                raise  # ends the loop; raised in a task, they end it anyway
        return False

    def _done(self, envelope: Envelope | None, task: "asyncio.Task[Any]") -> None:
        try:
            if task.cancelled():
                self._cancelled(envelope, its_own=task.cancelling() > 0)
            elif (error := task.exception()) is not None:
                self._raised(envelope, error)
            elif envelope is not None and envelope.reply_to is not None:
                envelope.reply_to.set(task.result())
        finally:
            self._end_turn()

    def _raised(self, envelope: Envelope | None, error: BaseException) -> None:
        if not isinstance(error, Exception | asyncio.CancelledError):
            self._stop_everything(envelope, error)
        elif envelope is not None and envelope.reply_to is not None:
            envelope.reply_to.set_exception((type(error), error, error.__traceback__))
        else:
            self._fail(envelope, error)

    def _cancelled(self, envelope: Envelope | None, *, its_own: bool) -> None:
        error = asyncio.CancelledError(f"{self} was cancelled while it handled a message")
        if not its_own:
            self._raised(envelope, error)
            return
        if envelope is not None and envelope.reply_to is not None:
            answer_dead_letter(envelope)
        self._fail(envelope, error)

    def _fail(self, envelope: Envelope | None, error: BaseException) -> None:
        self._failure = Failure(envelope, error)
        self.report_failure(error)
        if envelope is None:
            return  # Pykka calls on_failure for a message only
        try:
            self.on_failure(type(error), error, error.__traceback__)
        except Exception as exc:  # noqa: BLE001 - what Pykka documents for on_failure
            self.report_failure(exc)

    def _stop_everything(self, envelope: Envelope | None, error: BaseException) -> None:
        self._failure = Failure(envelope, error)
        self.retire()
        if envelope is not None:
            answer_dead_letter(envelope)
        pykka.ActorRegistry.stop_all(block=False)

    def _end_turn(self) -> None:
        mailbox = self.actor_inbox
        if self.actor_stopped.stopped:
            watcher, failure = self.watcher, self._failure
            self._cut_circles()
            if watcher is not None:
                watcher.ended(failure, mailbox.drain())
        mailbox.rest()

    def _cut_circles(self) -> None:
        """The stopped actor is freed at once, by its reference count.

        The garbage collector visits old objects so rarely that the memory of a directory which
        activates and passivates all day would grow without bound.
        """
        self.actor_inbox.owner = _DEAD_LETTERS
        self.watcher = self._failure = None


class _DeadLetters:
    """Owns the mailboxes of stopped actors: answers late asks, which would wait for ever."""

    def take_turn(self, mailbox: Mailbox) -> None:
        for envelope in mailbox.drain():
            answer_dead_letter(envelope)
        mailbox.rest()


_DEAD_LETTERS = _DeadLetters()


def answer_dead_letter(envelope: Envelope) -> None:
    """The sender, if it asked, has an answer: None to a stop, else `ActorDeadError`."""
    if envelope.reply_to is None:
        return
    if is_stop(envelope):
        envelope.reply_to.set(None)
        return
    error = pykka.ActorDeadError("the actor stopped before it handled the message")
    envelope.reply_to.set_exception((pykka.ActorDeadError, error, None))


def was_answered(envelope: Envelope) -> bool:
    """True if the message was an ask and has been answered."""
    return isinstance(envelope.reply_to, Promise) and envelope.reply_to.is_done()
