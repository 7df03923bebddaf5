"""The cluster's metrics: of what this node owns and follows, and of what it hears.

Whether it owns a partition each node says of every partition: so who has an owner, and who none,
is a sum over the nodes.
"""

from collections.abc import Mapping, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from hookbundle.engine.replication.roles import WHOLE, Role
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.server.http.schemas.cluster import ClusterOut
from hookbundle.server.metrics.families import gauge
from hookbundle.server.metrics.meters import Buckets


def families(
    hosts: Mapping[int, PartitionHost], seen: ClusterOut, appends: Buckets
) -> Sequence[Metric]:
    """`hosts`: of all partitions, by number. `appends`: as `Counting` has them."""
    apart_ms = max((abs(each.clock_ahead_ms) for each in seen.nodes), default=0)
    took = HistogramMetricFamily(
        "hookbundle_log_append_seconds", "Until a group is on the disks of most log servers"
    )
    appends.add_to(took)
    return [
        gauge(
            "cluster_nodes", "Live nodes that this one hears, itself among them", len(seen.nodes)
        ),
        gauge(
            "cluster_clocks_apart_seconds",
            "By how much the clock of another node differs most from that of this one",
            apart_ms / 1_000,
        ),
        gauge(
            "cluster_log_servers_away",
            "Log servers that the others do not hear, or that do not have all that they have",
            len(seen.log_servers_away),
        ),
        took,
        *_of_partitions(hosts, seen),
        *_of_logs(hosts),
    ]


def _of_partitions(hosts: Mapping[int, PartitionHost], seen: ClusterOut) -> list[Metric]:
    owner = _gauge("partition_owner", "1 for a partition that this node owns", "partition")
    copies = _gauge(
        "partition_copies", "Complete copies on live nodes, that of the owner too", "partition"
    )
    lag = _gauge(
        "log_lag_entries",
        "By how many entries a copy of this node is behind its owner",
        "partition",
    )
    for partition in seen.partitions:
        number = str(partition.number)
        owner.add_metric([number], hosts[partition.number].is_owned)
        copies.add_metric(
            [number], sum(Role(each.role.value) in WHOLE for each in partition.copies)
        )
        for each in partition.copies:
            if each.node == seen.node and each.behind is not None:
                lag.add_metric([number], each.behind)
    return [owner, copies, lag]


def _of_logs(hosts: Mapping[int, PartitionHost]) -> list[Metric]:
    takeovers = _counter("takeovers", "Claims by which this node took a partition", "partition")
    voids = _counter(
        "void_entries",
        "Entries of the log that count for nobody, as this node reads it",
        "partition",
    )
    size = _gauge(
        "generation_bytes",
        "Of the generation of the log in which this owner is: its base, and groups since",
        "partition",
        "part",
    )
    for number, host in hosts.items():
        state, name = host.role.state, str(number)
        takeovers.add_metric([name], state.taken)
        if state.follower is not None:
            voids.add_metric([name], state.follower.voids)
        if host.is_owned and state.follower is not None:
            chain = state.follower.log.chain
            size.add_metric([name, "base"], chain.base_bytes)
            size.add_metric([name, "groups"], chain.group_bytes)
    return [takeovers, voids, size]


def _gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"hookbundle_{name}", meaning, labels=labels)


def _counter(name: str, meaning: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"hookbundle_{name}", meaning, labels=labels)
