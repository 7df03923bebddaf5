"""What keeps a node from being ready, and what of that keeps a proxy from leading callers to it."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.partitions import resting
from hookbundle.server.daemon import watch
from hookbundle.tests.in_process import MINUTE_MS, Api, event, until
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, Two, two


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "FIRST_S", 0.1)
    monkeypatch.setattr(resting, "MOST_S", 0.1)


async def ready(api: Api, exclude: str = "") -> tuple[int, list[str]]:
    answer = await api.ask("GET", "/readyz" + (f"?exclude={exclude}" if exclude else ""))
    reasons: list[dict[str, Any]] = answer.document.get("reasons", [])
    return answer.status, [each["code"] for each in reasons]


def lose(made: Two, number: int) -> None:
    log = made.cluster.logs[number]
    log.entries.clear()
    log._oldest = None
    for news in log.news:
        news()


async def test_a_partition_that_nobody_serves_keeps_a_proxy_from_no_node(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        for name in NAMES:
            await made.accepted(name, event("m1"))
        lose(made, 0)
        await until(
            lambda: all(node.hosts[0].role.state.role is Role.STOPPED for node in made.nodes)
        )
        await until(lambda: sum(len(node.owned) for node in made.nodes) == PARTITIONS - 1)

        plain = [await ready(api) for api in made.apis]
        at_each = [await ready(api, exclude="cluster") for api in made.apis]
        seen = [await api.ask("GET", "/metrics") for api in made.apis]

    assert at_each == [(200, []), (200, [])]
    assert [status for status, _ in plain] == [503, 503]
    assert all("partitions_stopped" in reasons for _, reasons in plain)
    for metrics in seen:
        assert b'hookbundle_reason{code="partitions_stopped"} 1.0' in metrics.body


async def test_partitions_whose_time_stands_still_keep_a_proxy_from_no_node(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        all_owned = [owned for node in made.nodes for owned in node.owned.values()]
        for owned in all_owned:
            owned.clock.start_after(owned.clock.now_ms() + 5 * MINUTE_MS)
        await until(lambda: all(owned.partition.timer_state.held for owned in all_owned))

        plain = [await ready(api) for api in made.apis]
        at_each = [await ready(api, exclude="cluster") for api in made.apis]
        status = await made.apis[0].get("/v1/status")

    assert at_each == [(200, []), (200, [])]
    assert plain == [(503, ["clock_held"])] * 2
    assert status["clock_held"]
    assert not status["ready"], "the sum over the cluster is what an operator has to know"


async def test_a_partition_that_is_on_its_way_keeps_its_node_ready(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first = made.nodes[0]
        owned = next(iter(first.owned.values()))
        owned.state.ready = False

        on_its_way = await ready(made.apis[0])

    assert on_its_way == (200, [])


async def test_the_log_says_in_which_partition_something_stands_and_nothing_of_one_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY_S", 0.01)
    with capture_logs() as logs:
        async with two(tmp_path) as made:
            on_its_way, held = [owned for node in made.nodes for owned in node.owned.values()][:2]
            on_its_way.state.ready = False
            held.clock.start_after(held.clock.now_ms() + 5 * MINUTE_MS)
            await until(lambda: any(line["event"] == "not ready" for line in logs))

    told = [line for line in logs if line["event"] == "not ready"]
    assert {(line["partition"], *line["reasons"]) for line in told} == {(held.number, "clock_held")}


async def test_a_node_that_hears_nothing_or_stops_is_not_ready(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first = made.nodes[0]
        made.cluster.nodes["b"].is_cut = True
        deaf = await ready(made.apis[1], exclude="cluster")
        made.cluster.nodes["b"].is_cut = False
        first.state.ready = False
        stopping = await ready(made.apis[0], exclude="cluster")
        first.state.ready = True

    assert deaf[0] == 503
    assert "log_servers_lost" in deaf[1]
    assert (stopping[0], stopping[1][0]) == (503, "not_started")
