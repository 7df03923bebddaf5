"""What Prometheus sees."""

import asyncio
import re
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from hookbundle.actors.store import StoreConfig
from hookbundle.actors.virtual_actors import INTENSITY
from hookbundle.actors.webhook import Wake
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.tables import history
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event, receiving
from hookbundle.tests.server.http.resources.rejecting import rejected

Samples = dict[str, float]
PACES = ("unknown", "light", "slow", "reading")


async def samples(system: System) -> Samples:
    """Each sample under its name as Prometheus writes it: `name{label="value"}`."""
    answer = await system.ask("GET", "/metrics")
    assert answer.status == 200
    found = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def test_messages_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"), event("m2"), event("m3", text=None))
        await system.accept("acme", event("m1"))
        found = await samples(system)

    assert found['hookbundle_messages_total{outcome="accepted"}'] == 2
    assert found['hookbundle_messages_total{outcome="duplicate"}'] == 1
    assert found['hookbundle_messages_total{outcome="skipped"}'] == 1
    assert found["hookbundle_windows_open"] == 1
    intake = 'method="POST",route="/v1/workspaces/{ws}/messages",status="202"'
    assert found[f"hookbundle_http_requests_total{{{intake}}}"] == 2


async def test_attempts_are_counted_by_outcome_and_timed(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await system.facts.until("delivery.delivered")
        found = await samples(system)

    assert found['hookbundle_attempts_total{outcome="delivered",reason="2xx"}'] == 1
    assert found["hookbundle_attempt_duration_seconds_count"] == 1
    assert found['hookbundle_deliveries_total{outcome="delivered"}'] == 1
    assert found["hookbundle_deliveries_queued"] == 0
    assert found["hookbundle_queue_oldest_age_seconds"] == 0


async def test_deliveries_are_counted_under_the_names_of_their_states(
    hasty: System, receiver: HookReceiver
) -> None:
    await rejected(hasty, receiver, "m1")
    found, text = await samples(hasty), await hasty.ask("GET", "/metrics")

    assert found["hookbundle_dead_letters"] == 1
    assert found['hookbundle_deliveries_total{outcome="dead_letter"}'] == 1
    assert found['hookbundle_deliveries_total{outcome="discarded"}'] == 0
    assert b"parked" not in text.body
    assert b"pending" not in text.body


async def test_bodies_of_formats_are_counted_by_the_process_that_had_them(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        template = {"template": {"text": "{{ messages[0].text }}"}}
        await system.make("acme", receiver, format=template)
        await system.accept("acme", event("m1", text="hello"))
        await system.facts.until("delivery.delivered")
        tried = "/v1/workspaces/acme/webhooks/outbound/format-test"
        assert (await system.ask("POST", tried, {"format": template})).status == 200
        found = await samples(system)

    bodies = {pace: found[f'hookbundle_bodies_rendered_total{{pace="{pace}"}}'] for pace in PACES}
    assert bodies.pop("reading") == 2, "the template of the webhook, and the one that was tried"
    assert sum(bodies.values()) >= 2
    assert found["hookbundle_bodies_rendered_bytes_total"] == len(b'{"text":"hello"}')
    assert found['hookbundle_limit_used{limit="bodies_to_render"}'] == 0
    assert found['hookbundle_renderer_ended_total{pace="slow"}'] == 0


async def test_the_longest_wait_is_that_of_a_webhook_in_service(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("held", receiver, "held", aggregation="1h", enabled=False)
        await system.make("slow", receiver, "slow", url="http://127.0.0.1:1080/")
        await system.accept("held", event("m1"))
        system.clock.move(2 * HOUR_MS)
        await system.facts.until("delivery.sealed")
        only_held = await samples(system)
        await system.accept("slow", event("m2"))
        system.clock.move(HOUR_MS)
        both = await samples(system)

    assert only_held["hookbundle_deliveries_queued"] == 1
    assert only_held["hookbundle_queue_oldest_age_seconds"] == 0
    assert only_held["hookbundle_workspaces_disabled"] == 1
    assert both["hookbundle_queue_oldest_age_seconds"] >= 3_600


async def test_commits_the_disk_and_the_loop_are_measured(tmp_path: Path) -> None:
    store = StoreConfig(floor_bytes=4_096, reserve_bytes=64 * 1024)
    async with daemon_in(tmp_path, store=store) as system:
        await system.ask("PUT", "/v1/workspaces/acme", {})
        found = await samples(system)

    assert found["hookbundle_store_commits_total"] >= 2
    assert (
        found["hookbundle_store_commit_duration_seconds_count"]
        == found["hookbundle_store_commit_transitions_count"]
        == found["hookbundle_store_commits_total"]
    )
    assert found["hookbundle_store_waiting"] == 0
    assert found["hookbundle_intake_open"] == 1
    assert found["hookbundle_ready"] == 1
    assert 0 < found["hookbundle_disk_used_bytes"] <= found["hookbundle_disk_map_bytes"]
    assert found["hookbundle_disk_file_bytes"] > 0
    assert 0 < found["hookbundle_disk_free_bytes"] <= found["hookbundle_disk_room_bytes"]
    assert found["hookbundle_disk_floor_bytes"] == store.floor_bytes
    assert found["hookbundle_feed_subscribers"] == 1  # the test's own
    assert "hookbundle_loop_lag_seconds_count" in found
    assert found["process_resident_memory_bytes"] > 0


async def test_a_webhook_in_quarantine_is_counted_as_one(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        answering = asyncio.Event()
        receiver.answers(Answer(after=answering))
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await receiver.until(1)
        with system.daemon.partition.env.write() as txn:
            txn.put(history.key_of(1, 1), b"no record")
        answering.set()
        for _ in range(INTENSITY.failures_max):
            system.daemon.partition.virtual_actors.webhooks.tell(1, Wake())
        await system.facts.until("actor.quarantined")
        found = await samples(system)

    assert found['hookbundle_quarantined{kind="webhook"}'] == 1
    assert sum(n for name, n in found.items() if name.startswith("hookbundle_quarantined")) == 1


async def test_made_up_paths_share_one_name(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        for number in range(3):
            await system.ask("GET", f"/made/up/{number}")
        found = await samples(system)

    unknown = 'method="(none)",route="(none)",status="404"'
    assert found[f"hookbundle_http_requests_total{{{unknown}}}"] == 3


async def test_two_daemons_in_a_process_count_apart(tmp_path: Path) -> None:
    async with daemon_in(tmp_path / "one") as one, daemon_in(tmp_path / "two") as two:
        for _ in range(3):
            await one.ask("PUT", "/v1/workspaces/acme", {})
        first, second = await samples(one), await samples(two)

    assert first["hookbundle_store_commits_total"] > second["hookbundle_store_commits_total"]


async def test_metrics_want_a_token_on_tcp_unless_they_are_opened(tmp_path: Path) -> None:
    statuses = []
    for opened in (False, True):
        folder = tmp_path / str(opened)
        listeners = ListenersConfig(folder / "run" / "c.sock", "127.0.0.1:0", open_metrics=opened)
        async with (
            daemon_in(folder, listeners=listeners) as system,
            aiohttp.ClientSession() as session,
        ):
            assert system.daemon.listeners.tcp is not None
            host, port = system.daemon.listeners.tcp
            statuses.append((await session.get(f"http://{host}:{port}/metrics")).status)

    assert statuses == [401, 200]


async def test_the_table_in_the_guide_has_every_metric_and_no_other(tmp_path: Path) -> None:
    guide = Path(__file__).parents[4] / "docs" / "reference" / "metrics.md"
    alone = guide.read_text().partition("## Of a node of a cluster")[0]
    rows = [line for line in alone.splitlines() if line.startswith("| `hookbundle_")]
    claimed = {name for row in rows for name in re.findall(r"`(hookbundle_\w+)", row.split("|")[1])}
    async with daemon_in(tmp_path) as system:
        body = (await system.ask("GET", "/metrics")).body.decode()

    own = {name for name in re.findall(r"^# HELP (\w+)", body, re.MULTILINE)}
    created = {name for name in own if name.endswith("_created")}
    assert {name for name in own - created if name.startswith("hookbundle_")} == claimed
