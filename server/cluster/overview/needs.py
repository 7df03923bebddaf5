"""What of a cluster needs a person: pure, and the only list of it.

Each need has a word, by which the console says it in its languages (parts/cluster.html), the
command that helps, as it is typed, and lines in English, which are the warnings of the API and of
`cluster status`. Partitions with the same need are one: of a cluster whose logs are lost there
would be a page full.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookbundle.engine.replication.log_servers import REPLICAS
from hookbundle.engine.replication.members import APART_MS, LOW_BYTES
from hookbundle.server.cluster.versions import shown, versions_of
from hookbundle.server.http.schemas.cluster import (
    ClusterOut,
    CopyOut,
    CopyRole,
    NodeOut,
    PartitionOut,
)

if TYPE_CHECKING:
    from hookbundle.server.cluster.overview.overview import Heard

FAR_BEHIND = 1_000  # entries
USABLE = frozenset({CopyRole.OWNER, CopyRole.FOLLOWING, CopyRole.CLAIMING, CopyRole.JOINING})
RECOVER = "hookbundle cluster recover"
COMPACT = "hookbundle cluster compact"
CHECK = "hookbundle cluster check"
DOCTOR = "hookbundle doctor"
FORGET = "hookbundle cluster forget"
UPGRADE = "hookbundle cluster upgrade"
STATUS = "hookbundle cluster status"
RECORD_LOST = (
    f"the log servers have no record of the cluster: if they have lost their disks, `{RECOVER}` "
    "makes it anew; if they are not the cluster's, mend cluster.servers"
)
DEAF = (
    "{} hears nothing from the log servers, and can't tell how the other nodes are: "
    f"`{DOCTOR}` on its machine looks at each server"
)
AWAY = (
    "of the log servers {} is down, cut off from the others, or behind them: leave the others "
    f"as they are until it is back, see 'Lose a machine' in docs/cluster.md; `{DOCTOR}` "
    "looks at each server, and its own log says more"
)
FEW_REPLICAS = (
    "log servers that store each entry of the logs: {}, where there should be three; the loss "
    "of one stops the cluster, or loses what was acknowledged; docs/cluster.md says in 'When only "
    "one machine is left' how it comes to three again"
)


@dataclass(frozen=True, slots=True)
class Need:
    """`word`: known to the template, as `of` and `amount` are that it says with it. `command`: what
    to type, on any node or on the one that it is about; "" if nothing. `lines`: in English."""

    word: str
    of: str = ""
    amount: int = 0
    command: str = ""
    lines: tuple[str, ...] = ()


def warnings_of(needs: Iterable[Need]) -> list[str]:
    return [line for need in needs for line in need.lines]


def needs_of(heard: "Heard", cluster: ClusterOut) -> list[Need]:
    """`cluster`: what `heard` shows of it. In the order in which they are said."""
    return [
        *_of_log_servers(cluster),
        *_of_partitions(heard, cluster),
        *(need for node in cluster.nodes for need in _of_node(node, cluster.node)),
        *_of_commands(cluster),
        *_of_versions(heard, cluster),
    ]


def _of_log_servers(cluster: ClusterOut) -> Iterator[Need]:
    if not cluster.hears:
        yield Need("deaf", cluster.node, 0, DOCTOR, (DEAF.format(cluster.node),))
    if cluster.record_lost:
        yield Need("record", "", 0, RECOVER, (RECORD_LOST,))
    if cluster.log_servers_away:
        names = ", ".join(cluster.log_servers_away)
        yield Need("away", names, 0, DOCTOR, (AWAY.format(names),))
    if cluster.log_replicas < REPLICAS:
        count = cluster.log_replicas
        yield Need("replicas", "", count, DOCTOR, (FEW_REPLICAS.format(count),))


# ---- partitions


def _of_partitions(heard: "Heard", cluster: ClusterOut) -> Iterator[Need]:
    stopped = [each for each in cluster.partitions if each.stopped]
    if stopped:
        where = [f"{each.number} ({_names(_in_role(each, CopyRole.STOPPED))})" for each in stopped]
        lines = [line for each in stopped for line in _of_stopped(each, heard)]
        yield Need("stopped", ", ".join(where), 0, RECOVER, tuple(lines))
    others = [each for each in cluster.partitions if not each.stopped]
    unowned = [each.number for each in others if each.owner is None]
    if unowned and cluster.hears:  # who hears nothing does not know of others
        listed = _listed(unowned)
        line = f"partitions without an owner: {listed}"
        yield Need("unowned", listed, 0, "systemctl start hookbundle", (line,))
    if damaged := [each for each in others if each.damaged]:
        listed = ", ".join(f"{each.number} ({each.owner})" for each in damaged)
        lines = [_of_damaged(each, heard) for each in damaged]
        yield Need("damaged", listed, 0, CHECK, tuple(lines))
    wanted = min(heard.copies, len(cluster.nodes))
    few = [each.number for each in others if sum(c.role in USABLE for c in each.copies) < wanted]
    if few and cluster.hears:
        listed = _listed(few)
        line = f"partitions with fewer copies than the {wanted} there should be: {listed}"
        yield Need("copies", listed, wanted, "", (line,))
    broken = [(each.number, copy) for each in others for copy in _in_role(each, CopyRole.BROKEN)]
    if broken:
        listed = ", ".join(f"{number} ({copy.node})" for number, copy in broken)
        yield Need("broken", listed, 0, STATUS, tuple(_of_broken(broken, heard)))
    late = [
        (f"{each.number} ({copy.node})", copy.behind)
        for each in others
        for copy in each.copies
        if copy.behind is not None and copy.behind > FAR_BEHIND
    ]
    if late:
        listed, most = ", ".join(name for name, _ in late), max(behind for _, behind in late)
        line = f"copies that are up to {most} entries behind their owners: {listed}"
        yield Need("behind", listed, most, "", (line,))


def _of_stopped(partition: PartitionOut, heard: "Heard") -> Iterator[str]:
    number = partition.number
    copies = ", ".join(
        f"{copy.node} has entry {copy.entry} of {copy.generation}"
        for copy in partition.copies
        if copy.generation
    )
    yield (
        f"partition {number} has stopped: its log has lost what was acknowledged, and copies have "
        f"it ({copies}); `{RECOVER}` says what to do"
    )
    if number in heard.stopped:
        yield f"copy {number} has stopped: {heard.stopped[number]}"


def _of_damaged(partition: PartitionOut, heard: "Heard") -> str:
    number, where = partition.number, f"`{CHECK}` says in which copies"
    if why := heard.damaged.get(number):
        return f"a record of partition {number} can't be read: {why}; {where}"
    return (
        f"{partition.owner} can't read a record of partition {number}: its own status says which; "
        f"{where}"
    )


def _of_broken(broken: list[tuple[int, CopyOut]], heard: "Heard") -> Iterator[str]:
    """Those with the same fault are one: a full disk is that of all copies."""
    of_faults: dict[tuple[str, str], list[int]] = {}
    for number, copy in broken:
        why = f"`{STATUS}` there says why"
        if copy.node == heard.node:
            why = heard.broken.get(number, "").replace(f"/{number:03}", "")
        of_faults.setdefault((copy.node, why), []).append(number)
    for (node, why), numbers in of_faults.items():
        listed = _listed(numbers)
        yield f"copies of {node} are broken, and made anew when they can be: {listed} ({why})"


def _in_role(partition: PartitionOut, role: CopyRole) -> list[CopyOut]:
    return [copy for copy in partition.copies if copy.role is role]


def _names(copies: list[CopyOut]) -> str:
    return ", ".join(copy.node for copy in copies)


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


# ---- nodes, commands, versions


def _of_node(node: NodeOut, here: str) -> Iterator[Need]:
    name, ahead_ms = node.name, node.clock_ahead_ms
    if abs(ahead_ms) > APART_MS:
        line = f"the clock of {name} is {ahead_ms / 1_000:+.0f} s off that of {here}"
        yield Need("clock", name, ahead_ms, "timedatectl set-ntp true", (line,))
    if node.free_bytes < LOW_BYTES:
        line = (
            f"the disk of {name} has {node.free_bytes >> 20} MiB left: make room; with less than "
            "storage.floor it gives its partitions away"
        )
        drain = f"hookbundle cluster drain {name}"
        yield Need("disk", name, node.free_bytes, drain, (line,))
    if node.differs:
        names = ", ".join(node.differs)
        line, restart = f"{name} has other settings than {here}: {names}", "systemctl restart"
        yield Need("settings", f"{name}: {names}", 0, f"{restart} hookbundle", (line,))


def _of_commands(cluster: ClusterOut) -> Iterator[Need]:
    compaction, check = cluster.compaction, cluster.check
    if compaction is not None and compaction.stopped:
        line = (
            f"{compaction.node} has ended before its compaction was through, which "
            f"{compaction.caller} asked for: give the command again"
        )
        yield Need("compaction_stopped", compaction.node, 0, COMPACT, (line,))
    elif compaction is not None and compaction.left_out:
        first = compaction.left_out[0]
        line = f"the last compaction has left something out: {first}; give the command again"
        yield Need("left_out", first, 0, COMPACT, (line,))
    if check is not None and check.faults:
        line = f"faults that the last check of all copies has found: {check.faults}"
        yield Need("check", "", check.faults, CHECK, (line,))


def _of_versions(heard: "Heard", cluster: ClusterOut) -> Iterator[Need]:
    live, registered = heard.live, heard.registered
    if len(versions := versions_of(live)) > 1:
        nodes = ", ".join(f"{name} {live[name].version}" for name in sorted(live))
        line = f"nodes run {len(versions)} versions: {nodes}"
        yield Need("versions", ", ".join(versions), 0, "", (line,))
    for name in cluster.gone:
        line = f"{name} is recorded and does not run: start it, or `{FORGET} {name}`"
        yield Need("gone", name, 0, f"{FORGET} {name}", (line,))
    upgrade = registered.upgrade() if registered else None
    if registered is None or upgrade is None:
        return
    before, after = shown(registered.cluster), shown(upgrade)
    if upgrade.behind:
        names = ", ".join(sorted(each.name for each in upgrade.behind))
        line = f"the cluster writes {before}, and not {after}, which {names} can't read"
        yield Need("held_back", names, upgrade.schema, "", (line,))
    else:
        line = f"all nodes can {after}, and the cluster writes {before}: `{UPGRADE}`"
        yield Need("upgrade", str(cluster.schema), upgrade.schema, UPGRADE, (line,))
