"""A download of more than nodes hold of an answer, through a node that does not own its workspace.

The long form has it (`make cluster-table`): it writes a hundred megabytes.
"""

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from hookbundle.engine.replication.requests import ANSWER_BYTES_MAX
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.nodes import NodeProcess, cluster_of
from hookbundle.tests.reliability.harness.battery import FULL
from hookbundle.tests.reliability.hostility.tenants.stage import memory_bytes

long = pytest.mark.skipif(not FULL, reason="long form: make cluster-table")

CHATS, MESSAGES = 100, 14
TEXT = "x" * 60_000
PATH = "http://hookbundle/v1/workspaces/acme/log"
GROWN_BYTES_MAX = 48 * 1024 * 1024


@long
async def test_a_log_of_a_hundred_megabytes_passes_through_another_node(
    tmp_path: Path, nats: LogServers
) -> None:
    async with receiving() as receiver, cluster_of(tmp_path, nats, nodes=2, partitions=1) as made:
        async with connected(made.nodes[0].socket_path) as session:
            api = Api(session)
            await api.make("acme", receiver, aggregation="1s")
            for chat in range(CHATS):
                texts = [event(f"{chat}-{n}", f"c{chat}", text=TEXT) for n in range(MESSAGES)]
                await api.accept("acme", *texts)
            await receiver.until(CHATS)
        before = [_memory(node) for node in made.nodes]
        async with asyncio.timeout(120):
            found = await _of_both(made.nodes)
            while found[0] != found[1]:  # the last ones come into the log
                found = await _of_both(made.nodes)
        grown = [_memory(node) - was for node, was in zip(made.nodes, before, strict=True)]

    print(f"{found[0][0]:,} bytes; memory grown by {[f'{each:,}' for each in grown]}")
    assert found[0][0] > ANSWER_BYTES_MAX
    assert max(grown) < GROWN_BYTES_MAX


async def _of_both(nodes: list[NodeProcess]) -> list[tuple[int, bytes]]:
    return [await _downloaded(node) for node in nodes]


async def _downloaded(node: NodeProcess) -> tuple[int, bytes]:
    """How many bytes, and their digest, of a reader who takes them at once."""
    size, digest = 0, sha256()
    async with connected(node.socket_path) as session, session.get(PATH) as answer:
        assert answer.status == 200
        async for some in answer.content.iter_any():
            size += len(some)
            digest.update(some)
    return size, digest.digest()


def _memory(node: NodeProcess) -> int:
    assert node.process is not None
    return memory_bytes(node.process.pid)
