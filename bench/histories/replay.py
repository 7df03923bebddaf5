"""A replay of a hundred thousand deliveries, and what intake pays for its steps.

Run it as `python bench/histories/replay.py [--quick]`.
"""

import sys
import time
from pathlib import Path
from statistics import median, quantiles

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value
from hookbundle.bench.history import DAY_MS, GROUP, accept, commit, deliver
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.replays import Count
from hookbundle.storage.transitions.repeating.replaying import CancelReplay, StartReplay
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep

MOST = 200
ALL = ReplayFilter(states=("dead_letter", "delivered"))
RARE = ReplayFilter(states=("dead_letter", "delivered"), http_status=599)


def run(quick: bool) -> dict[str, Value]:
    with harness.data_directory() as folder:
        return _replay(folder / "data", 10_000 if quick else 100_000)


def _replay(data: Path, deliveries: int) -> dict[str, Value]:
    now_ms = filling.now_ms()
    filling.fill(data, 2, aggregation_ms=0, url=filling.NEVER_CALLED)
    env = open_environment(data, now_ms)
    filling.write_past(
        env,
        deliveries,
        DAY_MS,
        GROUP,
        lambda unit, turn, at_ms: deliver(unit, 1, f"c{turn % 5_000}", turn, at_ms),
    )
    workspace_id = Reads(env).workspaces(1).found[0].settings.id
    count, slices = Count(env, workspace_id, ALL), list[float]()
    more = True
    while more:
        began_s = time.perf_counter()
        more = count.read_on()
        slices.append(time.perf_counter() - began_s)
    assert count.found == deliveries
    alone = [accept(env, turn, 2) for turn in range(deliveries, deliveries + 300)]
    commit(env, _start(RARE, workspace_id, now_ms))
    rare, _ = _steps(env, now_ms, 2 * deliveries)
    commit(env, _start(ALL, workspace_id, now_ms))
    put, beside = _steps(env, now_ms, 3 * deliveries)
    commit(env, CancelReplay(workspace_id=workspace_id, number=2, now_ms=now_ms, caller="bench"))
    back, _ = _steps(env, now_ms, 5 * deliveries)
    env.close()
    return {
        "deliveries": deliveries,
        "counted_per_s": round(deliveries / sum(slices)),
        "count_slice_ms_p99": _p99_ms(slices),
        "looked_at_per_s": round(deliveries / sum(rare)),
        "put_per_s": round(deliveries / sum(put)),
        "taken_back_per_s": round(deliveries / sum(back)),
        "step_ms": round(median(put) * 1_000, 2),
        "step_ms_p99": _p99_ms(put),
        "step_ms_max": round(max([*put, *back, *rare]) * 1_000, 2),
        "accept_ms_alone": round(median(alone) * 1_000, 3),
        "accept_ms_beside_a_replay": round(median(beside) * 1_000, 3),
        "accept_ms_beside_a_replay_p99": _p99_ms(beside),
    }


def _start(wanted: ReplayFilter, workspace_id: str, now_ms: int) -> StartReplay:
    return StartReplay(
        workspace_id=workspace_id,
        wanted=wanted,
        deliveries=1,
        messages=1,
        now_ms=now_ms,
        caller="bench",
    )


def _steps(env: Environment, now_ms: int, turn: int) -> tuple[list[float], list[float]]:
    """The seconds of each step, and of each message of another workspace between two of them."""
    steps, beside, finished = list[float](), list[float](), False
    while not finished:
        began_s = time.perf_counter()
        replayed = commit(env, ReplayStep(1, MOST, now_ms))
        steps.append(time.perf_counter() - began_s)
        assert isinstance(replayed, Replayed)
        finished = replayed.finished
        turn += 1
        beside.append(accept(env, turn, 2))
    return steps, beside


def _p99_ms(seconds: list[float]) -> float:
    return round(quantiles(seconds, n=100)[98] * 1_000, 2)


if __name__ == "__main__":
    harness.show("Replay", run("--quick" in sys.argv))
