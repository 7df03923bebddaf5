"""Virtual actors: one for each key, there when mail comes and gone when it rests.

Nobody starts or stops a resident. `tell` activates it if it isn't there; it is let go when it has
been idle for long, or when the house is full and it was used the longest ago. Looking up,
activating and letting go are each one step on the loop's thread, without an `await` in the middle,
so no mail can fall between an actor that goes and one that comes.

A resident that fails is let go and activated again with the mail that waited behind the message
it failed on. That message goes to `on_dead_letter`, which fails the promise inside it; so does
the mail of a key in quarantine. Everything here belongs to the loop's thread.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from hookbundle.engine.errors import HookbundleError, Overloaded
from hookbundle.engine.runtime.loop_actor import (
    Failure,
    LoopActor,
    answer_for_the_dead,
    was_answered,
)
from hookbundle.engine.runtime.pykka_seam import Letter, is_stop
from hookbundle.engine.runtime.supervisor import Quarantine, RestartIntensity, Supervisor

K = TypeVar("K", bound=Hashable)
M = TypeVar("M")

BUSY_SKIPPED_MAX = 32
"""How many busy actors one activation steps over in search of an idle one to let go."""


class _Residence(Generic[K, M]):
    """An actor's place in the directory: watches it, and knows when it was last used."""

    __slots__ = ("actor", "directory", "key", "used_ms")

    def __init__(
        self, directory: "Directory[K, M]", key: K, actor: LoopActor, used_ms: int
    ) -> None:
        self.directory = directory
        self.key = key
        self.actor = actor
        self.used_ms = used_ms

    def ended(self, failure: Failure | None, leftovers: list[Letter]) -> None:
        self.directory._ended(self, failure, leftovers)


