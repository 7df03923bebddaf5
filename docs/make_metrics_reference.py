"""`make docs`: writes docs/reference/metrics.md, of what a daemon shows and of metrics.toml."""

import asyncio
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric

from hookbundle.server.http.authentication import METRICS_PATH
from hookbundle.server.http.listeners import Listeners
from hookbundle.server.http.resources.metrics import Metrics
from hookbundle.tests.in_process import daemon_in
from hookbundle.tests.server.cluster.in_memory import cluster

FOLDER = Path(__file__).parent / "reference"
DOCUMENT, TEXTS = FOLDER / "metrics.md", FOLDER / "metrics.toml"
ABOUT = """\
# Metrics

<!-- made by `make docs`; the texts are in metrics.toml -->

`GET /metrics` answers in the text format of Prometheus; [operations](../operations.md#metrics) says
who may ask. They contain nothing of messages. A counter begins with the daemon; those marked with *
continue over restarts. The alerts are suggestions.

| metric | type | what it says | suggested alert |
|---|---|---|---|
"""
OF_A_CLUSTER = """
## Of a node of a cluster

A node has all of the above, of the partitions that it owns now: gauges move with a partition.
What is marked with * begins with the node, and stays with it when a partition moves away: the sum
over all nodes counts each message once. A daemon alone has none of these:

| metric | type | what it says | suggested alert |
|---|---|---|---|
"""
END = """
`process_*` are the usual metrics of a Prometheus client: memory, processor time, open files. A
histogram `NAME` has `NAME_bucket`, `NAME_sum` and `NAME_count`.
"""


async def families() -> list[Metric]:
    """The metrics of a daemon that has just begun, and those that a node has beside; also without
    a value."""
    with tempfile.TemporaryDirectory() as folder:
        async with daemon_in(Path(folder) / "alone") as system:
            found = await _of(system.daemon.listeners)
        async with cluster(Path(folder), 1) as made:
            of_node = await _of((await made.start("a")).listeners)
    known = {each.name for each in found}
    return [*found, *(each for each in of_node if each.name not in known)]


async def _of(listeners: Listeners) -> list[Metric]:
    (own,) = (
        route.handler.__self__
        for route in listeners.routes
        if route.resource is not None
        and route.resource.canonical == METRICS_PATH
        and route.method == "GET"
    )
    assert isinstance(own, Metrics)
    return await own.families()


def made(found: list[Metric]) -> str:
    """The document. Raises: AssertionError for a metric without a text, or a text without one."""
    texts = tomllib.loads(TEXTS.read_text(encoding="utf-8"))
    own = {_name(each): each for each in found if each.name.startswith("hookbundle_")}
    assert own.keys() == texts.keys(), sorted(own.keys() ^ texts.keys())
    rows = {name: _row(name, own[name], text) for name, text in texts.items()}
    of_nodes = {name for name, text in texts.items() if text.get("cluster")}
    alone = "".join(row for name, row in rows.items() if name not in of_nodes)
    return (
        ABOUT
        + alone
        + OF_A_CLUSTER
        + "".join(rows[name] for name in texts if name in of_nodes)
        + END
    )


def _name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _row(name: str, metric: Metric, text: dict[str, Any]) -> str:
    labels = ",".join(getattr(metric, "_labelnames", ()))
    shown = f"`{name}{{{labels}}}`" if labels else f"`{name}`"
    mark = " *" if text.get("kept") else ""
    return f"| {shown}{mark} | {metric.type} | {text['says']} | {text.get('alert', '')} |\n"


if __name__ == "__main__":
    DOCUMENT.write_text(made(asyncio.run(families())), encoding="utf-8")
