"""Commands on nodes in processes of their own: what they say, and what is left on the disks."""

import asyncio
import json
from pathlib import Path
from typing import Any

from hookbundle.tests.in_process import Api, connected, event
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.nodes import NodeProcess, cluster_of

PARTITIONS = 2
NAMES = ["ws0", "ws1", "ws2", "ws3"]
CANARY = "a text that is deleted"
STAYS = "a text that stays"
WITHIN_S = 120.0


async def said(node: NodeProcess, *words: str) -> Any:
    """The JSON that the command prints."""
    ran = await node.program("cluster", *words, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def files_with(text: str, *folders: Path) -> list[str]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if text.encode() in path.read_bytes()]


async def test_partitions_are_moved_drained_and_compacted_and_a_node_is_forgotten(
    tmp_path: Path, nats: LogServers
) -> None:
    async with (
        cluster_of(tmp_path, nats, nodes=2, partitions=PARTITIONS) as made,
        connected(made.node("a").socket_path) as session,
    ):
        a, b = made.nodes
        api = Api(session)
        for name in NAMES:
            assert (await api.ask("POST", "/v1/workspaces", {"id": name})).status == 201
            for number in range(20):
                text = CANARY * 20
                await api.accept(name, event(f"m{number}", "deleted", text=text))
            await api.accept(name, event("stays", "stays", text=STAYS))
            answer = await api.ask("DELETE", f"/v1/workspaces/{name}/chats/deleted")
            assert answer.status in (200, 202, 204), answer

        moved = await said(a, "move", "0", "b")
        status = await said(b, "status")
        refused = await a.program("cluster", "move", "0", "nobody")
        drained = await said(a, "drain", "b")
        undone = await said(b, "drain", "--undo")

        before = files_with(CANARY, tmp_path, nats.folder)
        begun = await said(a, "compact")
        async with asyncio.timeout(WITHIN_S):
            while (compaction := (await said(a, "status"))["compaction"])["doing"]:
                await asyncio.sleep(0.2)
        after = files_with(CANARY, tmp_path, nats.folder)
        stays = files_with(STAYS, tmp_path, nats.folder)
        for name in NAMES:
            known = await api.accept(name, event("stays", "stays", text=STAYS))
            assert known["duplicate"] == 1

        lives = await a.program("cluster", "forget", "b")
        assert await b.stop() == 0
        async with asyncio.timeout(WITHIN_S):
            while len((await said(a, "status"))["nodes"]) > 1:
                await asyncio.sleep(0.2)
        forgotten = await said(a, "forget", "b")
        unknown = await a.program("cluster", "forget", "b")
        b.start()
        await b.until_says("ready", 2)

    print(f"a deleted text: in {len(before)} files before, in {len(after)} after")
    assert moved["owner"] == "b"
    assert [each["given_to"] for each in status["partitions"]] == ["b", None]
    assert status["partitions"][0]["owner"] == "b"
    assert (refused.code, drained, undone["leaves"]) == (
        5,
        {"node": "b", "leaves": True, "owns": 0},
        False,
    )
    assert begun["partitions"] == compaction["done"] == PARTITIONS
    assert compaction["left_out"] == []
    for kind in ("/jetstream/", "/data.mdb"):
        assert any(kind in each for each in before), before
    assert after == []
    assert len(stays) >= 3
    assert (lives.code, forgotten, unknown.code) == (6, {"node": "b"}, 5)
