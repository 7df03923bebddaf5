"""The cost of keeping: a million ended deliveries, a chat with many ids, attempts of large bundles.

Run it as `python bench/history.py [--quick]`.
"""

import sys
import time
from pathlib import Path
from statistics import median

import msgspec

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.retention import KEEP_ALL, Retention
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed

FEED = Retention(feed_events=1_000)
GROUP = 200
ID_STEPS = (100, 1_000, 10_000, 100_000)
BUNDLE_BYTES = 100_000
DAY_MS = 86_400_000


def run(quick: bool) -> dict[str, Value]:
    with harness.data_directory() as folder:
        found = _history(folder / "history", 100_000 if quick else 1_000_000)
        found |= _ids(folder / "ids", ID_STEPS[:3] if quick else ID_STEPS)
        return found | _bytes_of_an_attempt(folder / "bytes")


def _history(folder: Path, deliveries: int) -> dict[str, Value]:
    """Opening and starting on so many ended deliveries, and trimming half of them beside intake."""
    data, now_ms = folder / "data", filling.now_ms()
    filling.fill(data, 10, aggregation_ms=0, url=filling.NEVER_CALLED)
    env = open_environment(data, now_ms)
    filling.write_past(
        env,
        deliveries,
        DAY_MS,
        GROUP,
        lambda unit, turn, at_ms: deliver(unit, 1 + turn % 10, f"c{turn % 5_000}", turn, at_ms),
    )
    used_bytes = env.usage().used_bytes
    env.close()
    began_s = time.perf_counter()
    env = open_environment(data, now_ms)
    opened_s = time.perf_counter() - began_s
    alone = [accept(env, turn) for turn in range(deliveries, deliveries + 300)]
    trimmed_s, beside = _trim_beside_intake(env, deliveries, now_ms)
    env.close()
    with harness.running_daemon(folder) as (_, ready):
        return {
            "deliveries": deliveries,
            "disk_bytes_per_delivery": round(used_bytes / deliveries),
            "open_s": round(opened_s, 4),
            "ready_s": round(ready["start_s"], 3),
            "trimmed_per_s": round(deliveries / 2 / trimmed_s),
            "accept_ms_alone": round(median(alone) * 1_000, 3),
            "accept_ms_beside_trimming": round(median(beside) * 1_000, 3),
        }


def _trim_beside_intake(
    env: Environment, deliveries: int, now_ms: int
) -> tuple[float, list[float]]:
    """The seconds of trimming the older half, and of each message accepted between the steps."""
    trimmed_s, beside, turn = 0.0, [], 2 * deliveries
    for workspace in range(1, 11):
        finished = False
        while not finished:
            step = TrimHistory(
                workspace_number=workspace,
                before_ms=now_ms - DAY_MS // 2,
                bytes_max=2**62,
                most=500,
                now_ms=now_ms,
            )
            began_s = time.perf_counter()
            trimmed = commit(env, step)
            trimmed_s += time.perf_counter() - began_s
            assert isinstance(trimmed, Trimmed)
            finished = trimmed.finished
            turn += 1
            beside.append(accept(env, turn))
    return trimmed_s, beside


def _ids(data: Path, steps: tuple[int, ...]) -> dict[str, Value]:
    """What a message costs in a chat that has seen so many ids."""
    filling.fill(data, 1, aggregation_ms=DAY_MS, url=filling.NEVER_CALLED)
    env, seen, found = open_environment(data, filling.now_ms()), 0, dict[str, Value]()
    for step in steps:
        while seen < step:
            with env.write() as txn:
                unit = Unit(txn, env.identity, retention=FEED)
                for _ in range(min(GROUP, step - seen)):
                    table.apply(unit, filling.accepting(1, "c1", seen, filling.now_ms()))
                    seen += 1
                unit.flush()
            env.grow_if_needed()
        found[f"apply_us_with_{step}_ids"] = round(_apply_us(env, seen), 1)
        seen += 640
    env.close()
    return found


def _apply_us(env: Environment, first: int) -> float:
    """Microseconds to apply a message, over ten parts' worth of them."""
    with env.write() as txn:
        unit = Unit(txn, env.identity, retention=FEED)
        began_s = time.perf_counter()
        for turn in range(first, first + 640):
            table.apply(unit, filling.accepting(1, "c1", turn, filling.now_ms()))
        took_s = time.perf_counter() - began_s
        unit.flush()
    return took_s / 640 * 1e6


def _bytes_of_an_attempt(data: Path) -> dict[str, Value]:
    """What a failed and a delivered attempt of a bundle of 100 KB write, values and keys."""
    filling.fill(data, 1, aggregation_ms=0, url=filling.NEVER_CALLED)
    env, now_ms = open_environment(data, filling.now_ms()), filling.now_ms()
    large = filling.accepting(1, "c1", 0, now_ms)
    text = b'"%b"' % (b"x" * BUNDLE_BYTES)
    message = large.messages[0]
    message = msgspec.structs.replace(message, message=message.message.replace(b'"What', text, 1))
    found: dict[str, Value] = {}
    commit(env, msgspec.structs.replace(large, messages=(message,)))
    for name, outcome in (("failed", Failed("status 500")), ("delivered", Delivered(200))):
        collected: Collected = {}
        begun = commit(env, BeginAttempt(1, now_ms), collected)
        assert isinstance(begun, Begun)
        commit(env, _finishing(1, begun, outcome, now_ms), collected)
        rows = ((key, value) for key, value in collected.items() if value is not None)
        found[f"bytes_of_an_attempt_{name}"] = sum(len(key) + len(value) for key, value in rows)
        now_ms += DAY_MS
    env.close()
    return found


def deliver(unit: Unit, workspace: int, chat: str, turn: int, at_ms: int) -> None:
    table.apply(unit, filling.accepting(workspace, chat, turn, at_ms))
    begun = table.apply(unit, BeginAttempt(workspace, at_ms))
    assert isinstance(begun, Begun)
    table.apply(unit, _finishing(workspace, begun, Delivered(200), at_ms))


def _finishing(webhook: int, begun: Begun, outcome: Outcome, at_ms: int) -> FinishAttempt:
    made = Attempt(
        at_ms=at_ms,
        url=begun.url,
        request_headers=(("webhook-id", begun.delivery_id), ("user-agent", "hookbundle")),
        outcome="delivered",
        status=200,
        response_headers=(("content-length", "2"), ("date", "Sat, 28 Nov 2026 10:00:00 GMT")),
        response_body=b"ok",
    )
    return FinishAttempt(
        webhook=webhook,
        delivery=begun.delivery.number,
        attempt=begun.attempt,
        outcome=outcome,
        result=made,
        now_ms=at_ms,
        spread=0.0,
        policy=BackoffPolicy(),
        go_on=False,
    )


def accept(env: Environment, turn: int, workspace: int = 0) -> float:
    """The seconds that accepting a message takes, its commit included. 0: workspaces in turns."""
    began_s = time.perf_counter()
    commit(env, filling.accepting(workspace or 1 + turn % 10, f"n{turn}", turn, filling.now_ms()))
    return time.perf_counter() - began_s


def commit(env: Environment, transition: Transition, collected: Collected | None = None) -> Result:
    with env.write() as txn:
        unit = Unit(txn, env.identity, retention=KEEP_ALL, collected=collected)
        result = table.apply(unit, transition)
        unit.flush()
    env.grow_if_needed()
    return result


if __name__ == "__main__":
    harness.show("History", run("--quick" in sys.argv))
