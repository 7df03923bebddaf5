"""`make docs`: writes docs/reference/metrics.md, of what a daemon shows and of metrics.toml."""

import asyncio
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric

from hookbundle.server.http.authentication import METRICS_PATH
from hookbundle.server.http.resources.metrics import Metrics
from hookbundle.tests.in_process import daemon_in

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
END = """
`process_*` are the usual metrics of a Prometheus client: memory, processor time, open files. A
histogram `NAME` has `NAME_bucket`, `NAME_sum` and `NAME_count`.
"""


async def families() -> list[Metric]:
    """The metrics of a daemon that has just begun, those without a value too."""
    with tempfile.TemporaryDirectory() as folder:
        async with daemon_in(Path(folder)) as system:
            (own,) = (
                route.handler.__self__
                for route in system.daemon.listeners.routes
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
    return ABOUT + "".join(_row(name, own[name], texts[name]) for name in texts) + END


def _name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _row(name: str, metric: Metric, text: dict[str, Any]) -> str:
    labels = ",".join(getattr(metric, "_labelnames", ()))
    shown = f"`{name}{{{labels}}}`" if labels else f"`{name}`"
    mark = " *" if text.get("kept") else ""
    return f"| {shown}{mark} | {metric.type} | {text['says']} | {text.get('alert', '')} |\n"


if __name__ == "__main__":
    DOCUMENT.write_text(made(asyncio.run(families())), encoding="utf-8")
