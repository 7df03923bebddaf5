"""What names no workspace, over several partitions on several nodes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hookbundle.server.cluster import routing
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.database import keyspace
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster, shared_out

PARTITIONS = 3
NAMES = [f"ws{number}" for number in range(7)]
BODIES = (b'{"name":"x"}', b'{"id":1,"workspace":1}', b"[]", b"null", b"{", b"\xff", b"")
ODD = ("OTk6eA", "Mzo", "MA", "%21", "%C3%A9", "_w")  # partition 99, 3, no place, no text ...


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
        found, sizes = list[str](), list[list[int]]()
        for limit in (3, 4):  # 4 are in one partition, and 3 in another
            cursor, of_pages = "", list[int]()
            while True:
                page = await second.get(f"/v1/workspaces?limit={limit}{cursor}")
                of_pages.append(len(page["workspaces"]))
                found += [each["id"] for each in page["workspaces"]]
                if page["cursor"] is None:
                    break
                cursor = f"&cursor={page['cursor']}"
            sizes.append(of_pages)
        refused = [(await second.ask("GET", f"/v1/workspaces?cursor={odd}")).status for odd in ODD]

    assert sorted(found) == sorted([*NAMES, *NAMES])
    assert sizes == [[3, 3, 1], [4, 3]]
    assert refused == [422] * len(ODD)


async def test_what_a_check_finds_names_its_partition(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (made, first, second):
        assert (await first.ask("POST", "/v1/workspaces", {"id": NAMES[0]})).status == 201
        number = of_workspace(NAMES[0], PARTITIONS)
        owner = next(node for node in made.started if number in node.owned)
        with owner.owned[number].partition.env.write() as txn:
            txn.delete(keyspace.owned(keyspace.STATES, 1))
        found = (await second.get("/v1/check"))["findings"]

    assert found
    assert all(each["where"].startswith(f"partition {number}: ") for each in found)


async def test_a_workspace_is_made_where_its_id_belongs(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (_, first, second):
        for name in NAMES:
            document = {"id": name, "name": name, "owner_email": "owner@example.com"}
            assert (await first.ask("POST", "/v1/workspaces", document)).status == 201
        shown = [(await second.get(f"/v1/workspaces/{name}"))["id"] for name in NAMES]
        refused = [
            (await first.ask("POST", path, data=body)).status
            for path in ("/v1/workspaces", "/v1/tokens")
            for body in BODIES
        ]

    assert shown == NAMES
    assert set(refused) <= {400, 422}


async def test_a_delivery_is_found_by_its_id_alone_whoever_has_it(tmp_path: Path) -> None:
    async with receiving() as receiver, two_nodes(tmp_path) as (_, first, second):
        apis = first, second
        for name in NAMES:
            await first.make(name, receiver, name)
            await second.accept(name, event("m1"))
        posts = await receiver.until(len(NAMES))
        shown = [await first.get(f"/v1/deliveries/{post.id}") for post in posts]
        unknown = await first.ask("GET", "/v1/deliveries/dlv_0000000000000000000000000000000")
        for each in shown:
            chat = f"/v1/workspaces/{each['workspace']}/chats/{each['chat_id']}"
            assert (await first.ask("DELETE", chat)).status in (200, 202, 204)
        gone = [await api.ask("GET", f"/v1/deliveries/{post.id}") for post in posts for api in apis]

    assert sorted(each["workspace"] for each in shown) == NAMES
    assert unknown.status == 404
    assert {each.status for each in gone} == {410}, "another partition says 404 of it"


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
