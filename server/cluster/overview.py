"""The cluster as this node sees it: its nodes, its partitions, and what needs a person.

It is what beats say, so it is the same on every node within half a second, and it can be asked for
while the log servers are gone; but for nodes that do not run and what could be written, which the
log servers have on record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hookbundle.engine.replication.assignment import given_to
from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.log_servers import REPLICAS
from hookbundle.engine.replication.members import APART_MS, LOW_BYTES, behind, owners
from hookbundle.engine.replication.roles import Role
from hookbundle.engine.replication.settings import differing
from hookbundle.server.cluster.partitions import placing
from hookbundle.server.cluster.partitions.holding import owner_at
from hookbundle.server.cluster.versions import Registered, in_words
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

RECORD_LOST = (
    "the log servers have no record of the cluster: if they have lost their disks, `hookbundle "
    "cluster recover` makes it anew; if they are not the cluster's, mend cluster.servers"
)
ELSEWHERE = "`hookbundle cluster status` there says why"
UNHEARD = (
    "{node} hears nothing from the log servers, and can't tell how the other nodes are: "
    "`hookbundle doctor` on its machine looks at each server"
)
AWAY = (
    "of the log servers {names} is down, cut off from the others, or behind them: leave the others "
    "as they are until it is back, see 'Lose a machine' in docs/cluster.md; `hookbundle doctor` "
    "looks at each server, and its own log says more"
)
FEW_REPLICAS = (
    "log servers that store each entry of the logs: {count}, where there should be three; the loss "
    "of one stops the cluster, or loses what was acknowledged; docs/cluster.md says in 'When only "
    "one machine is left' how it comes to three again"
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard at one moment. `broken`, `stopped`: why copies of this node can't be used, or
    have what their logs have not, by number; `damaged`: which record of a partition that it owns
    can't be read. `registered`: what the log servers have on record; None if they did not say.
    `settings`: of this node, those that shape data. `away`: log servers that the others miss.
    `replicas`: on how many of them each entry is stored."""

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

    def overview(self) -> ClusterOut:
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

    def _warnings(self, nodes: list[NodeOut], partitions: list[PartitionOut]) -> list[str]:
        found = []
        if not self.hears:
            found.append(UNHEARD.format(node=self.node))
        if self.record_lost:
            found.append(RECORD_LOST)
        if self.away:
            found.append(AWAY.format(names=", ".join(self.away)))
        if self.replicas < REPLICAS:
            found.append(FEW_REPLICAS.format(count=self.replicas))
        found += [_stopped(each) for each in partitions if each.stopped]
        found += [f"copy {number} has stopped: {why}" for number, why in self.stopped.items()]
        unowned = [each.number for each in partitions if each.owner is None]
        if unowned and self.hears:
            found.append(f"partitions without an owner: {_listed(unowned)}")
        single = [each.number for each in partitions if len(each.copies) < 2]
        if single and self.hears:
            found.append(f"partitions with one copy: {_listed(single)}")
        for node in nodes:
            if node.free_bytes < LOW_BYTES:
                found.append(
                    f"the disk of {node.name} has {node.free_bytes >> 20} MiB left: make room; "
                    "with less than storage.floor it gives its partitions away"
                )
            if abs(node.clock_ahead_ms) > APART_MS:
                found.append(
                    f"the clock of {node.name} is {node.clock_ahead_ms / 1_000:+.0f} s off that of "
                    f"{self.node}"
                )
            if node.differs:
                names = ", ".join(node.differs)
                found.append(f"{node.name} has other settings than {self.node}: {names}")
        found += in_words(self.live, self.registered)
        found += self._broken(partitions)
        compaction = self.compaction
        if compaction is not None and compaction.stopped:
            found.append(
                f"{compaction.node} has ended before its compaction was through, which "
                f"{compaction.caller} asked for: give the command again"
            )
        found += [
            f"a record of partition {number} can't be read: {why}; `hookbundle cluster check` says "
            "in which copies"
            for number, why in self.damaged.items()
        ]
        found += [
            f"{each.owner} can't read a record of partition {each.number}: its own status says "
            "which; `hookbundle cluster check` says in which copies"
            for each in partitions
            if each.damaged and each.owner != self.node
        ]
        return found

    def _broken(self, partitions: list[PartitionOut]) -> list[str]:
        """Those with the same fault are one: a full disk is that of all copies."""
        of_faults: dict[tuple[str, str], list[int]] = {}
        for number, why in self.broken.items():
            of_faults.setdefault((self.node, why.replace(f"/{number:03}", "")), []).append(number)
        for each in partitions:
            for copy in each.copies:
                if copy.role is CopyRole.BROKEN and copy.node != self.node:
                    of_faults.setdefault((copy.node, ELSEWHERE), []).append(each.number)
        return [
            f"copies of {node} are broken, and made anew when they can be: {_listed(numbers)} "
            f"({why})"
            for (node, why), numbers in of_faults.items()
        ]


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


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
