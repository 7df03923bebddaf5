"""What of a cluster needs a person: pure. Each with the command that helps, as it is typed.

Partitions with the same need are one: of a cluster whose logs are lost there would be a page full.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hookbundle.engine.replication.log_servers import REPLICAS
from hookbundle.engine.replication.members import APART_MS, LOW_BYTES
from hookbundle.server.http.schemas.cluster import ClusterOut, CopyRole, NodeOut, PartitionOut

OF_OTHERS = frozenset({"unowned", "copies"})  # who hears nothing does not know it
FAR_BEHIND = 1_000  # entries
USABLE = frozenset({CopyRole.OWNER, CopyRole.FOLLOWING, CopyRole.CLAIMING, CopyRole.JOINING})
RECOVER = "hookbundle cluster recover"
COMPACT = "hookbundle cluster compact"
CHECK = "hookbundle cluster check"
DOCTOR = "hookbundle doctor"
UPGRADE = "hookbundle cluster upgrade"
STATUS = "hookbundle cluster status"
OF_PARTITIONS = {
    "stopped": RECOVER,
    "unowned": "systemctl start hookbundle",
    "damaged": CHECK,
    "copies": "",
    "broken": STATUS,
    "behind": "",
}
"""In the order in which they are said, with their commands."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a person has to look at: `word` is known to the template. `command`: what to type, on
    any node or on the one that it is about; "" if nothing."""

    word: str
    of: str = ""
    amount: int = 0
    command: str = ""


def needs_of(cluster: ClusterOut, copies: int) -> list[Need]:
    """`copies`: of each partition that there should be, its owner's among them."""
    found = [] if cluster.hears else [Need("deaf", cluster.node, command=DOCTOR)]
    if cluster.record_lost:
        found.append(Need("record", command=RECOVER))
    if cluster.log_servers_away:
        found.append(Need("away", ", ".join(cluster.log_servers_away), command=DOCTOR))
    if cluster.log_replicas < REPLICAS:
        found.append(Need("replicas", amount=cluster.log_replicas, command=DOCTOR))
    wanted = min(copies, len(cluster.nodes))
    found += _together(
        need
        for partition in cluster.partitions
        for need in _of_partition(partition, wanted)
        if cluster.hears or need.word not in OF_OTHERS
    )
    forget = "hookbundle cluster forget"
    found += [Need("gone", name, command=f"{forget} {name}") for name in cluster.gone]
    for node in cluster.nodes:
        found += _of_node(node)
    return [*found, *_of_commands(cluster)]


def _of_commands(cluster: ClusterOut) -> list[Need]:
    """What was done by command, or could be."""
    found, compaction, check = [], cluster.compaction, cluster.check
    if compaction is not None and compaction.stopped:
        found.append(Need("compaction_stopped", compaction.node, command=COMPACT))
    elif compaction is not None and compaction.left_out:
        found.append(Need("left_out", compaction.left_out[0], command=COMPACT))
    if check is not None and check.faults:
        found.append(Need("check", amount=check.faults, command=CHECK))
    versions = sorted({node.version for node in cluster.nodes})
    if len(versions) > 1:
        found.append(Need("versions", ", ".join(versions)))
    if cluster.upgrade is not None:
        found.append(Need("upgrade", str(cluster.schema), cluster.upgrade, UPGRADE))
    return found


def _of_partition(partition: PartitionOut, wanted: int) -> list[Need]:
    number, found = str(partition.number), []
    if partition.stopped:
        nodes = [copy.node for copy in partition.copies if copy.role is CopyRole.STOPPED]
        return [Need("stopped", f"{number} ({', '.join(nodes)})")]
    if partition.owner is None:
        found.append(Need("unowned", number))
    if partition.damaged:
        found.append(Need("damaged", f"{number} ({partition.owner})"))
    if sum(copy.role in USABLE for copy in partition.copies) < wanted:
        found.append(Need("copies", number, wanted))
    for copy in partition.copies:
        if copy.role is CopyRole.BROKEN:
            found.append(Need("broken", f"{number} ({copy.node})"))
        elif copy.behind is not None and copy.behind > FAR_BEHIND:
            found.append(Need("behind", f"{number} ({copy.node})", copy.behind))
    return found


def _together(needs: Iterable[Need]) -> list[Need]:
    """One of each word, with all partitions and the largest amount."""
    found: dict[str, list[Need]] = {word: [] for word in OF_PARTITIONS}
    for need in needs:
        found[need.word].append(need)
    return [
        Need(
            word,
            ", ".join(each.of for each in same),
            max(each.amount for each in same),
            OF_PARTITIONS[word],
        )
        for word, same in found.items()
        if same
    ]


def _of_node(node: NodeOut) -> list[Need]:
    found = []
    if abs(node.clock_ahead_ms) > APART_MS:
        found.append(Need("clock", node.name, node.clock_ahead_ms, "timedatectl set-ntp true"))
    if node.free_bytes < LOW_BYTES:
        drain = f"hookbundle cluster drain {node.name}"
        found.append(Need("disk", node.name, node.free_bytes, drain))
    if node.differs:
        restart = "systemctl restart hookbundle"
        found.append(Need("settings", f"{node.name}: {', '.join(node.differs)}", command=restart))
    return found
