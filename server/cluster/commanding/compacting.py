"""Logs and copies of the whole cluster are made anew, so that nothing that was deleted is left.

Partition by partition: the log goes on in a new generation, the copies that follow are written
anew, then the owner's, which gives the partition away for that, and the old generations are
deleted. So one copy at most does not follow, and the log is renewed before any copy is, for a copy
that follows an old one would take deleted texts from there. A node that was away for its turn has
one at the end, if it is back; if not, it is named: its disk has what was deleted. One of which no
copy is heard has to say itself that it has none: it may have been started just now.

The node that was asked goes through them, and says in its beats how far it is (known.py). It holds
no promise: if it ends, what was not done yet is not done, all others say so, and the command is
given once more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec
import structlog

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, HookbundleError
from hookbundle.engine.replication.beats import LINE_CHARS_MAX, Compaction, Held
from hookbundle.engine.replication.entries import NUMBER_MAX, Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.asked import AnswerLost, Asked, NotAsked
from hookbundle.server.cluster.commanding.asking import DONE, JSON, Nodes, is_done
from hookbundle.server.cluster.commanding.going_through import CALLER_CHARS_MAX, GoingThrough
from hookbundle.server.cluster.commanding.known import Known
from hookbundle.server.cluster.commanding.rewriting import (
    AFTER,
    NO_COPY,
    RENEW,
    REWRITE,
    TIDIED,
    OfPartition,
)
from hookbundle.server.cluster.partitions.holding import held_at, owner_at
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.http.requests import number_of
from hookbundle.storage.cluster_facts import CompactionBegun, CompactionEnded, OfCluster

PARTITION_S = 3_600.0  # after which the next partition has its turn
AGAIN_S = 0.25
RECORD_S = 60.0
LEFT_OUT_MAX = 16  # that are named; more of the same would make beats long

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Compacting:
    """`begin()`, as often as it is wanted; `close()` ends what is under way."""

    def __init__(
        self,
        node: str,
        life: str,
        nodes: Nodes,
        partitions: int,
        known: Known[Compaction],
        registered: Callable[[], Awaitable[Registered]],
        tell: Callable[[OfCluster], None],
    ) -> None:
        """`node`, `life`: this one. `known`: what beats say. `registered`: all nodes, also those
        that do not run. `tell` is told of begin and end."""
        self._node = node
        self._life = life
        self._nodes = nodes
        self._partitions = partitions
        self._registered = registered
        self._tell = tell
        nothing = Compaction(0, node, life, "", partitions)
        self._work = GoingThrough(known, nodes.live, Code.COMPACTION_UNDER_WAY, nothing)

    def begin(self, caller: str, wall_ms: int) -> None:
        """Raises: Conflict while one is under way, at whichever node."""
        began_ms = self._work.may_begin(wall_ms)
        caller, partitions = caller[:CALLER_CHARS_MAX], self._partitions
        begun = Compaction(began_ms, self._node, self._life, caller, partitions)
        self._work.begin(begun, self._run(), "compaction")
        self._tell(CompactionBegun(node=self._node, caller=caller, partitions=partitions))

    async def close(self) -> None:
        await self._work.close()

    # ---- at the node that was asked

    def _leaves_out(self, why: str) -> None:
        left_out = (*self._work.state.left_out, f"{self._work.state.doing}: {why}"[:LINE_CHARS_MAX])
        self._work.says(left_out=left_out[:LEFT_OUT_MAX])

    async def _run(self) -> None:
        recorded = await self._recorded()
        missed: dict[tuple[int, str], int] = {}
        for number in range(self._partitions):
            missed |= await self._has_its_turn(number, self._partition(number, recorded), {})
            self._work.says(done=self._work.state.done + 1)
        await self._catch_up(missed)
        self._work.says(doing="")
        over = self._work.state
        self._tell(
            CompactionEnded(
                node=over.node,
                caller=over.caller,
                partitions=over.partitions,
                left_out=over.left_out,
            )
        )

    async def _has_its_turn(self, number: int, work: Awaitable[T], failed: T) -> T:
        """What the work answers; `failed` if it has, which is left out already."""
        try:
            async with asyncio.timeout(PARTITION_S):
                return await work
        except TimeoutError:
            self._leaves_out("not done in time")
        except Exception as exc:  # whatever it is, the other partitions have their turn
            log.error("partition not compacted", partition=number, exc_info=exc)
            self._leaves_out("internal error")
        return failed

    async def _recorded(self) -> list[str]:
        """The nodes of the cluster. One of the log servers may be away, and this node on its way to
        another one."""
        self._work.says(doing="the nodes that do not run")
        try:
            async with asyncio.timeout(RECORD_S):
                while (found := await self._read()) is None:
                    await asyncio.sleep(AGAIN_S)
        except TimeoutError:
            self._leaves_out("the log servers did not say which")
            return []
        return [each.name for each in found.nodes]

    async def _read(self) -> Registered | None:
        """None if nobody can say."""
        try:
            return await self._registered()
        except HookbundleError:
            return None

    async def _partition(self, number: int, recorded: list[str]) -> dict[tuple[int, str], int]:
        """The copies of nodes that may have been away for their turn, each with the least number
        of a generation that it has to come to."""
        self._work.says(doing=f"partition {number}: its log")
        least = await self._renewed(number)
        asked, done = set[str](), set[str]()
        while (node := self._next(number, asked)) is not None:
            asked.add(node)
            if await self._rewritten(number, node, least):
                done.add(node)
        self._work.says(doing=f"partition {number}: its former logs")
        while (owner := self._owner(number)) is None or not await self._does(owner, TIDIED, number):
            await asyncio.sleep(AGAIN_S)
        # Who has made its copy meanwhile may have read a log that is deleted now.
        others = {*recorded, *asked, *self._held(number)} - done
        return {(number, node): least for node in others}

    async def _catch_up(self, missed: Mapping[tuple[int, str], int]) -> None:
        """Nodes that are back have their turn; those that are not are left out, also if they come
        back a moment later."""
        away = set()
        for (number, node), least in missed.items():
            if not await self._has_its_turn(number, self._rewritten(number, node, least), True):
                away.add(node)
        for node in sorted(away):
            self._work.says(doing=f"the copies of {node}")
            self._leaves_out("it does not run")

    async def _renewed(self, number: int) -> int:
        """The number of the generation in which its log goes on."""
        after = epoch = -1
        while True:
            live = self._nodes.live()  # once: at the next look its owner may be gone
            owner = owner_at(live, number)
            if owner is not None:
                held = live[owner].held[number]
                now = _number_of(held)
                if held.epoch == epoch and now > after:
                    return now
                # Who takes it over meanwhile does not know that it is to be renewed.
                if held.epoch != epoch:
                    least = await self._renews(owner, number)
                    if least is not None:
                        after, epoch = max(least, now), held.epoch
            await asyncio.sleep(AGAIN_S)

    async def _renews(self, node: str, number: int) -> int | None:
        """After which generation it is renewed, -1 if an earlier version does not say; None if it
        is to be asked once more."""
        asked = Asked("POST", RENEW, JSON, msgspec.json.encode(self._of(number)))
        try:
            answered = await self._nodes.ask(node, asked)
        except (NotAsked, AnswerLost):
            return None
        if answered.status != DONE:
            return None
        after = number_of(dict(answered.headers).get(AFTER, ""), NUMBER_MAX)
        return -1 if after is None else after

    def _of(self, number: int) -> OfPartition:
        return OfPartition(number, self._work.state.began_ms)

    def _next(self, number: int, asked: set[str]) -> str | None:
        """The node whose copy is next, its owner at last; None if there are no others."""
        owner = self._owner(number)
        left = [name for name in sorted(self._held(number)) if name not in asked]
        return next((name for name in left if name != owner), left[0] if left else None)

    async def _rewritten(self, number: int, node: str, least: int) -> bool:
        """Whether nothing is left of what its copy was; False if the node is not heard."""
        self._work.says(doing=f"partition {number}: the copy of {node}")
        while (beat := self._nodes.live().get(node)) is not None:
            held = beat.held.get(number)
            if held is None:
                is_done = await self._does(node, NO_COPY, number)
            else:
                is_new = held.role in (Role.FOLLOWING, Role.OWNER) and _number_of(held) >= least
                is_done = is_new and await self._does(node, REWRITE, number)
            if is_done:
                return True
            await asyncio.sleep(AGAIN_S)
        return False

    def _held(self, number: int) -> dict[str, Held]:
        return held_at(self._nodes.live(), number)

    def _owner(self, number: int) -> str | None:
        return owner_at(self._nodes.live(), number)

    async def _does(self, node: str, path: str, number: int) -> bool:
        return await is_done(self._nodes, node, path, self._of(number))


def _number_of(held: Held) -> int:
    """Of the generation that it has come to; -1 if it is none."""
    try:
        return Generation.read(held.generation).number
    except CorruptRecord:
        return -1
