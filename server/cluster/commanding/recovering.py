"""Partitions that have stopped begin anew with the copies of one node.

The node that is asked has that one do it, and waits for a while; who asks again hears of the same
work. It holds no promise: if it ends, what was not done yet has stopped still, and the command is
given once more. What is not safe is left out, with the reason: the operator decides, and nothing is
given up by a command that did not say so.
"""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from aiohttp import web
from msgspec.structs import replace

from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.messages import Recover
from hookbundle.actors.replication.recovery import begun_empty
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import (
    ClusterUnusable,
    Conflict,
    HookbundleError,
    LogDamaged,
    NotFound,
    Overloaded,
)
from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import CopyAt, Role, is_further
from hookbundle.server.cluster.asked import Asked, NotAsked
from hookbundle.server.cluster.commanding.asking import JSON, becomes
from hookbundle.server.cluster.partitions.holding import copies_of, owner_at, stopped_at
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.http.authentication import Caller, caller_of
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.cluster import RecoverIn, RecoveryOut
from hookbundle.storage.cluster_facts import ClusterRecovered, OfCluster
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.opening import open_environment

if TYPE_CHECKING:
    from hookbundle.server.cluster.node import Node

PATH = "/cluster/recover"
ANSWER_S = 15.0  # less than a node waits for another one's answer
NOTICED_S = 10.0  # within which a log says that it is lost
OWNED_WITHIN_S = 60.0  # after its log has begun anew
HELD = frozenset({Role.FOLLOWING, Role.OWNER, Role.STOPPED})

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RecoveryState:
    """`partitions`: that begin anew, `done` those that have an owner again. `doing`: what is under
    way; empty if it is over. `left_out`: what was not done, and why."""

    partitions: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    doing: str = ""
    left_out: list[str] = field(default_factory=list)
    record_made: bool = False


