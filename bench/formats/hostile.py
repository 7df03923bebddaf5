"""A healthy format beside hostile and slow ones: how long its bodies wait, and what these cost.

The healthy one renders a bundle of a hundred messages, one after the other, first alone and then
beside the others, of which each has a workspace of its own and all come at once:

- `hostile`: three bodies a webhook, until it rests: some take all the processor's time that a body
  may, some all the memory, some repeat until they are refused;
- `slow`: twenty workspaces whose bodies take four fifths of what a body may, as long as it lasts.

Most of what is measured is the second of the processor's time that a body may take; `--quick` gives
it a tenth, and has fewer. On a machine that does much else only the ratios say something.
Run it as `python bench/formats/hostile.py [--quick]`.
"""

import asyncio
import json
import logging
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Sequence

import structlog

from hookbundle.actors.rendering.child import Bounds
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.bench.harness import Value
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.formats.jobs import Job, Rendered, Unrenderable
from hookbundle.engine.formats.rendering import rendered
from hookbundle.tests.engine.formats.jobs import bundle, job, message

ALONE = 200  # healthy bodies before the others come
SLOW_WORKSPACES = 20

HEALTHY = job("slack", bundle([message(f"message {at}", at % 60) for at in range(100)]))
LONG = bundle([message("<&>" * 20_000, at) for at in range(3)])
WIDE = bundle([message("<&>" * 8_000)])
PIECES_MAX = 600  # of a slow template: more is longer than a format may be
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


def _slow(times: int) -> Job:
    return job({"template": ["{{ messages[0].text | html | escape | size }}"] * times}, WIDE)


def _slow_for(processor_s: float) -> Job:
    """A body that takes so much of this machine's processor, as it is now."""
    sample = _slow(20)
    rendered(sample)
    began_s = time.process_time()
    for _ in range(3):
        rendered(sample)
    one_s = (time.process_time() - began_s) / 60
    return _slow(max(1, min(PIECES_MAX, round(processor_s / one_s))))


async def _measure(count: int, slow_each: int, bounds: Bounds) -> dict[str, Value]:
    ended: Counter[str] = Counter()
    slow = _slow_for(0.8 * bounds.processor_s)
    renderer = Renderer(SystemClock(), bounds)
    await renderer.render(HEALTHY, 0, 1)
    found: dict[str, Value] = {}
    hostile = [
        _attack(renderer, webhook, list(HOSTILE)[webhook % len(HOSTILE)], ended)
        for webhook in range(count // 3)
    ]
    found |= await _beside(renderer, "hostile", hostile)
    found["hostile_ended"] = json.dumps(dict(sorted(ended.items())))
    ended.clear()
    slow_ones = [
        _slow_ones(renderer, 10_000 + at, slow, slow_each, ended) for at in range(SLOW_WORKSPACES)
    ]
    found |= await _beside(renderer, "slow", slow_ones)
    found["slow_ended"] = json.dumps(dict(sorted(ended.items())))
    found["webhooks_resting"] = len(renderer.resting())
    await renderer.close()
    return found


async def _beside(
    renderer: Renderer, name: str, others: Sequence[Awaitable[None]]
) -> dict[str, Value]:
    while renderer.quick.pid is None:
        await _healthy_ms(renderer)
    alone = [await _healthy_ms(renderer) for _ in range(ALONE)]
    began_s = time.monotonic()
    attack = asyncio.gather(*others)
    beside: list[float] = []
    while not attack.done():
        beside.append(await _healthy_ms(renderer))
        await asyncio.sleep(0.01)
    await attack
    return {
        f"{name}_alone_p50_ms": _of(alone, 50),
        f"{name}_alone_p99_ms": _of(alone, 99),
        f"{name}_beside_p50_ms": _of(beside, 50),
        f"{name}_beside_p99_ms": _of(beside, 99),
        f"{name}_beside_most_ms": round(max(beside), 1),
        f"{name}_ratio_p50": round(_of(beside, 50) / _of(alone, 50), 2),
        f"{name}_ratio_p99": round(_of(beside, 99) / _of(alone, 99), 2),
        f"{name}_healthy_bodies": len(beside),
        f"{name}_seconds": round(time.monotonic() - began_s, 1),
    }


async def _healthy_ms(renderer: Renderer) -> float:
    began_s = time.monotonic()
    made = await renderer.render(HEALTHY, 0, 1)
    assert isinstance(made, Rendered), made
    return (time.monotonic() - began_s) * 1_000


async def _attack(renderer: Renderer, webhook: int, name: str, ended: Counter[str]) -> None:
    """Three bodies of the webhook, which is alone in its workspace."""
    for _ in range(3):
        made = await renderer.render(HOSTILE[name], 1 + webhook, 2 + webhook)
        ended[f"{name}: {made.code if isinstance(made, Unrenderable) else 'rendered'}"] += 1


async def _slow_ones(
    renderer: Renderer, webhook: int, body: Job, count: int, ended: Counter[str]
) -> None:
    for _ in range(count):
        made = await renderer.render(body, webhook, webhook)
        ended[made.code if isinstance(made, Unrenderable) else type(made).__name__] += 1


def _of(found: list[float], percent: int) -> float:
    return round(statistics.quantiles(found, n=100)[percent - 1], 1)


def run(quick: bool) -> dict[str, Value]:
    count, slow_each, bounds = (60, 3, Bounds(processor_s=0.1)) if quick else (1_000, 5, Bounds())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    return asyncio.run(_measure(count, slow_each, bounds))


if __name__ == "__main__":
    for name, value in run("--quick" in sys.argv).items():
        print(f"{name:24} {value}")