class Directory(Generic[K, M]):
    """The actors of one kind. `activate` makes one without starting it, and reads what it needs.

    `on_dead_letter(key, message, error)` gets every message no actor will handle;
    `on_quarantine(key, last_error)` is called once when a quarantine begins.
    """

    def __init__(
        self,
        *,
        name: str,
        activate: Callable[[K], LoopActor],
        residents_max: int,
        intensity: RestartIntensity,
        now_ms: Callable[[], int],
        on_dead_letter: Callable[[K, M, HookbundleError], None],
        on_quarantine: Callable[[K, Exception], None],
    ) -> None:
        assert residents_max > 0, f"residents_max: {residents_max}, want more than 0"
        self.name = name
        self._activate = activate
        self._residents_max = residents_max
        self._now_ms = now_ms
        self._on_dead_letter = on_dead_letter
        self._on_quarantine = on_quarantine
        self._supervisor: Supervisor[K] = Supervisor(name=name, intensity=intensity)
        self._residences: OrderedDict[K, _Residence[K, M]] = OrderedDict()  # least used first
        self._emptied: asyncio.Event | None = None  # there once we are stopping

    @property
    def residents(self) -> int:
        return len(self._residences)

    def is_resident(self, key: K) -> bool:
        return key in self._residences

    def resident(self, key: K) -> LoopActor | None:
        """The actor if it is there; asking does not count as using it."""
        residence = self._residences.get(key)
        return None if residence is None else residence.actor

    def tell(self, key: K, message: M) -> None:
        """The message is in the actor's mailbox, or has been given to `on_dead_letter`."""
        letter = Letter(message)
        error = self._post(key, letter)
        if error is not None:
            self._bury(key, letter, error)

    def let_go_idle(self, older_than_ms: int, *, at_most: int = 5_000) -> int:
        """The idle residents unused for that long are gone; returns how many.

        Looks at `at_most` of them, so that a big house does not hold up the loop: call it often.
        """
        now_ms = self._now_ms()
        gone = 0
        for _ in range(min(at_most, len(self._residences))):
            residence = next(iter(self._residences.values()))
            if residence.used_ms > now_ms - older_than_ms:
                break
            gone += self._let_go_or_keep(residence, now_ms)
        return gone

    def quarantined(self) -> list[Quarantine[K]]:
        """Those in quarantine, with the end of it and the last error."""
        return self._supervisor.quarantined(self._now_ms())

    def release(self, key: K) -> bool:
        """The next mail activates the key again; True if it was in quarantine."""
        return self._supervisor.release(key)

    async def stop_all(self) -> None:
        """Every resident has handled the mail it had and stopped; nobody is activated any more.

        Waits for handlers that are under way, so it is for the caller to set a time limit.
        """
        if self._emptied is None:
            self._emptied = asyncio.Event()
            for residence in self._residences.values():
                residence.actor.stop()
        if self._residences:
            await self._emptied.wait()

    def _post(self, key: K, letter: Letter) -> HookbundleError | None:
        residence = self._residences.get(key)
        now_ms = self._now_ms()
        if residence is None:
            error = self._refusal(key, now_ms)
            if error is not None:
                return error
            try:
                actor = self._activate(key)
            except Exception as exc:  # noqa: BLE001 - this is the supervisor
                self._count_failure(key, exc)
                return self._supervisor.verdict(key, exc)
            residence = self._move_in(key, actor, now_ms)
        else:
            residence.used_ms = now_ms
            self._residences.move_to_end(key)
        residence.actor.actor_inbox.put(letter)
        return None

    def _refusal(self, key: K, now_ms: int) -> HookbundleError | None:
        if self._emptied is not None:
            return Overloaded(f"{self.name} {key}: the daemon is stopping; try again soon")
        return self._supervisor.refusal(key, now_ms)

    def _move_in(self, key: K, actor: LoopActor, now_ms: int) -> "_Residence[K, M]":
        # In before others go out: an `on_stop` that tells this same key has to find it here.
        residence = _Residence(self, key, actor, now_ms)
        self._residences[key] = residence
        actor.watcher = residence
        actor.begin()
        if len(self._residences) > self._residents_max:
            self._make_room(now_ms)
        return residence

    def _make_room(self, now_ms: int) -> None:
        skippable = min(BUSY_SKIPPED_MAX, len(self._residences) - 1)
        while len(self._residences) > self._residents_max and skippable:
            oldest = next(iter(self._residences.values()))
            skippable -= not self._let_go_or_keep(oldest, now_ms)

    def _let_go_or_keep(self, residence: "_Residence[K, M]", now_ms: int) -> bool:
        """True if it is gone; a busy one is in use, so it moves to the end of the line."""
        if not residence.actor.is_resting():
            residence.used_ms = now_ms
            self._residences.move_to_end(residence.key)
            return False
        del self._residences[residence.key]
        residence.actor.let_go()
        return True

    def _ended(
        self, residence: "_Residence[K, M]", failure: Failure | None, leftovers: list[Letter]
    ) -> None:
        key = residence.key
        del self._residences[key]
        casualties: list[tuple[Letter, HookbundleError]] = []
        mail = [letter for letter in leftovers if not _was_a_stop(letter)]
        if failure is not None:
            error = _as_exception(failure.error)
            self._count_failure(key, error)
            # A start that failed has failed the message that called for it.
            lost = failure.letter if failure.letter or not mail else mail.pop(0)
            if lost is not None:
                casualties.append((lost, self._supervisor.verdict(key, error)))
        # The new activation gets all its mail before anybody hears of the dead and sends more.
        for letter in mail:
            refusal = self._post(key, letter)
            if refusal is not None:
                casualties.append((letter, refusal))
        for letter, reason in casualties:
            self._bury(key, letter, reason)
        if self._emptied is not None and not self._residences:
            self._emptied.set()

    def _count_failure(self, key: K, error: Exception) -> None:
        if self._supervisor.failed(key, error, self._now_ms()):
            self._guarded(lambda: self._on_quarantine(key, error), "on_quarantine")

    def _bury(self, key: K, letter: Letter, error: HookbundleError) -> None:
        if letter.reply_to is not None:
            if not was_answered(letter):
                letter.reply_to.set_exception((type(error), error, None))
            return
        self._guarded(lambda: self._on_dead_letter(key, letter.message, error), "on_dead_letter")

    def _guarded(self, call: Callable[[], None], what: str) -> None:
        try:
            call()
        except Exception as exc:  # noqa: BLE001 - others wait for their turn
            report = {"message": f"{self.name}: {what} failed", "exception": exc}
            asyncio.get_running_loop().call_exception_handler(report)


def _was_a_stop(letter: Letter) -> bool:
    """True if it asked the actor to stop, which it has; whoever waits for that knows now."""
    if is_stop(letter):
        answer_for_the_dead(letter)
    return is_stop(letter)


def _as_exception(error: BaseException) -> Exception:
    if isinstance(error, Exception):
        return error
    wrapped = RuntimeError(repr(error))
    wrapped.__cause__ = error
    return wrapped
