"""What an owner does for its log beside appending: renews it, and deletes generations of the past.

It works beside the Store, from the claim until the partition is owned no more, and each `Look`
wakes it. When the log is to be renewed is decided by what stands in the log, so that an owner knows
as much as the one before it (engine/replication/renewal.py).

What fails here is tried again, a while later. It is nobody's loss: the log goes on where it was.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import InThread
from hookbundle.actors.replication.renewal import Renewal
from hookbundle.engine.errors import StorageError, in_words
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.renewal import (
    ERASING,
    Reason,
    Rules,
    deletable,
    due,
    needed_from,
)
from hookbundle.engine.replication.roles import CopyAt
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.maintenance.copying import is_erasing

AGAIN_S = 1.0  # while erasing is waited for, or an old generation is read
FAILED_AGAIN_S = 30.0
LEFT_AGAIN_S = 600.0  # what others left half-made may appear at any time

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class MaintenanceState:
    """`copies`: of the live nodes, as `Look` says. `is_asked`: for a new generation. `doing`: why
    one is being made, or what it waits for; else empty. `making`: that one. `dropped`: what was
    begun and came to nothing. `renewed`, `failed`: how many. `stood_s`: for how long groups waited,
    the last time.

    `renew_s`, `tidy_s`: not before, on the loop's clock. `left`: other generations at the last
    look since the present one was begun, None before it.
    """

    copies: Mapping[str, CopyAt] | None = None
    is_asked: bool = False
    doing: str = ""
    making: Generation | None = None
    dropped: set[Generation] = field(default_factory=set)
    renewed: int = 0
    failed: int = 0
    stood_s: float = 0.0
    renew_s: float = 0.0
    tidy_s: float = 0.0
    left: int | None = None
    is_finishing: bool = False
    is_stopping: bool = False


class Maintenance:
    """`start`, `look` and `ask`, `stop`. `using` is held by those who use the owner's log.

    `confirm`: has the Store commit a group, so that the copy's position is in the new generation.
    """

    def __init__(
        self,
        follower: Follower,
        in_thread: InThread,
        confirm: Callable[[], None],
        rules: Rules,
        using: asyncio.Lock,
    ) -> None:
        self.state = MaintenanceState()
        self._follower = follower
        self._in_thread = in_thread
        self._confirm = confirm
        self._rules = rules
        self._using = using
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        self._task = self._loop.create_task(self._run())

    def look(self, copies: Mapping[str, CopyAt] | None) -> None:
        """Raises: whatever has ended it."""
        self.state.copies = copies
        self._woken.set()
        if self._task.done():
            self._task.result()

    @property
    def latest(self) -> Generation:
        """The generation that is being made, or the present one."""
        return self.state.making or self._follower.log.generation

    def ask(self) -> None:
        """For a new generation, whatever the present one has."""
        self.state.is_asked = True
        self._woken.set()

    async def stop(self) -> None:
        """Nothing is done any more. What has been begun is left to the next owner, but for a turn
        into a new generation, which ends first: half of it can't be told from all of it."""
        self.state.is_stopping = True
        if not self.state.is_finishing:
            self._task.cancel()
        await asyncio.wait([self._task])

    def cancel(self) -> None:
        """As the end of the process would."""
        self._task.cancel()

    async def _run(self) -> None:
        state = self.state
        while not state.is_stopping:
            await self._woken.wait()
            self._woken.clear()
            if self._loop.time() >= state.renew_s:
                await self._do(self._renew, "the log was not renewed")
            if self._loop.time() >= state.tidy_s and not state.is_stopping:
                await self._do(self._tidy, "old generations were not deleted")

    async def _do(self, work: Callable[[], Awaitable[None]], if_not: str) -> None:
        try:
            await work()
        except StorageError as exc:
            self.state.failed += 1
            self.state.renew_s = self.state.tidy_s = self._loop.time() + FAILED_AGAIN_S
            log.warning(if_not, why=in_words(exc))

    # ---- a new generation

    async def _renew(self) -> None:
        state, own = self.state, self._follower.log
        reason = due(own.chain, self._rules, own.life.now_ms(), is_asked=state.is_asked)
        if reason is None:
            return
        if reason in ERASING and await self._in_thread(lambda: is_erasing(self._env)):
            state.doing = "waits until all that was deleted is erased"
            state.renew_s = self._loop.time() + AGAIN_S
            return
        state.doing = reason.value
        try:
            await self._renew_for(reason)
        finally:
            state.doing = ""

    async def _renew_for(self, reason: Reason) -> None:
        state, own = self.state, self._follower.log
        assert own.epoch is not None, "the log is another's"
        was_asked, state.is_asked = state.is_asked, False  # who asks from now on means another one
        number = max(each.number for each in (own.generation, *state.dropped)) + 1
        generation = Generation(number, own.epoch)
        state.making = generation
        renewal = Renewal(own, self._env, generation, self._in_thread, self._using)
        try:
            await renewal.prepare()
            state.is_finishing, state.left = True, None  # the present one is a former one then
            await renewal.finish()
        except StorageError:
            state.is_asked |= was_asked
            if not renewal.is_ending:
                state.dropped.add(generation)
            raise
        finally:
            state.is_finishing, state.making = False, None
        state.renewed += 1
        state.stood_s = renewal.stood_s
        state.tidy_s = 0.0
        log.info("the log was renewed", generation=str(generation), reason=reason.value)

    # ---- generations of the past

    async def _tidy(self) -> None:
        state, own = self.state, self._follower.log
        assert own.epoch is not None, "the log is another's"
        await own.raw.begin_with(own.generation)  # the owner before may have died before it could
        found = await own.raw.generations()
        needed = await self._needed()
        others = {each for each in found if each != own.generation}
        gone = set(deletable(found, own.generation, own.epoch, needed)) | (state.dropped & others)
        for generation in sorted(gone):
            await own.raw.delete(generation)
            log.info("a generation was deleted", generation=str(generation))
        state.dropped -= gone
        state.left = len(others - gone)
        state.tidy_s = self._loop.time() + (AGAIN_S if state.left else LEFT_AGAIN_S)

    async def _needed(self) -> int:
        """The number of the first generation that a live copy may still read."""
        own = self._follower.log
        at = await self._in_thread(self._position)
        if Generation.read(at) != own.generation:
            # If the process ended now, its own copy would have to be made anew.
            self._confirm()
            return 0
        if own.life.now_ms() - own.chain.begun_ms >= self._rules.past_ms:
            return own.generation.number
        return needed_from(self.state.copies, own.generation)

    def _position(self) -> str:
        with self._env.read() as txn:
            at = position.read(txn)
        assert at is not None, "the copy of an owner has a position"
        return at.generation

    @property
    def _env(self) -> Environment:
        return self._follower.env
