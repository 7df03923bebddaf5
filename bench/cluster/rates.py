"""Messages a second of a cluster beside those of a daemon alone, in turns within the same minute.

Each setting has a daemon and a cluster that stand beside each other; one of them gets a load, then
the other. All is on one machine, whose processors and disk nodes, three log servers and the load
share: so what is compared first is the processor time of a message, and rates say what one machine
does with all of it.

    one_P     one node that owns P partitions
    pair_1    two nodes, one of which owns the only partition, and one follows
    three_P   three nodes that share P partitions, each with a third of the connections: so two
              of three requests are passed on to the node that owns their workspace

Run it as `python bench/cluster/rates.py [--quick] [SETTING…]`.
"""

import sys
from typing import NamedTuple

from hookbundle.bench import filling, harness
from hookbundle.bench.cluster.made import (
    MeasuredCluster,
    cluster_of,
    cpu_s_of,
    log_servers,
    make_workspaces,
)
from hookbundle.bench.harness import Process, Value, median
from hookbundle.bench.processes.load import BATCH
from hookbundle.tests.log_servers.cluster import LogServers

DAY_MS = 86_400_000
WORKSPACES = 64
ROUNDS = 3


class Setting(NamedTuple):
    nodes: int
    partitions: int


class Kind(NamedTuple):
    load: str
    connections: int
    requests: int

    @property
    def messages(self) -> int:
        return self.requests * (1 if self.load == "single" else BATCH)


SETTINGS = {
    "one_1": Setting(1, 1),
    "one_4": Setting(1, 4),
    "one_16": Setting(1, 16),
    "pair_1": Setting(2, 1),
    "three_4": Setting(3, 4),
    "three_16": Setting(3, 16),
}
KINDS = {
    "alone": Kind("single", 1, 400),
    "single": Kind("single", 64, 4_000),
    "many": Kind("many", 16, 160),
    "ten": Kind("ten", 16, 240),
    "one": Kind("one", 16, 320),
}
QUICK = ("one_1", "pair_1", "three_4")


class Sample(NamedTuple):
    """`cpu_us`: processor time of a message: of who was asked, other nodes, the log servers."""

    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: tuple[float, float, float]


def run(quick: bool, settings: tuple[str, ...] = ()) -> dict[str, Value]:
    found: dict[str, Value] = {}
    with log_servers() as servers:
        for name in settings or (QUICK if quick else tuple(SETTINGS)):
            found |= _setting(servers, name, quick)
    return found


def _setting(servers: LogServers, name: str, quick: bool) -> dict[str, Value]:
    setting = SETTINGS[name]
    found: dict[str, Value] = {}
    with (
        harness.data_directory() as data,
        cluster_of(servers, setting.nodes, setting.partitions) as cluster,
    ):
        filling.fill(data / "data", WORKSPACES, aggregation_ms=DAY_MS, url=filling.NEVER_CALLED)
        make_workspaces(cluster.nodes[0].socket, WORKSPACES)
        with harness.running_daemon(data) as (daemon, ready):
            for kind in KINDS:
                ours, alone = [], []
                for turn in range(ROUNDS + 1):
                    of_daemon = _of_daemon(daemon, ready["socket"], kind, turn, quick)
                    of_cluster = _of_cluster(cluster, kind, turn, quick)
                    if turn:  # the first round warms up
                        alone.append(of_daemon)
                        ours.append(of_cluster)
                found |= _figures(f"{name}_{kind}", ours, alone)
    return found


def _of_daemon(daemon: Process, socket: str, kind: str, turn: int, quick: bool) -> Sample:
    before_s = daemon.cpu_s()
    took = _loaded(socket, kind, turn, quick)
    return _sample(took, kind, daemon.cpu_s() - before_s, 0.0, 0.0)


def _of_cluster(cluster: MeasuredCluster, kind: str, turn: int, quick: bool) -> Sample:
    """Of one partition, its owner is asked; of several, all nodes are."""
    asked = [cluster.owner_of(0)] if cluster.partitions == 1 else cluster.nodes
    others = [node for node in cluster.nodes if node not in asked]
    groups = ([node.process for node in asked], [node.process for node in others])
    before = [sum(each.cpu_s() for each in group) for group in groups]
    servers_s = cpu_s_of(cluster.servers)
    took = _loaded(",".join(node.socket for node in asked), kind, turn, quick)
    behind = [node for node in others if node.position() < asked[0].position()]
    while behind:  # what they have not read yet is part of what it costs
        behind = [node for node in behind if node.position() < asked[0].position()]
    asked_s, others_s = (
        sum(each.cpu_s() for each in group) - was for group, was in zip(groups, before, strict=True)
    )
    return _sample(took, kind, asked_s, others_s, cpu_s_of(cluster.servers) - servers_s)


def _loaded(address: str, kind: str, turn: int, quick: bool) -> dict[str, float]:
    what = KINDS[kind]
    requests = what.requests // (2 if quick else 1)
    options = ("--first", turn * requests, "--workspaces", WORKSPACES)
    return harness.run_once(
        "load.py", address, what.connections, requests, what.load, f"{kind}{turn}", *options
    )


def _sample(
    took: dict[str, float], kind: str, asked_s: float, others_s: float, servers_s: float
) -> Sample:
    each = 1 if KINDS[kind].load == "single" else BATCH
    messages = took["requests"] * each
    cpu_us = (
        asked_s / messages * 1e6,
        others_s / messages * 1e6,
        servers_s / messages * 1e6,
    )
    return Sample(messages / took["seconds"], took["p50_ms"], took["p99_ms"], cpu_us)


def _figures(name: str, ours: list[Sample], alone: list[Sample]) -> dict[str, Value]:
    """`cpu_to_alone`: of all nodes together, of what the daemon alone takes for a message."""
    asked, others, servers = (median([sample.cpu_us[side] for sample in ours]) for side in range(3))
    daemon_us = median([sample.cpu_us[0] for sample in alone])
    return {
        f"{name}_per_s": round(median([each.per_s for each in ours])),
        f"{name}_alone_per_s": round(median([each.per_s for each in alone])),
        f"{name}_to_alone": harness.ratio(
            [each.per_s for each in ours], [each.per_s for each in alone]
        ),
        f"{name}_p50_ms": round(median([each.p50_ms for each in ours]), 2),
        f"{name}_p99_ms": round(median([each.p99_ms for each in ours]), 2),
        f"{name}_alone_p50_ms": round(median([each.p50_ms for each in alone]), 2),
        f"{name}_alone_p99_ms": round(median([each.p99_ms for each in alone]), 2),
        f"{name}_asked_cpu_us": round(asked, 1),
        f"{name}_others_cpu_us": round(others, 1),
        f"{name}_servers_cpu_us": round(servers, 1),
        f"{name}_alone_cpu_us": round(daemon_us, 1),
        f"{name}_cpu_to_alone": round((asked + others) / daemon_us, 2),
    }


if __name__ == "__main__":
    chosen = tuple(each for each in sys.argv[1:] if each in SETTINGS)
    harness.show("A cluster beside one daemon", run("--quick" in sys.argv, chosen))
