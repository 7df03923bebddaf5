"""The cost of a loop actor beside a thread actor: creation, `tell`, memory.

Rounds of the two kinds alternate, so that a noisy machine slows both. The table shows medians,
and ratios are between medians. Run it as `python bench/actors.py [--quick]`.
"""

import asyncio
import statistics
import sys
import threading
import time
import tracemalloc
from typing import Any

import pykka

from hookbundle.engine.runtime.directory import Directory
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.supervisor import RestartIntensity

THREAD_ACTORS = 100
DIRECTORY_BURST = 10_000
HOT_KEYS = 5_000


class OnLoop(LoopActor):
    def on_receive(self, message: Any) -> None:
        if message is not None:
            message.set_result(None)


class OnLoopAsync(LoopActor):
    async def on_receive(self, message: Any) -> None:
        if message is not None:
            message.set_result(None)


class OnThread(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> None:
        if message is not None:
            message.set()


def run(quick: bool) -> dict[str, float | int | str]:
    """Rates are per second, sizes in bytes."""
    rounds, many, tells = (3, 20_000, 50_000) if quick else (5, 100_000, 200_000)
    threads, few_on_loop, many_on_loop, many_async = [], [], [], []
    for _ in range(rounds):
        threads.append(_on_threads(THREAD_ACTORS, tells // 5))
        few_on_loop.append(asyncio.run(_on_loop(OnLoop, THREAD_ACTORS, tells)))
        many_on_loop.append(asyncio.run(_on_loop(OnLoop, many, tells)))
        many_async.append(asyncio.run(_on_loop(OnLoopAsync, many, tells // 5)))
    hot, cold = zip(*(asyncio.run(_through_a_directory(tells)) for _ in range(rounds)), strict=True)
    thread_tells, loop_tells = _median(threads, 1), _median(few_on_loop, 1)
    return {
        "rounds": rounds,
        "thread_actors": THREAD_ACTORS,
        "thread_create_per_s": _median(threads, 0),
        "thread_tell_per_s": thread_tells,
        "loop_tell_per_s_same_number": loop_tells,
        "loop_to_thread_tell_ratio": round(loop_tells / thread_tells, 1),
        "loop_actors": many,
        "loop_create_per_s": _median(many_on_loop, 0),
        "loop_tell_per_s": _median(many_on_loop, 1),
        "loop_async_tell_per_s": _median(many_async, 1),
        "loop_bytes_per_actor": asyncio.run(_bytes_per_actor(5_000)),
        "directory_tell_per_s_hot": round(statistics.median(hot)),
        "directory_tell_per_s_all_new": round(statistics.median(cold)),
    }


def _median(samples: list[tuple[float, float]], column: int) -> int:
    return round(statistics.median(sample[column] for sample in samples))


def _on_threads(count: int, tells: int) -> tuple[float, float]:
    began = time.perf_counter()
    refs = [OnThread.start() for _ in range(count)]
    created = time.perf_counter()
    for number in range(tells):
        refs[number % count].tell(None)
    done = [threading.Event() for _ in refs]
    for ref, event in zip(refs, done, strict=True):
        ref.tell(event)
    for event in done:
        event.wait()
    claimed = time.perf_counter()
    pykka.ActorRegistry.stop_all()
    return count / (created - began), tells / (claimed - created)


async def _on_loop(kind: type[LoopActor], count: int, tells: int) -> tuple[float, float]:
    began = time.perf_counter()
    actors = [kind() for _ in range(count)]
    for actor in actors:
        actor.begin()
    created = time.perf_counter()
    refs = [actor.actor_ref for actor in actors]
    await _handled(refs[-1])
    ready = time.perf_counter()
    for number in range(tells):
        refs[number % count].tell(None)
    # `count` divides `tells` and turns go round in order: the last actor gets the last message.
    await _handled(refs[-1])
    return count / (created - began), tells / (time.perf_counter() - ready)


async def _handled(ref: "pykka.ActorRef[Any]") -> None:
    done = asyncio.get_running_loop().create_future()
    ref.tell(done)
    await done


async def _bytes_per_actor(count: int) -> int:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    actors = [OnLoop() for _ in range(count)]
    for actor in actors:
        actor.begin()
        actor.actor_ref.tell(None)
    await _handled(actors[-1].actor_ref)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) // count


async def _through_a_directory(tells: int) -> tuple[float, float]:
    directory: Directory[int, Any] = Directory(
        name="chat",
        activate=lambda _key: OnLoop(),
        active_max=HOT_KEYS * 2,
        intensity=RestartIntensity(failures_max=3, period_ms=60_000, quarantine_ms=60_000),
        now_ms=lambda: time.monotonic_ns() // 1_000_000,
        on_dead_letter=lambda *_: None,
        on_quarantine=lambda *_: None,
    )

    async def rate(keys: int) -> float:
        began = time.perf_counter()
        for first in range(0, tells, DIRECTORY_BURST):
            for number in range(first, first + DIRECTORY_BURST):
                directory.tell(number % keys, None)
            done = asyncio.get_running_loop().create_future()
            directory.tell((first + DIRECTORY_BURST - 1) % keys, done)
            await done
        return tells / (time.perf_counter() - began)

    await rate(HOT_KEYS)
    return await rate(HOT_KEYS), await rate(tells * 2)


if __name__ == "__main__":
    for name, value in run(quick="--quick" in sys.argv).items():
        print(f"{name:<32}{value:>14,}")
