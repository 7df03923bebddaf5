"""What a node is for a partition, and how it becomes owner (engine/replication/roles.py).

The actor holds the node's copy. It follows, claims, hands the copy to the Store and takes it back.
One thread writes the copy at a time: the follower's while it follows, the Store's while it owns,
and the change of hands is a message here. It never decides who should own what: those who know the
nodes send `Look` now and then, and `Yield`.

A copy that can't be used is made anew, and stays until the new one is whole. If it is the log that
has lost something, the copy stays for good: it may be the only one that has it (recovery.py).

What happens to the partition itself (Store, timer, chats, webhooks) is the `Host`'s.
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import assert_never

import structlog

from hookbundle.actors.replication.appending import Appending
from hookbundle.actors.replication.held_copy import HeldCopy, aside
from hookbundle.actors.replication.log import Life, RawLog
from hookbundle.actors.replication.maintenance import Maintenance
from hookbundle.actors.replication.messages import (
    CloseCopy,
    Host,
    Inbox,
    Look,
    MakeAnew,
    OwnershipEnded,
    ReadOn,
    RecordDamaged,
    Recover,
    Renew,
    RewriteCopy,
    Yield,
)
from hookbundle.actors.replication.recovery import recovered
from hookbundle.actors.replication.releasing import release
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import (
    Conflict,
    CorruptRecord,
    Fenced,
    HookbundleError,
    LogDamaged,
    StorageError,
    in_words,
)
from hookbundle.engine.replication.assignment import may_claim
from hookbundle.engine.replication.entries import Claim, Kind, Release, pack
from hookbundle.engine.replication.renewal import Rules
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.maintenance.replication.copies import rewrite_copy

KEPT = frozenset({Role.FOLLOWING, Role.OWNER, Role.STOPPED})
BETWEEN = frozenset({Role.CLAIMING, Role.YIELDING})

log = structlog.get_logger(__name__)


class RoleActor(HeldCopy):
    """Belongs to one partition on one node."""

    def __init__(
        self,
        node: str,
        version: str,
        schema: int,
        raw: RawLog,
        life: Life,
        host: Host,
        rules: Rules | None = None,
    ) -> None:
        """`schema`: the latest that the node knows; it claims nothing whose rows have a later one.
        What it writes is the schema of its `life`."""
        super().__init__(node, raw, life, host)
        self._version = version
        self._known = schema
        self._rules = rules or Rules()
        self._using = asyncio.Lock()  # held by those who use the log of an owner

    async def on_receive(self, message: Inbox) -> None:
        try:
            match message:
                case Look():
                    await self._look(message)
                case ReadOn():
                    if self.state.role is Role.FOLLOWING:
                        await self._follower.catch_up()
                case Yield():
                    await self._yield(message)
                case OwnershipEnded():
                    await self._ownership_ended(message)
                case Renew():
                    if self.state.maintenance is not None:
                        self.state.maintenance.ask()
                case RewriteCopy():
                    await self._rewrite(message)
                case Recover():
                    await self._recover(message)
                case CloseCopy():
                    self._cancel_maintenance()
                    await self._close()
                case RecordDamaged():
                    await self._record_damaged(message)
                case MakeAnew():
                    message.then(self.state.role is Role.FOLLOWING)
                    if self.state.role is Role.FOLLOWING:
                        await self._break(message.why)
                case _:
                    assert_never(message)
        except StorageError as exc:
            await self._failed(exc)
        except Exception:
            if self.state.role in BETWEEN:
                self.stop()  # nobody would leave that role
            raise

    # ---- messages

    async def _look(self, look: Look) -> None:
        state = self.state
        self._life.schema = max(self._life.schema, look.schema)
        state.copies = look.copies or {}
        is_wanted = look.holds or look.owns
        match state.role:
            case Role.ABSENT if is_wanted or state.may_have_one:
                await self._join(is_wanted=is_wanted)
            case Role.BROKEN | Role.JOINING if is_wanted:
                await self._join(is_wanted=True)
            case Role.JOINING:
                self._leave()
            case Role.STOPPED:
                await self._look_again(look)
            case Role.FOLLOWING:
                await self._follower.catch_up()
                await self._release_what_is_not_owned()
            case Role.OWNER if state.maintenance is not None:
                state.maintenance.look(look.copies)
                if self._follower.env.identity.schema < self._life.schema:
                    self._host.raise_schema(self._life.schema)
                await self._recognise()
                await self._heal()
        is_claimable = state.role is Role.FOLLOWING and look.owns and self._may_claim(look)
        # Others may have written to a log that has lost something, since this copy was opened.
        if is_claimable and await self._follower.recognises():
            await self._try_to_own()
        if state.role in (Role.FOLLOWING, Role.BROKEN) and not is_wanted:
            await self._give_up_if_possible(look)

    async def _yield(self, message: Yield) -> None:
        if self.state.role is not Role.OWNER:
            return
        self._move(Role.YIELDING)
        await self._disown(finish=True)
        try:
            async with self._using:
                await self._follower.log.append(Kind.RELEASE, pack(Release(message.to)))
        except Fenced as exc:
            log.info("another took the partition before it was given away", why=str(exc))
        self._follow_again()

    async def _ownership_ended(self, message: OwnershipEnded) -> None:
        follower = self.state.follower
        if self.state.role is not Role.OWNER or follower is None or message.env is not follower.env:
            return
        if isinstance(message.why.__cause__, LogDamaged):
            raise message.why.__cause__
        if not isinstance(message.why, Fenced):
            await self._break(in_words(message.why))
            return
        log.warning("the partition is owned no more", why=str(message.why))
        await self._disown(finish=False)
        self._follow_again()

    async def _record_damaged(self, message: RecordDamaged) -> None:
        if self.state.role is Role.OWNER and message.env is self._follower.env:
            self.state.damaged = in_words(message.why)
            await self._heal()

    async def _heal(self) -> None:
        """Another node may have a damaged record as it should be; this one makes its copy anew."""
        if self.state.heals(self._node, self._now_s()):
            await self._yield(Yield(to=""))
            await self._break(self.state.damaged)

    async def _rewrite(self, message: RewriteCopy) -> None:
        await self._yield(Yield(to=self._node))  # others may claim it as well as this node
        if self.state.role is not Role.FOLLOWING:
            message.then(Conflict.of(Code.NO_WHOLE_COPY))
            return
        path = self._follower.env.path
        self._move(Role.JOINING)
        await self._close()
        try:
            message.then(await aside(partial(rewrite_copy, path, self._host.go_on)))
        except HookbundleError as exc:
            message.then(exc)
            await self._open()
            if isinstance(exc, CorruptRecord):
                raise
            return
        await self._open()

    async def _recover(self, message: Recover) -> None:
        state = self.state
        if state.role not in KEPT or not state.can_read(self._known):
            message.then(Conflict.of(Code.NO_WHOLE_COPY))
            return
        if state.role is Role.OWNER:
            await self._disown(finish=True)
        self._hold("it is being recovered")
        claim, in_thread = Claim(self._node, self._version, self._life.schema), self._host.in_thread
        try:
            done = await recovered(self._follower, claim, message.above, in_thread)
        except HookbundleError as exc:
            log.warning("the log does not begin anew", why=in_words(exc))
            message.then(exc)
            return
        log.info("the log begins anew with this copy", generation=str(done.generation))
        message.then(done)
        raise LogDamaged("it was begun anew")

    # ---- what happens between two roles

    async def _try_to_own(self) -> None:
        self._move(Role.CLAIMING)
        self.state.claims += 1
        follower, life = self._follower, self._life
        # Who owned it before may have heard earlier that the cluster writes a later one.
        life.schema = max(life.schema, self.state.schema())
        if not await follower.log.claim(Claim(self._node, self._version, life.schema)):
            self.state.lost += 1
            self._follow_again()
            return
        self._move(Role.OWNER)
        self.state.taken += 1
        self.state.owned_since_ms = self._life.now_ms()
        self.state.damaged = ""
        host = self._host
        await host.own(follower.env, Appending(follower, host, self._using).agree)
        maintenance = Maintenance(follower, host.in_thread, host.confirm, self._rules, self._using)
        maintenance.start()
        self.state.maintenance = maintenance

    async def _disown(self, *, finish: bool) -> None:
        """The Store works no more, and nobody uses the log."""
        await self._host.disown(finish=finish)
        maintenance, self.state.maintenance = self.state.maintenance, None
        if maintenance is not None:
            await maintenance.stop()

    async def _release_what_is_not_owned(self) -> None:
        """This life has claimed the partition, and its Store could not go on, for a reason of its
        own: as long as the log calls it the owner, and it lives, nobody else claims."""
        own = self._follower.log
        if own.chain.life == self._life.name and self._follower.is_known:
            with suppress(Fenced):
                await release(own, self._life)
            self._follower.start_again()

    def _may_claim(self, look: Look) -> bool:
        """Raises: LogDamaged if it ends too early."""
        if not self.state.can_read(self._known):
            return False
        chain = self._follower.log.chain
        if not self._follower.is_known or self.state.lacks(look.furthest, self._now_s()):
            return False
        if not look.judges and chain.life and chain.owner != self._node:
            return False
        return may_claim(chain.life, look.lives, is_released=chain.released_to is not None)

    def _follow_again(self) -> None:
        self._follower.start_again()
        self._move(Role.FOLLOWING)

    def _cancel_maintenance(self) -> None:
        if self.state.maintenance is not None:
            self.state.maintenance.cancel()

    def on_stop(self) -> None:
        """Who can wait sends `CloseCopy` before."""
        self._cancel_maintenance()
        follower, self.state.follower = self.state.follower, None
        if follower is not None:
            follower.env.close()
