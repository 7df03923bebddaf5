"""The cluster as this node sees it: its nodes, its partitions, and what needs a person.

It is what beats say, so it is the same on every node within half a second, and it can be asked for
while the log servers are gone; but for nodes that do not run and what could be written, which the
log servers have on record.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from hookbundle.engine.replication.assignment import given_to
from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.members import behind, owners
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.partitions import placing
from hookbundle.server.cluster.versions import Registered, in_words
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.cluster import CompactionOut
from hookbundle.server.http.schemas.times import iso

PATH = "/v1/cluster"
APART_MS = 1_000  # clocks of nodes that are further apart are named

RECORD_LOST = (
    "the log servers have no record of the cluster: if they have lost their disks, `hookbundle "
    "cluster recover` makes it anew; if they are not the cluster's, mend cluster.servers"
)


class NodeOut(msgspec.Struct, frozen=True):
    """`clock_ahead_ms`: of this node's clock, to within half a second."""

    name: str
    version: str
    owns: int
    follows: int
    leaves: bool
    clock_ahead_ms: int
    free_bytes: int


class CopyOut(msgspec.Struct, frozen=True):
    """`behind`: entries of the log; None if nobody can say. `generation`, `entry`: how far it has
    come in the log; empty and 0 if that is not known."""

    node: str
    role: Role
    behind: int | None
    generation: str = ""
    entry: int = 0


class PartitionOut(msgspec.Struct, frozen=True):
    """`given_to`: the node that it was given to by command; None if it is assigned as all are.
    `stopped`: a copy has what the log has lost, so that nobody takes the partition over.

    `log_bytes`: of its log's generation. `voids`: entries of the log that count for nobody, since
    the owner has read it. `taken_at`: when the owner has taken it, by its clock. None without an
    owner.
    """

    number: int
    owner: str | None
    given_to: str | None
    epoch: int
    generation: str
    copies: list[CopyOut]
    log_bytes: int | None = None
    voids: int | None = None
    taken_at: str | None = None
    stopped: bool = False


class ClusterOut(msgspec.Struct, frozen=True):
    """`hears`: whether this node hears its own beats. `warnings`: what needs a person.
    `compaction`: the last one, at whichever node. `schema`: which the cluster writes.
    `upgrade`: to which it could be raised now; None if that is none, or nobody can say.
    `record_lost`: the log servers have no record of the cluster."""

    node: str
    hears: bool
    nodes: list[NodeOut]
    partitions: list[PartitionOut]
    warnings: list[str]
    compaction: CompactionOut | None
    schema: int
    upgrade: int | None
    record_lost: bool = False


class WhereOut(msgspec.Struct, frozen=True):
    workspace: str
    partition: int
    owner: str | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard at one moment. `broken`, `stopped`: why copies of this node can't be used, or
    have what their logs have not, by number. `registered`: what the log servers have on record;
    None if they did not say."""

    node: str
    partitions: int
    hears: bool
    live: Mapping[str, Beat]
    broken: Mapping[int, str]
    compaction: CompactionOut | None = None
    schema: int = 0
    registered: Registered | None = None
    stopped: Mapping[int, str] = field(default_factory=dict)
    record_lost: bool = False

    def overview(self) -> ClusterOut:
        held = {name: beat.held for name, beat in self.live.items()}
        owned, lag = owners(held), behind(held)
        given = {name: beat.given for name, beat in self.live.items() if not beat.leaves}
        partitions = []
        for number in range(self.partitions):
            copies = [
                CopyOut(
                    name,
                    each[number].role,
                    lag.get((number, name)),
                    each[number].generation,
                    each[number].seq,
                )
                for name, each in sorted(held.items())
                if number in each
            ]
            owner = owned.get(number)
            own = held[owner][number] if owner is not None else None
            partitions.append(
                PartitionOut(
                    number,
                    owner,
                    given_to(number, given) or None,
                    own.epoch if own else 0,
                    own.generation if own else "",
                    copies,
                    own.log_bytes if own else None,
                    own.voids if own else None,
                    iso(own.since_ms) if own and own.since_ms else None,
                    any(copy.role is Role.STOPPED for copy in copies),
                )
            )
        nodes = [self._node(beat) for _, beat in sorted(self.live.items())]
        warnings = self._warnings(nodes, partitions)
        return ClusterOut(
            self.node,
            self.hears,
            nodes,
            partitions,
            warnings,
            self.compaction,
            self.schema,
            self._upgrade(),
            self.record_lost,
        )

    def _upgrade(self) -> int | None:
        upgrade = self.registered.upgrade() if self.registered else None
        return None if upgrade is None or upgrade.behind else upgrade.schema

    def where(self, workspace_id: str) -> WhereOut:
        number = placing.of_workspace(workspace_id, self.partitions)
        owned = owners({name: beat.held for name, beat in self.live.items()})
        return WhereOut(workspace_id, number, owned.get(number))

    def _node(self, beat: Beat) -> NodeOut:
        roles = [each.role for each in beat.held.values()]
        return NodeOut(
            beat.node,
            beat.version,
            roles.count(Role.OWNER),
            roles.count(Role.FOLLOWING),
            beat.leaves,
            beat.wall_ms - self.live[self.node].wall_ms,
            beat.free_bytes,
        )

    def _warnings(self, nodes: list[NodeOut], partitions: list[PartitionOut]) -> list[str]:
        found = []
        if not self.hears:
            found.append(f"{self.node} hears nothing from the log servers")
        if self.record_lost:
            found.append(RECORD_LOST)
        found += [_stopped(each) for each in partitions if each.stopped]
        found += [f"copy {number} has stopped: {why}" for number, why in self.stopped.items()]
        if unowned := [str(each.number) for each in partitions if each.owner is None]:
            found.append(f"partitions without an owner: {', '.join(unowned)}")
        if single := [each.number for each in partitions if len(each.copies) < 2]:
            found.append(f"partitions with one copy: {', '.join(map(str, single))}")
        for node in nodes:
            if abs(node.clock_ahead_ms) > APART_MS:
                found.append(
                    f"the clock of {node.name} is {node.clock_ahead_ms / 1_000:+.0f} s off that of "
                    f"{self.node}"
                )
        found += in_words(self.live, self.registered)
        found += [f"copy {number} is broken: {why}" for number, why in self.broken.items()]
        compaction = self.compaction
        if compaction is not None and compaction.stopped:
            found.append(
                f"{compaction.node} has ended before its compaction was through, which "
                f"{compaction.caller} asked for: give the command again"
            )
        return found


def _stopped(partition: PartitionOut) -> str:
    copies = ", ".join(
        f"{copy.node} has entry {copy.entry} of {copy.generation}"
        for copy in partition.copies
        if copy.generation
    )
    return (
        f"partition {partition.number} has stopped: its log has lost what was acknowledged, and "
        f"copies have it ({copies}); `hookbundle cluster recover` says what to do"
    )


def routes(seen: Callable[[], Awaitable[ClusterOut]], heard: Callable[[], Heard]) -> list[Route]:
    """`GET /v1/cluster`, and `GET /v1/cluster/where/{id}` of a workspace; for operators."""

    async def show(request: web.Request) -> web.Response:
        return json_response(await seen())

    async def where(request: web.Request) -> web.Response:
        return json_response(heard().where(request.match_info["id"]))

    return [
        Route(method="GET", path=PATH, handler=show, summary="The cluster"),
        Route(method="GET", path=f"{PATH}/where/{{id}}", handler=where, summary="Who has it"),
    ]
