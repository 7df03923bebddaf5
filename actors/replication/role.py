"""What a node is for a partition, and how it becomes owner (engine/replication/roles.py).

The actor holds the node's copy. It follows, claims, hands the copy to the Store and takes it back.
One thread writes the copy at a time: the follower's while it follows, the Store's while it owns,
and the change of hands is a message here. It never decides who should own what: those who know the
nodes send `Look` now and then, and `Yield`.

What happens to the partition itself (Store, timer, chats, webhooks) is the `Host`'s.
"""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, assert_never

import structlog

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import join, position_of
from hookbundle.actors.replication.log import Life, RawLog
from hookbundle.engine.errors import CorruptRecord, Fenced, StorageError, in_words
from hookbundle.engine.replication.assignment import may_claim
from hookbundle.engine.replication.entries import Claim, Kind, Release, pack, pack_rows
from hookbundle.engine.replication.roles import Role, moved
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The node is to hold a copy (`holds`), or to own the partition (`owns`).

    `lives`: the live nodes, this one among them, and the life of each.
    """

    holds: bool
    owns: bool
    lives: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Yield:
    """The partition is given away, if it is owned."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipEnded:
    """The Store can commit no more. `env`: of the copy that it wrote, if there were several."""

    why: Fenced
    env: Environment


Inbox = Look | Yield | OwnershipEnded


class Host(Protocol):
    """The node around the partition."""

    def open_copy(self) -> Environment | None:
        """The copy, opened; None if there is none. Raises: StorageError."""

    def new_copy(self) -> NewCopy:
        """To be filled; what was there before is dropped. Raises: StorageError."""

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs work on the copy in the thread that follows."""

    async def own(self, env: Environment, agree: Agree) -> None:
        """The partition works on the copy. Its Store ends with `OwnershipEnded` when it can't."""

    async def disown(self, *, finish: bool) -> None:
        """Nothing works on the copy any more. `finish`: attempts under way are waited for."""

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Work of the loop is done; for the Store's thread, which waits."""


@dataclass(slots=True)
class RoleState:
    """`why`: of a broken copy, what broke it. `claims`, `lost`: how many, and how many lost."""

    role: Role = Role.ABSENT
    why: str = ""
    claims: int = 0
    lost: int = 0
    follower: Follower | None = None


class RoleActor(LoopActor):
    """Belongs to one partition on one node."""

    def __init__(
        self, node: str, version: str, schema: int, raw: RawLog, life: Life, host: Host
    ) -> None:
        super().__init__()
        self._claim = Claim(node, version, schema)
        self._raw = raw
        self._life = life
        self._host = host
        self.state = RoleState()

    async def on_receive(self, message: Inbox) -> None:
        try:
            match message:
                case Look():
                    await self._look(message)
                case Yield():
                    await self._yield(message)
                case OwnershipEnded():
                    await self._ownership_ended(message)
                case _:
                    assert_never(message)
        except (CorruptRecord, StorageError) as exc:
            await self._break(in_words(exc))

    # ---- messages

    async def _look(self, look: Look) -> None:
        state = self.state
        match state.role:
            case Role.ABSENT | Role.BROKEN if look.holds or look.owns:
                await self._join(may_have_one=state.role is Role.ABSENT)
            case Role.JOINING:
                await self._join(may_have_one=False)
            case Role.FOLLOWING:
                await self._follower.catch_up()
                await self._release_what_is_not_owned()
        if state.role is Role.FOLLOWING and look.owns and self._may_claim(look):
            await self._try_to_own(look)

    async def _yield(self, message: Yield) -> None:
        if self.state.role is not Role.OWNER:
            return
        self._move(Role.YIELDING)
        await self._host.disown(finish=True)
        try:
            await self._follower.log.append(Kind.RELEASE, pack(Release(message.to)))
        except Fenced as exc:
            log.info("another took the partition before it was given away", why=str(exc))
        self._follow_again()

    async def _ownership_ended(self, message: OwnershipEnded) -> None:
        if self.state.role is not Role.OWNER or message.env is not self._follower.env:
            return
        log.warning("the partition is owned no more", why=str(message.why))
        await self._host.disown(finish=False)
        self._follow_again()

    # ---- what happens between two roles

    async def _join(self, *, may_have_one: bool) -> None:
        """`may_have_one`: a copy of before, with which the node only has to go on."""
        self._close()
        self._move(Role.JOINING)
        env = self._host.open_copy() if may_have_one else None
        if env is None:
            if await join(self._raw, self._host.new_copy, self._host.in_thread) is None:
                return
            env = self._host.open_copy()
            assert env is not None
        self.state.follower = Follower(self._raw, env, self._life, self._host.in_thread)
        self._move(Role.FOLLOWING)
        await self._follower.catch_up()

    async def _try_to_own(self, look: Look) -> None:
        self._move(Role.CLAIMING)
        self.state.claims += 1
        follower = self._follower
        if not await follower.log.claim(self._claim):
            self.state.lost += 1
            self._follow_again()
            return
        self._move(Role.OWNER)
        await self._host.own(follower.env, self._agree)

    async def _release_what_is_not_owned(self) -> None:
        """This life has claimed the partition, and its Store could not go on, for a reason of its
        own: as long as the log calls it the owner, and it lives, nobody else claims."""
        own = self._follower.log
        if own.chain.life != self._life.name:
            return
        own.epoch = own.chain.epoch
        with suppress(Fenced):
            await own.append(Kind.RELEASE, pack(Release("")))
        self._follower.start_again()

    def _agree(self, rows: Collected) -> Position:
        """In the Store's thread. Raises: Fenced."""
        return self._host.wait(self._append(pack_rows(rows)))

    async def _append(self, body: bytes) -> Position:
        own = self._follower.log
        try:
            await own.append(Kind.GROUP, body)
        except CorruptRecord as exc:
            raise Fenced(in_words(exc)) from exc
        return position_of(own.generation, own.chain)

    def _may_claim(self, look: Look) -> bool:
        chain = self._follower.log.chain
        return may_claim(chain.life, look.lives, is_released=chain.released_to is not None)

    def _follow_again(self) -> None:
        self._follower.start_again()
        self._move(Role.FOLLOWING)

    async def _break(self, why: str) -> None:
        log.error("the copy is dropped, and made anew from the log", why=why)
        if self.state.role in (Role.OWNER, Role.YIELDING):
            await self._host.disown(finish=False)
        self.state.why = why
        self._move(Role.BROKEN)

    # ---- state

    @property
    def _follower(self) -> Follower:
        assert self.state.follower is not None, f"{self.state.role} without a copy"
        return self.state.follower

    def _move(self, to: Role) -> None:
        self.state.role = moved(self.state.role, to)

    def _close(self) -> None:
        follower, self.state.follower = self.state.follower, None
        if follower is not None:
            follower.env.close()

    def on_stop(self) -> None:
        self._close()
