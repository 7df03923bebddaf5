"""What names no workspace, over several partitions on several nodes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hookbundle.server.cluster import routing
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster, shared_out

PARTITIONS = 3
NAMES = [f"ws{number}" for number in range(7)]


@asynccontextmanager
async def two_nodes(folder: Path) -> AsyncIterator[tuple[MemoryCluster, Api, Api]]:
    async with cluster(folder, PARTITIONS) as made:
        first, second = await made.start("a"), await made.start("b")
        await shared_out(first, second)
        paths = [node.config.listeners.socket_path for node in (first, second)]
        async with connected(paths[0]) as one, connected(paths[1]) as other:
            yield made, Api(one), Api(other)


async def test_a_list_goes_through_all_partitions_page_by_page(tmp_path: Path) -> None:
    async with receiving() as receiver, two_nodes(tmp_path) as (_, first, second):
        for name in NAMES:
            await first.make(name, receiver, name)
        found, cursor, pages = [], "", 0
        while True:
            page = await second.get(f"/v1/workspaces?limit=2{cursor}")
            found += [each["id"] for each in page["workspaces"]]
            pages += 1
            if page["cursor"] is None:
                break
            cursor = f"&cursor={page['cursor']}"
        foreign = await second.ask("GET", "/v1/workspaces?cursor=OTk6eA")
        nonsense = await second.ask("GET", "/v1/workspaces?cursor=%21")

    assert sorted(found) == NAMES
    assert pages >= 4
    assert (foreign.status, nonsense.status) == (422, 422)


async def test_a_workspace_is_made_where_its_id_belongs(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (_, first, second):
        for name in NAMES:
            document = {"id": name, "name": name, "owner_email": "owner@example.com"}
            assert (await first.ask("POST", "/v1/workspaces", document)).status == 201
        shown = [(await second.get(f"/v1/workspaces/{name}"))["id"] for name in NAMES]
        refused = await first.ask("POST", "/v1/workspaces", {"name": "x"})

    assert shown == NAMES
    assert refused.status == 422


async def test_a_delivery_is_found_by_its_id_alone_whoever_has_it(tmp_path: Path) -> None:
    async with receiving() as receiver, two_nodes(tmp_path) as (_, first, second):
        for name in NAMES:
            await first.make(name, receiver, name)
            await second.accept(name, event("m1"))
        posts = await receiver.until(len(NAMES))
        shown = [await first.get(f"/v1/deliveries/{post.id}") for post in posts]
        unknown = await first.ask("GET", "/v1/deliveries/dlv_0000000000000000000000000000000")

    assert sorted(each["workspace"] for each in shown) == NAMES
    assert unknown.status == 404


async def test_a_partition_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "OWNER_WITHIN_S", 0.1)
    async with two_nodes(tmp_path) as (made, first, _):
        lost = ", ".join(map(str, sorted(made.started[1].owned)))
        made.nodes["b"].is_cut = True
        monkeypatch.setattr(made.nodes["a"], "may_judge", False)
        status = await first.ask("GET", "/v1/status")
        listed = await first.ask("GET", "/v1/workspaces")
        made.nodes["b"].is_cut = False

    assert (status.status, status.code) == (503, "parts_missing")
    assert lost in status.document["detail"]
    assert (listed.status, listed.code) == (503, "parts_missing")


async def test_the_cluster_is_shown_by_any_node(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (made, first, second):
        shown = await first.get("/v1/cluster")
        where = await second.get("/v1/cluster/where/acme")
        owned = {number: node.cluster.node for node in made.started for number in node.owned}

    assert [each["name"] for each in shown["nodes"]] == ["a", "b"]
    assert {each["number"]: each["owner"] for each in shown["partitions"]} == owned
    assert shown["warnings"] == []
    assert where["owner"] == owned[where["partition"]]
