"""The copy that a node holds of a partition: joined, followed, kept, given up.

It is what a role (role.py) is about while nobody owns it here. Two things may be wrong:

    with the copy    it is made anew from the log, and stays until the new one is whole
    with the log     the copy stays for good: it may be the only one that has what the log has lost.
                     It is followed again if the log has all of it after all, and made anew if the
                     log was begun anew (recovery.py)
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import structlog

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import join
from hookbundle.actors.replication.log import Life, RawLog
from hookbundle.actors.replication.messages import Host, Look
from hookbundle.actors.replication.recovery import has_begun_anew
from hookbundle.actors.replication.releasing import release
from hookbundle.actors.replication.role_state import RoleState
from hookbundle.engine.errors import GivenUp, LogDamaged, StorageError, StoreFull, in_words
from hookbundle.engine.replication.roles import Role, may_give_up, moved
from hookbundle.engine.runtime.loop_actor import LoopActor

RECOGNISED_AGAIN_S = 10.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


class HeldCopy(LoopActor):
    """`node`: this one."""

    def __init__(self, node: str, raw: RawLog, life: Life, host: Host) -> None:
        super().__init__()
        self._node = node
        self._raw = raw
        self._life = life
        self._host = host
        self.state = RoleState()

    @abstractmethod
    async def _disown(self, *, finish: bool) -> None:
        """Nothing works on the copy any more, and nobody uses the log."""

    async def _join(self, *, is_wanted: bool) -> None:
        """A copy of before is gone on with; without one, it is made, if `is_wanted`."""
        await self._close()
        may_have_one, self.state.may_have_one = self.state.may_have_one, False
        if not (may_have_one and await self._open()):
            if not is_wanted:
                self._leave()
                return
            self._move(Role.JOINING)
            if await join(self._raw, self._host.new_copy, self._host.in_turn) is None:
                return
            assert await self._open(), "a copy that was made can be opened"
        await self._follower.catch_up()

    def _leave(self) -> None:
        """No copy is wanted. One that can't be gone on with goes as any other does."""
        if self._host.left_over():
            self.state.broken_by = "it can't be gone on with, and is not wanted"
            self._move(Role.BROKEN)
        elif self.state.role is not Role.ABSENT:
            self._move(Role.ABSENT)

    async def _open(self) -> bool:
        """The copy is followed; False if there is none. Raises: StorageError."""
        env = await self._host.in_turn(self._host.open_copy)
        if env is None:
            return False
        if self.state.role in (Role.ABSENT, Role.BROKEN):
            self._move(Role.JOINING)
        self.state.follower = Follower(self._raw, env, self._life, self._host.in_thread)
        self._move(Role.FOLLOWING)
        return True

    async def _give_up_if_possible(self, look: Look) -> None:
        if not may_give_up(self._node, look.assigned, look.copies or {}):
            return
        if self.state.follower is not None and not self._follower.is_known:
            return  # it may have what the others lack
        self._move(Role.ABSENT)
        await self._close()
        await self._host.in_thread(self._host.drop_copy)

    async def _failed(self, why: StorageError) -> None:
        """Something is wrong with the log, or with the copy."""
        try:
            if isinstance(why, LogDamaged):
                await self._stopped(why)
                return
        except StorageError as exc:
            why = exc
        if isinstance(why, GivenUp):
            return  # the process ends, and the copy is as good as before
        # What a full disk could not take is not in the copy, which is as good as before.
        await self._break(in_words(why), keeps=isinstance(why, StoreFull))

    async def _break(self, why: str, *, keeps: bool = False) -> None:
        """`keeps`: the copy is gone on with, later."""
        log.error("the copy is broken", why=why, then="kept" if keeps else "made anew from the log")
        if self.state.role in (Role.OWNER, Role.YIELDING):
            await self._disown(finish=False)
        self.state.broken_by, self.state.may_have_one = why, keeps
        self._move(Role.BROKEN)
        had_one = self.state.follower is not None
        if had_one and self.state.claims and self._follower.is_known:
            with suppress(StorageError):
                await release(self._follower.log, self._life)
        await self._close()
        if had_one and not keeps:
            with suppress(OSError):  # the disk is full: the copy is as it was before
                await self._host.in_thread(self._host.distrust_copy)

    # ---- a log that has lost something

    async def _stopped(self, why: LogDamaged) -> None:
        if self.state.role in (Role.OWNER, Role.YIELDING):
            await self._disown(finish=False)
        if self.state.follower is None:  # what it joined was lost before it was whole
            self.state.may_have_one = True
            self.state.broken_by = str(why)
            self._move(Role.BROKEN)
            return
        self._follower.start_again()
        was_stopped = self.state.role is Role.STOPPED
        self._hold(str(why))
        if await has_begun_anew(self._raw, self._follower.log.generation):
            log.info("the log has gone on without this copy, which is made anew", why=str(why))
            self.state.stopped_by, self.state.broken_by = "", str(why)
            self._move(Role.JOINING)
            await self._close()
        elif not was_stopped:
            log.error("the log has lost something: the copy is kept as it is", why=str(why))

    async def _recognise(self) -> None:
        """Now and then: an owner that has nothing to write would not notice that its log is gone,
        and those who recover what has stopped would leave its partition out. Raises: LogDamaged."""
        if self._now_s() < self.state.recognised_s + RECOGNISED_AGAIN_S:
            return
        self.state.recognised_s = self._now_s()
        at = self._follower.position()
        try:
            await self._follower.recognises()
        except LogDamaged:
            if at == self._follower.position():
                raise  # else it has gone on meanwhile, and the generation before was deleted

    def _hold(self, why: str) -> None:
        """The copy stays as it is, and nobody claims the partition."""
        self.state.stopped_by = why
        if self.state.role is not Role.STOPPED:
            self._move(Role.STOPPED)

    async def _look_again(self, look: Look) -> None:
        """The log may have all of it after all. Raises: LogDamaged if it has not."""
        self._follower.start_again()
        self._follower.is_known = False
        await self._follower.catch_up()
        if self._follower.is_known and not self.state.lacks(look.furthest, self._now_s()):
            self.state.stopped_by = ""
            self._move(Role.FOLLOWING)
            log.info("the log has all that the copy has: it is followed again")

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    # ---- state

    @property
    def _follower(self) -> Follower:
        assert self.state.follower is not None, f"{self.state.role} without a copy"
        return self.state.follower

    def _move(self, to: Role) -> None:
        self.state.role = moved(self.state.role, to)

    async def _close(self) -> None:
        follower, self.state.follower = self.state.follower, None
        if follower is not None:
            await aside(follower.env.close)


async def aside(work: Callable[[], T]) -> T:
    """Neither on the loop nor where copies are followed: to sync a copy may take seconds, and to
    write one anew minutes."""
    return await asyncio.get_running_loop().run_in_executor(None, work)
