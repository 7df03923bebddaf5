"""A node: its partitions, and the API over all of them."""

from pathlib import Path

from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.server.cluster.in_memory import cluster, shared_out

PARTITIONS = 4
WORKSPACES = [f"ws{number}" for number in range(8)]


async def test_messages_to_a_cluster_of_one_node_are_delivered(tmp_path: Path) -> None:
    async with receiving() as receiver, cluster(tmp_path, PARTITIONS) as made:
        node = await made.start("a")
        async with connected(node.config.listeners.socket_path) as session:
            api = Api(session)
            for name in WORKSPACES:
                await api.make(name, receiver, name)
                await api.accept(name, event("m1"))
            posts = await receiver.until(len(WORKSPACES))

    assert sorted(post.path for post in posts) == WORKSPACES
    assert len({of_workspace(name, PARTITIONS) for name in WORKSPACES}) > 1


async def test_a_node_answers_for_what_another_one_owns(tmp_path: Path) -> None:
    async with receiving() as receiver, cluster(tmp_path, PARTITIONS) as made:
        first = await made.start("a")
        async with connected(first.config.listeners.socket_path) as session:
            for name in WORKSPACES:
                await Api(session).make(name, receiver, name)
            second = await made.start("b")
            async with connected(second.config.listeners.socket_path) as to_second:
                await shared_out(first, second)
                for name in WORKSPACES:
                    await Api(to_second).accept(name, event("m1"))
                listed = await Api(to_second).get("/v1/workspaces")
                status = await Api(session).get("/v1/status")
            posts = await receiver.until(len(WORKSPACES))

    assert sorted(post.path for post in posts) == WORKSPACES
    assert sorted(each["id"] for each in listed["workspaces"]) == WORKSPACES
    assert status["totals"]["accepted"] == len(WORKSPACES)
    # All copies of a node are on one disk, which has room once.
    assert status["disk"]["room_bytes"] < 2 * status["disk"]["free_bytes"]
