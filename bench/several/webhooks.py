"""What several webhooks of a workspace cost: intake, windows, and a neighbour that is dead.

Messages come over the API to daemons with one, three and twenty webhooks a workspace, in turns.
Deliveries to a receiver that answers at once are timed alone, and beside a webhook whose host
refuses each connection. Run it as `python bench/several/webhooks.py [--quick]`.
"""

import os
import sys
import time
from pathlib import Path

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value, median, ratio
from hookbundle.engine import limits
from hookbundle.engine.delivery import signing
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import ChangeWebhook, change_webhook

COUNTS = (1, 3, limits.WEBHOOKS_MAX)
WORKSPACES = 10
CONNECTIONS = 32
DAY_MS = 86_400_000
CHATS = 1_000
WAIT_S_MAX = 120.0


def run(quick: bool) -> dict[str, Value]:
    """Processor time is that of the whole daemon, user and kernel."""
    rounds, requests = (3, 3_000) if quick else (7, 10_000)
    cpu_us: dict[int, list[float]] = {count: [] for count in COUNTS}
    batch_us: dict[int, list[float]] = {count: [] for count in COUNTS}
    for _ in range(rounds):
        for count in COUNTS:
            cpu_us[count].append(_intake(count, "single", requests))
            batch_us[count].append(_intake(count, "many", requests // 30) / 100)
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(_deliver(500, dead=0))
        beside.append(_deliver(500, dead=1))
    found: dict[str, Value] = {"rounds": rounds}
    for count in COUNTS:
        found[f"cpu_us_per_message_with_{count}"] = round(median(cpu_us[count]), 1)
        found[f"cpu_us_in_batches_with_{count}"] = round(median(batch_us[count]), 1)
    return {
        **found,
        "three_to_one": ratio(cpu_us[3], cpu_us[1]),
        "three_to_one_in_batches": ratio(batch_us[3], batch_us[1]),
        "ms_per_delivery_alone": round(median(alone) * 1_000, 2),
        "ms_per_delivery_beside_a_dead_one": round(median(beside) * 1_000, 2),
        "beside_a_dead_one_to_alone": ratio(beside, alone),
        **_full(),
    }


def add(data: Path, workspaces: int, webhooks: int, *, aggregation_ms: int, url: str) -> None:
    """Each of `ws0`, `ws1`, ... has so many webhooks, all but the first with this URL."""
    env = open_environment(data, filling.now_ms())
    with env.write() as txn:
        unit = Unit(txn, env.identity, retention=filling.FILLING)
        for workspace in range(workspaces):
            for count in range(1, webhooks):
                change_webhook(unit, _made(f"ws{workspace}", f"w{count}", aggregation_ms, url))
        unit.flush()
    env.close()


def _made(workspace_id: str, webhook_id: str, aggregation_ms: int, url: str) -> ChangeWebhook:
    return ChangeWebhook(
        workspace_id=workspace_id,
        webhook_id=webhook_id,
        changes=WebhookChanges(url=url, aggregation_ms=aggregation_ms),
        precondition=None,
        may_create=True,
        new_secret=signing.new_secret(os.urandom(32)),
        now_ms=filling.now_ms(),
        caller="bench",
    )


def _intake(webhooks: int, kind: str, requests: int) -> float:
    """The daemon's processor time for a request, in µs; every window stays open."""
    with harness.data_directory() as data:
        url = filling.NEVER_CALLED
        filling.fill(data / "data", WORKSPACES, aggregation_ms=DAY_MS, url=url)
        add(data / "data", WORKSPACES, webhooks, aggregation_ms=DAY_MS, url=url)
        with harness.running_daemon(data) as (daemon, ready):
            load = ("load.py", ready["socket"], CONNECTIONS)
            harness.run_once(*load, 200, kind, "warm", "--chats", CHATS)
            before_s = daemon.cpu_s()
            harness.run_once(*load, requests, kind, "m", "--chats", CHATS)
            return (daemon.cpu_s() - before_s) / requests * 1e6


def _full() -> dict[str, Value]:
    """A workspace with twenty webhooks that collect in a thousand chats each."""
    most = limits.WEBHOOKS_MAX
    with harness.data_directory() as data:
        url = filling.NEVER_CALLED
        filling.fill(data / "data", 1, aggregation_ms=DAY_MS, url=url)
        add(data / "data", 1, most, aggregation_ms=DAY_MS, url=url)
        with harness.running_daemon(data) as (daemon, ready):
            before, disk = daemon.private_bytes(), daemon.ask()["used_bytes"]
            load = ("load.py", ready["socket"], CONNECTIONS, CHATS // 100, "new", "full")
            took = harness.run_once(*load, "--workspaces", 1)
            counted = daemon.ask()
            after = daemon.private_bytes()
    if counted["windows"] != most * CHATS:
        raise RuntimeError(f"{counted['windows']} windows of {most * CHATS}")
    return {
        "windows_of_twenty": counted["windows"],
        "windows_opened_per_s": round(most * CHATS / took["seconds"]),
        "disk_bytes_per_window": round((counted["used_bytes"] - disk) / (most * CHATS)),
        "more_private_mib": round((after - before) / 2**20, 1),
    }


def _deliver(deliveries: int, dead: int) -> float:
    """Seconds for each of the deliveries of one webhook, beside so many dead ones."""
    with harness.data_directory() as data, harness.Process("peers.py", "receiver") as receiver:
        filling.fill(data / "data", 1, aggregation_ms=0, url=receiver.hear()["url"])
        never = filling.NEVER_CALLED
        add(data / "data", 1, 1 + dead, aggregation_ms=0, url=never)
        with harness.running_daemon(data) as (daemon, ready):
            load = ("load.py", ready["socket"], 1, deliveries // 100, "one", "m")
            harness.run_once(*load, "--workspaces", 1, "--chats", 1)
            until_s = time.monotonic() + WAIT_S_MAX
            while daemon.ask()["queued"] > dead * deliveries:
                if time.monotonic() > until_s:
                    raise RuntimeError(f"not all delivered in {WAIT_S_MAX} s")
                time.sleep(0.1)
            heard = receiver.ask()
    if heard["count"] != deliveries:
        raise RuntimeError(f"{heard['count']} requests for {deliveries} deliveries")
    seconds: float = heard["seconds"]
    return seconds / deliveries


if __name__ == "__main__":
    harness.show("Several webhooks", run("--quick" in sys.argv))
