"""Virtual actors: one for each key, activated when a message comes, passivated when idle.

No caller starts or stops a virtual actor. `tell` activates it if it is not active. It is passivated
when it has been idle for long, or when too many actors are active and it is the least recently
used.

No message is lost when an actor is passivated. Only an actor that rests is: its mailbox is empty,
it is not in a turn, and it awaits nothing. Lookup, activation and passivation each run on the
loop's thread without an `await`, and `tell` looks the actor up and puts the message into its
mailbox in one such step. So a message is either in the mailbox before the check, which then keeps
the actor, or comes after the removal and activates a new one.

An actor that fails is activated again with the messages that were queued behind the one it failed
on. That one goes to `on_dead_letter`, which answers its sender with an error; so do all messages
for a key in quarantine. Everything here belongs to the loop's thread.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, Overloaded
from hookbundle.engine.runtime.loop_actor import (
    Failure,
    LoopActor,
    answer_dead_letter,
    was_answered,
)
from hookbundle.engine.runtime.pykka_seam import Envelope, is_stop
from hookbundle.engine.runtime.supervisor import Quarantine, RestartIntensity, Supervisor

K = TypeVar("K", bound=Hashable)
M = TypeVar("M")

BUSY_SKIPPED_MAX = 32
"""How many busy actors one activation skips in search of an idle one to passivate."""


class _Activation(Generic[K, M]):
    """An active actor and when it was last used; as its watcher, it tells the directory its end."""

    __slots__ = ("actor", "directory", "key", "used_ms")

    def __init__(
        self, directory: "Directory[K, M]", key: K, actor: LoopActor, used_ms: int
    ) -> None:
        self.directory = directory
        self.key = key
        self.actor = actor
        self.used_ms = used_ms

    def ended(self, failure: Failure | None, leftovers: list[Envelope]) -> None:
        self.directory._ended(self, failure, leftovers)


class Directory(Generic[K, M]):
    """The actors of one kind. `activate` makes an actor, without starting it.

    `on_dead_letter(key, message, error)` gets every message that no actor will handle;
    `on_quarantine(key, last_error)` is called once, when a quarantine begins.
    """

    def __init__(
        self,
        *,
        name: str,
        activate: Callable[[K], LoopActor],
        active_max: int,
        intensity: RestartIntensity,
        now_ms: Callable[[], int],
        on_dead_letter: Callable[[K, M, HookbundleError], None],
        on_quarantine: Callable[[K, Exception], None],
    ) -> None:
        assert active_max > 0, f"active_max: {active_max}, want more than 0"
        self.name = name
        self._activate = activate
        self._active_max = active_max
        self._now_ms = now_ms
        self._on_dead_letter = on_dead_letter
        self._on_quarantine = on_quarantine
        self._supervisor: Supervisor[K] = Supervisor(name=name, intensity=intensity)
        self._activations: OrderedDict[K, _Activation[K, M]] = (
            OrderedDict()
        )  # least recently used first
        self._emptied: asyncio.Event | None = None  # set up by stop_all()

    @property
    def active_count(self) -> int:
        return len(self._activations)

    def is_active(self, key: K) -> bool:
        return key in self._activations

    def active(self, key: K) -> LoopActor | None:
        """The actor if it is active; this does not count as using it."""
        activation = self._activations.get(key)
        return None if activation is None else activation.actor

    def tell(self, key: K, message: M) -> None:
        """The message is in the actor's mailbox, or was passed to `on_dead_letter`."""
        envelope = Envelope(message)
        error = self._post(key, envelope)
        if error is not None:
            self._dead_letter(key, envelope, error)

    def passivate_idle(self, older_than_ms: int, *, at_most: int = 5_000) -> int:
        """Passivates actors that are idle and unused for that long; returns how many.

        Checks `at_most` actors, so that many of them do not block the loop: call it often.
        """
        now_ms = self._now_ms()
        gone = 0
        for _ in range(min(at_most, len(self._activations))):
            activation = next(iter(self._activations.values()))
            if activation.used_ms > now_ms - older_than_ms:
                break
            gone += self._passivate_or_keep(activation, now_ms)
        return gone

    def quarantined(self) -> list[Quarantine[K]]:
        """The keys in quarantine, each with its end and its last error."""
        return self._supervisor.quarantined(self._now_ms())

    def release(self, key: K) -> bool:
        """The next message activates the key again; True if it was in quarantine."""
        return self._supervisor.release(key)

    async def stop_all(self) -> None:
        """Every actor has handled the messages it had and stopped; no more are activated.

        Waits for handlers that are under way, so the caller should set a time limit.
        """
        if self._emptied is None:
            self._emptied = asyncio.Event()
            for activation in self._activations.values():
                activation.actor.stop()
        if self._activations:
            await self._emptied.wait()

    def _post(self, key: K, envelope: Envelope) -> HookbundleError | None:
        activation = self._activations.get(key)
        now_ms = self._now_ms()
        if activation is None:
            error = self._refusal(key, now_ms)
            if error is not None:
                return error
            try:
                actor = self._activate(key)
            except Exception as exc:  # noqa: BLE001 - this is the supervisor
                self._count_failure(key, exc)
                return self._supervisor.verdict(key, exc)
            activation = self._start(key, actor, now_ms)
        else:
            activation.used_ms = now_ms
            self._activations.move_to_end(key)
        activation.actor.actor_inbox.put(envelope)
        return None

    def _refusal(self, key: K, now_ms: int) -> HookbundleError | None:
        if self._emptied is not None:
            return Overloaded.of(Code.STOPPING)
        return self._supervisor.refusal(key, now_ms)

    def _start(self, key: K, actor: LoopActor, now_ms: int) -> "_Activation[K, M]":
        # Added before others are removed: an `on_stop` that tells this same key must find it here.
        activation = _Activation(self, key, actor, now_ms)
        self._activations[key] = activation
        actor.watcher = activation
        actor.begin()
        if len(self._activations) > self._active_max:
            self._make_room(now_ms)
        return activation

    def _make_room(self, now_ms: int) -> None:
        skippable = min(BUSY_SKIPPED_MAX, len(self._activations) - 1)
        while len(self._activations) > self._active_max and skippable:
            oldest = next(iter(self._activations.values()))
            skippable -= not self._passivate_or_keep(oldest, now_ms)

    def _passivate_or_keep(self, activation: "_Activation[K, M]", now_ms: int) -> bool:
        """True if it is passivated. A busy actor counts as used now, so it moves to the end."""
        if not activation.actor.is_resting():
            activation.used_ms = now_ms
            self._activations.move_to_end(activation.key)
            return False
        del self._activations[activation.key]
        activation.actor.passivate()
        return True

    def _ended(
        self, activation: "_Activation[K, M]", failure: Failure | None, leftovers: list[Envelope]
    ) -> None:
        key = activation.key
        del self._activations[key]
        dead_letters: list[tuple[Envelope, HookbundleError]] = []
        unhandled = [envelope for envelope in leftovers if not _was_a_stop(envelope)]
        if failure is not None:
            error = _as_exception(failure.error)
            self._count_failure(key, error)
            # If `on_start` failed, the message that activated the actor is a dead letter too: if it
            # was posted again, it would activate and fail the actor in a loop.
            lost = failure.envelope if failure.envelope or not unhandled else unhandled.pop(0)
            if lost is not None:
                dead_letters.append((lost, self._supervisor.verdict(key, error)))
        # All leftovers are posted before any dead letter is reported: the callback may send
        # more at once, and order within a key must hold.
        for envelope in unhandled:
            refusal = self._post(key, envelope)
            if refusal is not None:
                dead_letters.append((envelope, refusal))
        for envelope, reason in dead_letters:
            self._dead_letter(key, envelope, reason)
        if self._emptied is not None and not self._activations:
            self._emptied.set()

    def _count_failure(self, key: K, error: Exception) -> None:
        if self._supervisor.failed(key, error, self._now_ms()):
            self._guarded(lambda: self._on_quarantine(key, error), "on_quarantine")

    def _dead_letter(self, key: K, envelope: Envelope, error: HookbundleError) -> None:
        if envelope.reply_to is not None:
            if not was_answered(envelope):
                envelope.reply_to.set_exception((type(error), error, None))
            return
        self._guarded(lambda: self._on_dead_letter(key, envelope.message, error), "on_dead_letter")

    def _guarded(self, call: Callable[[], None], what: str) -> None:
        try:
            call()
        except Exception as exc:  # noqa: BLE001 - other dead letters still wait to be reported
            report = {"message": f"{self.name}: {what} failed", "exception": exc}
            asyncio.get_running_loop().call_exception_handler(report)


def _was_a_stop(envelope: Envelope) -> bool:
    """True if the message asked the actor to stop. It has stopped, so the sender is answered."""
    if is_stop(envelope):
        answer_dead_letter(envelope)
    return is_stop(envelope)


def _as_exception(error: BaseException) -> Exception:
    if isinstance(error, Exception):
        return error
    wrapped = RuntimeError(repr(error))
    wrapped.__cause__ = error
    return wrapped
