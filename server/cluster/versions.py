"""What a cluster's nodes know, and could write."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.cluster import ClusterRecord, NodeRecord, Upgrade, upgrade_of


@dataclass(frozen=True, slots=True)
class Registered:
    """The cluster's record, and those of all nodes that were not forgotten."""

    cluster: ClusterRecord
    nodes: list[NodeRecord]

    def upgrade(self) -> Upgrade | None:
        """None if all that the nodes know is written already."""
        return upgrade_of(self.cluster, self.nodes)

    def unrecorded(self, live: Collection[str]) -> list[str]:
        """Those of the live nodes of which there is no record."""
        return sorted(set(live) - {each.name for each in self.nodes})

    def gone(self, live: Collection[str]) -> list[str]:
        """Those that do not run."""
        return sorted(each.name for each in self.nodes if each.name not in live)


def versions_of(live: Mapping[str, Beat]) -> list[str]:
    return sorted({beat.version for beat in live.values()})


def shown(of: ClusterRecord | Upgrade) -> str:
    """In words."""
    return f"schema {of.schema}" + (f" in format {of.format}" if of.format > 1 else "")
