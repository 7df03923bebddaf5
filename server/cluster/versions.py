"""What a cluster's nodes know, and what that means for people: in words, for `cluster status`."""

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


def in_words(live: Mapping[str, Beat], registered: Registered | None) -> list[str]:
    """What a person should know, each in a sentence. `registered`: None if nobody can say."""
    found = []
    if len(versions := versions_of(live)) > 1:
        nodes = ", ".join(f"{name} {live[name].version}" for name in sorted(live))
        found.append(f"nodes run {len(versions)} versions: {nodes}")
    if registered is None:
        return found
    found += [
        f"{name} is recorded and does not run: start it, or `hookbundle cluster forget {name}`"
        for name in registered.gone(live)
    ]
    upgrade = registered.upgrade()
    if upgrade is None:
        return found
    before, after = _shown(registered.cluster), _shown(upgrade)
    if upgrade.behind:
        names = ", ".join(sorted(each.name for each in upgrade.behind))
        found.append(f"the cluster writes {before}, and not {after}, which {names} can't read")
    else:
        found.append(
            f"all nodes can {after}, and the cluster writes {before}: `hookbundle cluster upgrade`"
        )
    return found


def _shown(of: ClusterRecord | Upgrade) -> str:
    return f"schema {of.schema}" + (f" in format {of.format}" if of.format > 1 else "")
