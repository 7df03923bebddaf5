"""Three nodes in one process, of which none has a copy of all partitions, and a backup by one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hookbundle.server.cluster.node import Node
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.tests.in_process import Answer, Api, connected
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster, shared_out

PARTITIONS = 3
NAMES = [f"ws{number}" for number in range(12)]  # some in each partition
BACKUP = "/v1/backup"


@asynccontextmanager
async def three(folder: Path) -> AsyncIterator[tuple[MemoryCluster, tuple[Node, ...], Api]]:
    """Three nodes with two copies of each partition, of which the first has no copy of one. And
    its API."""
    async with cluster(folder, PARTITIONS) as made:
        nodes = await made.start("b"), await made.start("a"), await made.start("c")
        await shared_out(*nodes)
        async with connected(nodes[0].config.listeners.socket_path) as session:
            api = Api(session)
            for name in NAMES:
                assert (await api.ask("POST", "/v1/workspaces", {"id": name})).status == 201
            yield made, nodes, api


def texts_in(backup: Path, partitions: int = PARTITIONS) -> bytes:
    folders = [manifest.folder_of(backup, number) for number in range(partitions)]
    return b"".join((folder / "data.mdb").read_bytes() for folder in folders)


async def wanted(api: Api, into: Path) -> Answer:
    return await api.ask("POST", BACKUP, {"directory": str(into)})
