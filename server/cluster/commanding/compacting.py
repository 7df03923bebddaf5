"""Logs and copies of the whole cluster are made anew, so that nothing that was deleted is left.

Partition by partition: the log goes on in a new generation, the copies that follow are written
anew, then the owner's, which gives the partition away for that, and the old generations are
deleted. So one copy at most does not follow, and the log is renewed before any copy is, for a copy
that follows an old one would take deleted texts from there. A node that was away for its turn has
one at the end, if it is back; if not, it is named: its disk has what was deleted.

The node that was asked goes through them, and says in its beats how far it is (known.py). It holds
no promise: if it ends, what was not done yet is not done, all others say so, and the command is
given once more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
from aiohttp import web

from hookbundle.actors.replication.messages import Renew, RewriteCopy
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, HookbundleError
from hookbundle.engine.replication.beats import LINE_CHARS_MAX, Compaction, Held
from hookbundle.engine.replication.entries import NUMBER_MAX, Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.asked import Asked
from hookbundle.server.cluster.commanding.asking import JSON, Nodes, told
from hookbundle.server.cluster.commanding.going_through import CALLER_CHARS_MAX, GoingThrough
from hookbundle.server.cluster.commanding.known import Known
from hookbundle.server.cluster.partitions.holding import held_at, owner_at
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.server.cluster.routing import AnswerLost, NotAsked
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.http.requests import body_of, number_of
from hookbundle.server.http.routes import Route
from hookbundle.storage.cluster_facts import CompactionBegun, CompactionEnded, OfCluster

RENEW = "/cluster/renew"
REWRITE = "/cluster/rewrite"
TIDIED = "/cluster/tidied"
PARTITION_S = 3_600.0  # after which the next partition has its turn
ANSWER_S = 20.0  # less than a node waits for another one's answer
AGAIN_S = 0.25
RECORD_S = 60.0
LEFT_OUT_MAX = 16  # that are named; more of the same would make beats long
DONE, NOT_YET = 204, 202
AFTER = "Hb-After"
"""Says that a log is as it was asked for in a generation of a greater number: one that was begun
before it was asked for may have what was deleted since."""

log = structlog.get_logger(__name__)


class OfPartition(msgspec.Struct, frozen=True):
    """`began_ms`: of the compaction, which no other has; a node of an earlier version says none."""

    partition: int
    began_ms: int = 0


class Compacting:
    """`begin()`, as often as it is wanted; `close()` ends what is under way."""

    def __init__(
        self,
        node: str,
        life: str,
        nodes: Nodes,
        hosts: Mapping[int, PartitionHost],
        known: Known[Compaction],
        registered: Callable[[], Awaitable[Registered]],
        tell: Callable[[OfCluster], None],
    ) -> None:
        """`node`, `life`: this one. `known`: what beats say. `registered`: all nodes, also those
        that do not run. `tell` is told of begin and end."""
        self._node = node
        self._life = life
        self._nodes = nodes
        self._hosts = hosts
        self._registered = registered
        self._tell = tell
        self._rewriting: dict[int, tuple[int, asyncio.Future[Any]]] = {}
        nothing = Compaction(0, node, life, "", len(hosts))
        self._work = GoingThrough(known, nodes.live, Code.COMPACTION_UNDER_WAY, nothing)

    def between_nodes(self) -> list[Route]:
        """What the others ask of this one."""
        asked = {RENEW: self._renew, REWRITE: self._rewrite, TIDIED: self._tidied}
        return [
            Route(method="POST", path=path, handler=handler, summary="")
            for path, handler in asked.items()
        ]

    def begin(self, caller: str, wall_ms: int) -> None:
        """Raises: Conflict while one is under way, at whichever node."""
        began_ms = self._work.may_begin(wall_ms)
        caller, partitions = caller[:CALLER_CHARS_MAX], len(self._hosts)
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
        for number in self._hosts:
            await self._has_its_turn(number, self._partition(number, recorded, missed))
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

    async def _has_its_turn(self, number: int, work: Awaitable[object]) -> None:
        try:
            async with asyncio.timeout(PARTITION_S):
                await work
        except TimeoutError:
            self._leaves_out("not done in time")
        except Exception as exc:  # whatever it is, the other partitions have their turn
            log.error("partition not compacted", partition=number, exc_info=exc)
            self._leaves_out("internal error")

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

    async def _partition(
        self, number: int, recorded: list[str], missed: dict[tuple[int, str], int]
    ) -> None:
        """What may have been away for its turn is put into `missed`, with the least number of a
        generation that its copy has to come to."""
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
        missed.update({(number, node): least for node in {*recorded, *asked} - done})

    async def _catch_up(self, missed: Mapping[tuple[int, str], int]) -> None:
        """Nodes that are back have their turn; the others are left out."""
        for (number, node), least in missed.items():
            await self._has_its_turn(number, self._rewritten(number, node, least))
        for node in sorted({node for _, node in missed} - set(self._nodes.live())):
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
        """False if the node holds no copy, as far as is heard of it."""
        self._work.says(doing=f"partition {number}: the copy of {node}")
        while (held := self._held(number).get(node)) is not None:
            is_new = held.role in (Role.FOLLOWING, Role.OWNER) and _number_of(held) >= least
            if is_new and await self._does(node, REWRITE, number):
                return True
            await asyncio.sleep(AGAIN_S)
        return False

    def _held(self, number: int) -> dict[str, Held]:
        return held_at(self._nodes.live(), number)

    def _owner(self, number: int) -> str | None:
        return owner_at(self._nodes.live(), number)

    async def _does(self, node: str, path: str, number: int) -> bool:
        """Whether it is done; else it is asked for once more."""
        try:
            return await told(self._nodes, node, path, self._of(number)) == DONE
        except (NotAsked, AnswerLost):
            return False

    # ---- at each node

    async def _renew(self, request: web.Request) -> web.Response:
        role = self._host(await body_of(request, OfPartition)).role
        if role.state.maintenance is None:
            return web.Response(status=NOT_YET)
        after = role.state.maintenance.latest
        role.actor_ref.tell(Renew())
        return web.Response(status=DONE, headers={AFTER: str(after.number)})

    async def _rewrite(self, request: web.Request) -> web.Response:
        """Waits for a while; who asks again for the same compaction hears of the same work."""
        asked = await body_of(request, OfPartition)
        host = self._host(asked)
        of, work = self._rewriting.get(host.number, (asked.began_ms, None))
        if work is None or of != asked.began_ms:
            # What was done for an earlier one has in it what was deleted since.
            work = asyncio.get_running_loop().create_future()
            self._rewriting[host.number] = asked.began_ms, work
            host.role.actor_ref.tell(RewriteCopy(then=work.set_result))
        await asyncio.wait([work], timeout=ANSWER_S)
        if not work.done():
            return web.Response(status=NOT_YET)
        if self._rewriting.get(host.number) == (asked.began_ms, work):
            del self._rewriting[host.number]
        is_done = not isinstance(work.result(), HookbundleError)
        if not is_done:
            log.warning("copy not written anew", partition=host.number, why=str(work.result()))
        return web.Response(status=DONE if is_done else NOT_YET)

    async def _tidied(self, request: web.Request) -> web.Response:
        maintenance = self._host(await body_of(request, OfPartition)).role.state.maintenance
        is_tidy = maintenance is not None and maintenance.state.left == 0
        return web.Response(status=DONE if is_tidy else NOT_YET)

    def _host(self, asked: OfPartition) -> PartitionHost:
        return self._hosts[asked.partition]


def _number_of(held: Held) -> int:
    """Of the generation that it has come to; -1 if it is none."""
    try:
        return Generation.read(held.generation).number
    except CorruptRecord:
        return -1
