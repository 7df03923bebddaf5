"""A healthy format beside a thousand hostile bodies: how long its bodies wait, and what these cost.

The hostile ones are of workspaces of their own, three bodies a webhook, and all of them wait at
once: some take all the processor's time that a body may, some all the memory, some repeat until
they are refused. The healthy one renders a bundle of a hundred messages, one after the other, first
alone and then beside them. Most of what is measured is the second of the processor's time that a
hostile body may take; `--quick` gives it a twentieth, and has fewer.
Run it as `python bench/formats/hostile.py [--quick]`.
"""

import asyncio
import json
import logging
import statistics
import sys
import time
from collections import Counter

import structlog

from hookbundle.actors.rendering.child import Bounds
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.bench.harness import Value
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.formats.jobs import Job, Rendered, Unrenderable
from hookbundle.tests.engine.formats.jobs import bundle, job, message

ALONE = 200  # healthy bodies before the others come

HEALTHY = job("slack", bundle([message(f"message {at}", at % 60) for at in range(100)]))
LONG = bundle([message("<&>" * 20_000, at) for at in range(3)])
MANY = bundle([message("x" * 200, at % 60) for at in range(400)])
EACH = {"$each": "messages", "as": "m", "do": ["{{ m.text | html | escape | size }}"] * 400}
TWICE = {
    "$each": "messages",
    "as": "a",
    "do": {"$each": "messages", "as": "b", "do": "{{ a.text }}{{ b.text }}"},
}
HOSTILE: dict[str, Job] = {
    "time": job({"template": EACH}, LONG),
    "work": job({"template": TWICE}, MANY),
    "memory": job({"template": [[["{{ messages | json | json | json | json }}"]] * 100]}, LONG),
}


async def _measure(count: int, bounds: Bounds) -> dict[str, Value]:
    renderer = Renderer(SystemClock(), bounds)
    await renderer.render(HEALTHY, 0, 1)
    alone = [await _healthy_ms(renderer) for _ in range(ALONE)]
    began_s = time.monotonic()
    ended: Counter[str] = Counter()
    attack = asyncio.gather(*(_attack(renderer, webhook, ended) for webhook in range(count // 3)))
    beside: list[float] = []
    before_it = 0
    while not attack.done():
        ended_before = ended.total()
        beside.append(await _healthy_ms(renderer))
        before_it = max(before_it, ended.total() - ended_before)
        await asyncio.sleep(0.01)
    await attack
    took_s = time.monotonic() - began_s
    resting = len(renderer.resting())
    restarts = renderer.restarts
    await renderer.close()
    return {
        "alone_p50_ms": _of(alone, 50),
        "alone_p99_ms": _of(alone, 99),
        "beside_p50_ms": _of(beside, 50),
        "beside_p99_ms": _of(beside, 99),
        "beside_most_ms": round(max(beside), 1),
        "hostile_before_one": before_it,
        "healthy_bodies_beside": len(beside),
        "hostile_bodies": sum(ended.values()),
        "hostile_ended": json.dumps(dict(sorted(ended.items()))),
        "processes_ended": restarts,
        "webhooks_resting": resting,
        "seconds": round(took_s, 1),
    }


async def _healthy_ms(renderer: Renderer) -> float:
    began_s = time.monotonic()
    made = await renderer.render(HEALTHY, 0, 1)
    assert isinstance(made, Rendered), made
    return (time.monotonic() - began_s) * 1_000


async def _attack(renderer: Renderer, webhook: int, ended: Counter[str]) -> None:
    """Three bodies of the webhook, which is alone in its workspace."""
    name = list(HOSTILE)[webhook % len(HOSTILE)]
    for _ in range(3):
        made = await renderer.render(HOSTILE[name], 1 + webhook, 2 + webhook)
        ended[f"{name}: {made.code if isinstance(made, Unrenderable) else 'rendered'}"] += 1


def _of(found: list[float], percent: int) -> float:
    return round(statistics.quantiles(found, n=100)[percent - 1], 1)


def run(quick: bool) -> dict[str, Value]:
    count, bounds = (60, Bounds(processor_s=0.05)) if quick else (1_000, Bounds())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    return asyncio.run(_measure(count, bounds))


if __name__ == "__main__":
    for name, value in run("--quick" in sys.argv).items():
        print(f"{name:24} {value}")
