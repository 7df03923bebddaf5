"""A compaction of two nodes in one process, whose workspaces have texts that are deleted."""

import asyncio
from typing import Any

from hookbundle.tests.in_process import Api, event
from hookbundle.tests.server.cluster.in_memory import MemoryCluster
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, Two

COMPACT = "/v1/cluster/compact"
CANARY = "a text that is deleted"
STAYS = "a text that stays"
WITHIN_S = 60.0
HEARD_WITHIN_S = 10.0  # what a beat says, at another node
TAKEN_OVER_WITHIN_S = 30.0


def kept(cluster: MemoryCluster, text: str) -> list[str]:
    """Where the text still stands: in logs, and in files of nodes."""
    found = [
        f"log {number}, {generation}"
        for number, log in enumerate(cluster.logs)
        for generation, entries in log.entries.items()
        if any(text.encode() in entry.body for entry in entries)
    ]
    files = [path for path in cluster.folder.rglob("*") if path.is_file()]
    return found + [str(path) for path in files if text.encode() in path.read_bytes()]


async def shown(api: Api, within_s: float = WITHIN_S, **wanted: Any) -> dict[str, Any]:
    """What the node says of the cluster, once it says this of the compaction."""
    async with asyncio.timeout(within_s):
        while True:
            found: dict[str, Any] = await api.get("/v1/cluster")
            compaction = found["compaction"]
            if compaction is not None and compaction.items() >= wanted.items():
                return found
            await asyncio.sleep(0.05)


async def over(api: Api, within_s: float = WITHIN_S) -> dict[str, Any]:
    """The compaction, when it is over."""
    seen = await shown(api, within_s, doing="", done=PARTITIONS)
    found: dict[str, Any] = seen["compaction"]
    return found


async def with_deleted_texts(made: Two) -> None:
    """Each workspace has a chat that stays, and had one with texts that are deleted."""
    await made.made()
    for name in NAMES:
        for number in range(8):
            text = {"text": CANARY * 20}
            await made.apis[0].accept(name, event(f"m{number}", "deleted", **text))
        await made.apis[0].accept(name, event("stays", "stays", text=STAYS))
        answer = await made.apis[0].ask("DELETE", f"/v1/workspaces/{name}/chats/deleted")
        assert answer.status in (200, 202, 204), answer
