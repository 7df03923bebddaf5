"""What a node tells Prometheus of its cluster, and of partitions that come and go."""

import asyncio
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Api, connected, daemon_in, event
from hookbundle.tests.server.cluster.in_memory import cluster, shared_out

Scraped = dict[tuple[str, tuple[str, ...]], float]
OF_A_CLUSTER = ("hookbundle_partition", "hookbundle_log_a", "hookbundle_log_lag")
PARTITIONS = 2


async def scraped(api: Api) -> Scraped:
    """Each value by its name and the values of its labels, which stand in the order of names."""
    answer = await api.ask("GET", "/metrics")
    assert answer.status == 200, answer
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


async def test_who_owns_what_and_what_its_log_is_like(tmp_path: Path) -> None:
    async with cluster(tmp_path, PARTITIONS) as made:
        nodes = await made.start("a"), await made.start("b")
        await shared_out(*nodes)
        nodes[1].neighbours.away = ("n2",)
        async with (
            connected(nodes[0].config.listeners.socket_path) as first,
            connected(nodes[1].config.listeners.socket_path) as second,
        ):
            apis = Api(first), Api(second)
            assert (await apis[0].ask("POST", "/v1/workspaces", {"id": "ws"})).status == 201
            both = [await scraped(api) for api in apis]
            shown = await apis[0].get("/v1/cluster")

    for number in range(PARTITIONS):
        partition = (str(number),)
        assert sum(each["hookbundle_partition_owner", partition] for each in both) == 1
        assert [each["hookbundle_partition_copies", partition] for each in both] == [2, 2]
        owner = next(each for each in both if each["hookbundle_partition_owner", partition])
        other = next(each for each in both if each is not owner)
        assert owner["hookbundle_takeovers_total", partition] == 1
        assert owner["hookbundle_void_entries_total", partition] == 0
        assert owner["hookbundle_generation_bytes", ("base", str(number))] > 0
        assert ("hookbundle_generation_bytes", ("base", str(number))) not in other
        assert other["hookbundle_log_lag_entries", partition] >= 0
        assert ("hookbundle_log_lag_entries", partition) not in owner
    assert all(each["hookbundle_log_append_seconds_count", ()] > 0 for each in both)
    assert all(each["hookbundle_cluster_nodes", ()] == 2 for each in both)
    assert [each["hookbundle_cluster_log_servers_away", ()] for each in both] == [0, 1]
    for each in shown["partitions"]:
        assert each["log_bytes"] > 0
        assert each["voids"] == 0
        assert each["taken_at"].endswith("Z")


async def moved(node: Node, to: Node, number: int) -> None:
    """The partition is the other node's."""
    node.assigning.take_no_more(number)
    to.assigning.take(number, 1)
    async with asyncio.timeout(TIMEOUT_S):
        while number not in to.owned:
            await asyncio.sleep(0.02)


async def test_no_counter_goes_back_and_nothing_is_counted_twice_when_a_partition_moves(
    tmp_path: Path,
) -> None:
    name = "ws"
    accepted = "hookbundle_messages_total", ("accepted",)
    number = of_workspace(name, 1)
    async with cluster(tmp_path, 1) as made:
        first = await made.start("a")
        async with connected(first.config.listeners.socket_path) as one:
            api = Api(one)
            assert (await api.ask("POST", "/v1/workspaces", {"id": name})).status == 201
            await api.accept(name, *(event(f"m{n}") for n in range(5)))
            for limit in first.owned[number].limits:
                limit.refused_owner, limit.refused_all = 3, 2  # type: ignore[misc]
            before = await scraped(api)
            second = await made.start("b")
            async with connected(second.config.listeners.socket_path) as other:
                owner = "a" if number in first.owned else "b"
                source, target = (first, second) if owner == "a" else (second, first)
                await moved(source, target, number)
                after, there = await scraped(api), await scraped(Api(other))
                await api.accept(name, event("later"))
                later, there_later = await scraped(api), await scraped(Api(other))

    assert before[accepted] == 5
    assert after[accepted] + there[accepted] == 5
    assert after[accepted] == 5
    assert later[accepted] + there_later[accepted] == 6
    for key, value in before.items():
        if key[0].endswith("_total") and key[0].startswith("hookbundle"):
            assert after[key] >= value, key


async def test_a_node_without_partitions_is_scraped_and_its_disk_is_not_full(
    tmp_path: Path,
) -> None:
    async with cluster(tmp_path, 1) as made:
        nodes = await made.start("a"), await made.start("b")
        idle = next(node for node in nodes if not node.owned)
        async with connected(idle.config.listeners.socket_path) as session:
            found = await scraped(Api(session))

    assert found["hookbundle_disk_free_bytes", ()] == 1 << 30
    assert found["hookbundle_disk_room_bytes", ()] == 1 << 30
    assert found["hookbundle_partition_owner", ("0",)] == 0
    assert found["hookbundle_limit_used", ("store_places",)] == 0


async def test_the_disk_of_a_node_is_counted_once_whatever_it_owns(tmp_path: Path) -> None:
    async with cluster(tmp_path, 3) as made:
        node = await made.start("a")
        async with connected(node.config.listeners.socket_path) as session:
            found = await scraped(Api(session))
        rooms = [each.partition.env.usage().room_bytes for each in node.owned.values()]

    assert len(rooms) == 3
    assert found["hookbundle_disk_room_bytes", ()] < 1.5 * max(rooms)


async def test_a_daemon_alone_has_none_of_it(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        found = await scraped(system)

    assert [name for name, _ in found if name.startswith(OF_A_CLUSTER)] == []