class Recovering:
    """`recover()` at the node that is asked; `close()` ends what is under way at this one."""

    def __init__(self, node: "Node", tell: Callable[[OfCluster], None]) -> None:
        """`tell` is told what came of it, at the node whose copies they are."""
        self._node = node
        self._tell = tell
        self._name = node.cluster.node
        self._state = RecoveryState()
        self._task: asyncio.Task[None] | None = None

    def between_nodes(self) -> list[Route]:
        """What the others ask of this one."""
        return [Route(method="POST", path=PATH, handler=self._asked, summary="")]

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def recover(self, wanted: RecoverIn, caller: str) -> RecoveryOut:
        """Raises: NotFound if the node is not there; Conflict, Overloaded; AnswerLost."""
        asks = Caller(caller, "admin")
        asked = Asked("POST", PATH, JSON, msgspec.json.encode(wanted), asks)
        try:
            answered = await self._node.ask(wanted.node, asked)
        except NotAsked:
            raise NotFound.of(Code.NO_NODE, node=wanted.node) from None
        if answered.status == Overloaded.of(Code.LOG_WAITS).status:
            raise Overloaded.of(Code.LOG_WAITS)
        if answered.status != 200:
            raise Conflict.of(Code.NODE_REFUSES, node=wanted.node)
        return msgspec.json.decode(answered.body, type=RecoveryOut)

    # ---- at the node whose copies they are

    async def _asked(self, request: web.Request) -> web.Response:
        wanted = await body_of(request, RecoverIn)
        if self._task is None or self._task.done():
            node = self._node
            if node.neighbours.heard_s() < node.cluster.dead_after_s:
                # Another node may have more, and was not heard yet.
                raise Overloaded.of(Code.LOG_WAITS)
            self._state = RecoveryState(doing="begins")
            self._task = asyncio.create_task(
                self._run(wanted, self._state, caller_of(request)), name="recovery"
            )
        await asyncio.wait([self._task], timeout=ANSWER_S)
        state = self._state
        return json_response(
            RecoveryOut(
                self._name,
                list(state.partitions),
                list(state.done),
                state.doing,
                list(state.left_out),
                state.record_made,
            )
        )

    async def _run(self, wanted: RecoverIn, state: RecoveryState, caller: str) -> None:
        try:
            await self._recover(wanted, state)
        except Exception as exc:
            log.error("recovery ended", exc_info=exc)
            state.left_out.append(f"{state.doing}: {exc}")
        finally:
            state.doing = ""
        if state.partitions or state.left_out or state.record_made:
            self._tell(
                ClusterRecovered(
                    node=self._name,
                    caller=caller,
                    partitions=tuple(state.partitions),
                    owned=tuple(state.done),
                    left_out=tuple(state.left_out),
                    force=wanted.force,
                    empty=wanted.empty,
                    record_made=state.record_made,
                )
            )

    async def _recover(self, wanted: RecoverIn, state: RecoveryState) -> None:
        node = self._node
        log.warning("recovery", force=wanted.force, empty=wanted.empty)
        state.doing = "the cluster's record"
        try:
            state.record_made = await node.neighbours.make_record(wanted.replicas)
        except (ClusterUnusable, Overloaded) as exc:
            state.left_out.append(f"the cluster's record: {exc}")
            return
        if state.record_made:
            await self._notice()
        begin: dict[int, Callable[[int], Any]] = {}
        for number in node.hosts:
            live = node.live()
            if stopped_at(live, number):
                if (why := self._why_not(number, live, wanted)) is not None:
                    state.left_out.append(f"partition {number}: {why}")
                else:
                    begin[number] = self._anew
            elif not _held(live, number) and await self._is_lost(number):
                if wanted.empty:
                    begin[number] = self._empty
                else:
                    state.left_out.append(
                        f"partition {number}: its log is lost, and no node that lives has a copy; "
                        "start one that has, or have it begin empty (--empty)"
                    )
        state.partitions = list(begin)
        for number, work in begin.items():
            state.doing = f"partition {number}: its log begins anew"
            try:
                await work(number)
            except HookbundleError as exc:
                state.left_out.append(f"partition {number}: {exc}")
        state.doing = "nodes make their copies anew"
        await becomes(lambda: not self._unowned(begin), OWNED_WITHIN_S)
        unowned = self._unowned(begin)
        state.done = [number for number in begin if number not in unowned]

    async def _notice(self) -> None:
        """Owners that had nothing to write since ask their logs, and stop if these are lost, too:
        without a follower nobody would have noticed it, and they were left out."""
        own = [self._noticed(number, owned) for number, owned in self._node.owned.items()]
        if own:
            await asyncio.wait([asyncio.gather(*own)], timeout=NOTICED_S)

    async def _noticed(self, number: int, owned: Owned) -> None:
        try:
            await owned.partition.store_queue.confirmed()
        except HookbundleError:
            role = self._node.hosts[number].role
            await becomes(lambda: role.state.role is Role.STOPPED, NOTICED_S)

    def _unowned(self, numbers: Mapping[int, object]) -> set[int]:
        live = self._node.live()
        return {each for each in numbers if not owner_at(live, each) or stopped_at(live, each)}

    def _why_not(self, number: int, live: Mapping[str, Beat], wanted: RecoverIn) -> str | None:
        """Why the partition does not begin anew with this node's copy; None if it does."""
        held = _held(live, number)
        mine = held.get(self._name)
        best, furthest = self._furthest(number, held)
        if mine is None:
            return f"{self._name} has no copy of it; {best} has the one that has come furthest"
        owner = next((name for name, each in held.items() if each.role is Role.OWNER), None)
        if owner is not None and owner != self._name and mine.role is not Role.STOPPED:
            return (
                f"{owner} owns it and goes on; recover from {owner}, and the copies that have what "
                "its log has not are made anew"
            )
        if wanted.force:
            return None
        if owner is not None and owner != self._name:
            return f"{owner} owns it and goes on; --force gives up what was stored there since"
        if is_further(furthest, mine):
            return f"{best} has {_more(furthest, mine)} than {self._name}; --force gives that up"
        return None

    def _furthest(self, number: int, held: Mapping[str, CopyAt]) -> tuple[str, CopyAt]:
        """The node whose copy has come furthest, be it one that is not there any more."""
        known = self._node.assigning.furthest
        best, found = known.where(number), known.of(number) or CopyAt(Role.ABSENT)
        for name, copy in held.items():
            if is_further(copy, found) or copy == found:
                best, found = name, copy
        return best, found

    async def _is_lost(self, number: int) -> bool:
        """Whether there is nothing that a node could make a copy from."""
        raw = self._node.neighbours.log_of(number)
        try:
            oldest = await raw.oldest()
            if oldest is None:
                return not await raw.generations()
            return await raw.last(oldest) == 0
        except LogDamaged:
            return True

    def _above(self, number: int) -> tuple[Generation, ...]:
        """Generations of the partition that were heard of."""
        copies = [*_held(self._node.live(), number).values()]
        copies.append(self._node.assigning.furthest.of(number) or CopyAt(Role.ABSENT))
        return tuple(copy.generation for copy in copies if copy.generation is not None)

    async def _anew(self, number: int) -> None:
        """Raises: HookbundleError."""
        told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        role = self._node.hosts[number].role.actor_ref
        role.tell(Recover(above=self._above(number), then=told.set_result))
        done = await told
        if isinstance(done, HookbundleError):
            raise done

    async def _empty(self, number: int) -> None:
        """Raises: StorageError."""
        node = self._node
        raw, now_ms = node.neighbours.log_of(number), node.clock.now_ms
        with tempfile.TemporaryDirectory(dir=node.config.data) as folder:
            env = open_environment(Path(folder), now_ms())
            try:
                life = Life(node.life, node.neighbours.schema, now_ms)
                identity = replace(env.identity, schema=life.schema)
                with env.write() as txn:
                    txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
                await begun_empty(raw, env, life, self._above(number))
            finally:
                env.close()


def _held(live: Mapping[str, Beat], number: int) -> dict[str, CopyAt]:
    """The whole copies of live nodes."""
    found = copies_of(live, number)
    return {name: copy for name, copy in found.items() if copy.role in HELD}


def _more(copy: CopyAt, other: CopyAt) -> str:
    if copy.generation == other.generation:
        return f"{copy.seq - other.seq} entries more"
    return f"entries of a later generation, {copy.generation},"
