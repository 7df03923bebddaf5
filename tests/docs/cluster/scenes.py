"""The cluster of the page as its tests want it: quiet, or under traffic that is audited."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.engine.replication.names import Names
from hookbundle.tests.docs.cluster.following import Page
from hookbundle.tests.docs.cluster.machines import Machine, Machines
from hookbundle.tests.in_process import Api, connected, receiving
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of, shown
from hookbundle.tests.reliability.cluster.clients import Traffic, traffic

WITHIN_S = 60.0
LOOK_S = 0.2
WORKSPACES = 6


async def status(machine: Machine) -> Any:
    async with connected(machine.socket_path) as session:
        return await Api(session).get("/v1/cluster")


def owns(seen: Any) -> dict[str, int]:
    return {each["name"]: each["owns"] for each in seen["nodes"]}


async def quiet(
    machine: Machine, *nodes: str, moved: int = 0, needs_nobody: bool = True
) -> list[int]:
    """These nodes own all, each of them some, none on its way, and nothing needs a person; how much
    each owns.

    `moved`: so many partitions were by command, so that a node may own more than its share.
    `needs_nobody`: as long as something needs a person, it is not quiet.
    """
    loop = asyncio.get_running_loop()
    until_s = loop.time() + WITHIN_S
    while True:
        seen = await status(machine)
        owned, partitions = owns(seen), len(seen["partitions"])
        roles = {c["role"] for each in seen["partitions"] for c in each["copies"]}
        shares, most = sorted(owned.values()), -(-partitions // len(nodes)) + moved
        is_shared = sum(shares) == partitions and shares[0] > 0 and shares[-1] <= most
        is_quiet = roles <= {"owner", "following"} and not (needs_nobody and seen["warnings"])
        if set(owned) == set(nodes) and is_shared and is_quiet:
            return shares
        assert loop.time() < until_s, (owned, roles, seen["warnings"])
        await asyncio.sleep(LOOK_S)


class Audited:
    """The cluster of the page, as the audit wants it."""

    def __init__(self, at: Machines, partitions: int) -> None:
        self._at = at
        self.names = Names("hookbundle")
        self.partitions = partitions
        self.replicas = 3
        self.nodes = at.nodes

    async def connection(self) -> Connection:
        ca_file = str(self._at["a"].root / "etc" / "hookbundle" / "ca.pem")
        servers = Servers(
            urls=self._at.urls(), user="hookbundle", password="PASSWORD", ca_file=ca_file
        )
        connection = Connection(servers, "tests")
        await connection.open(WITHIN_S)
        return connection


@asynccontextmanager
async def under_traffic(at: Machines, page: Page) -> AsyncIterator[Traffic]:
    """Clients from the beginning on; then all nodes are stopped, and it is audited."""
    await page.follow("Start one")
    async with (
        receiving() as receiver,
        traffic([at["a"], at["b"], at["c"]], receiver, WORKSPACES) as clients,
    ):
        await clients.more(20)
        yield clients
        await clients.more(20)
        clients.ended.set()
        found = await arrived(clients, receiver)
        for node in at.nodes:
            node.terminal.runs("systemctl stop hookbundle")
        found = await copies_of(Audited(at, page.partitions), found)
        print(shown("page followed", clients.gap_s, found, clients.clients))
        assert found.is_clean, found
