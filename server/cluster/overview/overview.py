"""The cluster as this node sees it: its nodes, its partitions, and what needs a person.

It is what beats say, so it is the same on every node within half a second, and it can be asked for
while the log servers are gone; but for nodes that do not run and what could be written, which the
log servers have on record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from hookbundle.engine.replication.assignment import given_to
from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.log_servers import REPLICAS
from hookbundle.engine.replication.members import behind, owners
from hookbundle.engine.replication.roles import Role
from hookbundle.engine.replication.settings import differing
from hookbundle.server.cluster.overview.needs import Need, needs_of, warnings_of
from hookbundle.server.cluster.partitions import placing
from hookbundle.server.cluster.partitions.holding import owner_at
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.http.schemas.cluster import (
    CheckOfAllOut,
    ClusterOut,
    CompactionOut,
    CopyOut,
    CopyRole,
    NodeOut,
    PartitionOut,
    WhereOut,
)
from hookbundle.server.http.schemas.times import iso


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard at one moment. `broken`, `stopped`: why copies of this node can't be used, or
    have what their logs have not, by number; `damaged`: which record of a partition that it owns
    can't be read. `registered`: what the log servers have on record; None if they did not say.
    `settings`: of this node, those that shape data. `away`: log servers that the others miss.
    `replicas`: on how many of them each entry is stored. `copies`: of each partition that there
    should be, its owner's among them."""

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
    settings: Mapping[str, object] = field(default_factory=dict)
    damaged: Mapping[int, str] = field(default_factory=dict)
    check: CheckOfAllOut | None = None
    away: tuple[str, ...] = ()
    replicas: int = REPLICAS
    copies: int = 2

    def overview(self) -> ClusterOut:
        return self.judged()[0]

    def judged(self) -> tuple[ClusterOut, list[Need]]:
        """With what of it needs a person."""
        seen = self._seen()
        needs = needs_of(self, seen)
        return msgspec.structs.replace(seen, warnings=warnings_of(needs)), needs

    def _seen(self) -> ClusterOut:
        """Without warnings."""
        held = {name: beat.held for name, beat in self.live.items()}
        owned, lag = owners(held), behind(held)
        given = {name: beat.given for name, beat in self.live.items() if not beat.leaves}
        partitions = []
        for number in range(self.partitions):
            copies = [
                CopyOut(
                    name,
                    CopyRole(each[number].role.value),
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
                    any(copy.role is CopyRole.STOPPED for copy in copies),
                    bool(own and own.is_damaged),
                )
            )
        nodes = [self._node(beat) for _, beat in sorted(self.live.items())]
        return ClusterOut(
            self.node,
            self.hears,
            nodes,
            partitions,
            [],
            self.compaction,
            self.schema,
            self._upgrade(),
            self.record_lost,
            self.registered.gone(self.live) if self.registered else [],
            self.check,
            list(self.away),
            self.replicas,
        )

    def _upgrade(self) -> int | None:
        upgrade = self.registered.upgrade() if self.registered else None
        return None if upgrade is None or upgrade.behind else upgrade.schema

    def where(self, workspace_id: str) -> WhereOut:
        number = placing.of_workspace(workspace_id, self.partitions)
        return WhereOut(workspace_id, number, owner_at(self.live, number))

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
            list(differing(self.settings, beat.settings)) if self.settings else [],
        )
