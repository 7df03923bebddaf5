"""Two nodes with one copy of each partition: neither has what the other owns, and each answers on
TCP, where callers need tokens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions.placing import OF_ALL, of_workspace
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Api, connected
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster, shared_out
from hookbundle.tests.server.http.lines import Line

PARTITIONS = 3
NAMES = ["ws0", "ws1", "ws11", "ws2", "ws3", "ws9"]


@dataclass(slots=True)
class Apart:
    """`api`: of the first node, for operators. `theirs`: workspaces that the second one owns."""

    made: MemoryCluster
    nodes: tuple[Node, Node]
    api: Api
    theirs: list[str]

    async def line(self, at: int = 0) -> Line:
        """A connection to the node: the first one does not own `theirs`."""
        tcp = self.nodes[at].listeners.tcp
        assert tcp is not None
        return Line(*await asyncio.open_connection(*tcp))

    async def status(self, head: str, body: bytes = b"", at: int = 0) -> int:
        """What a request is answered with that has these lines, and is the only one."""
        line = await self.line(at)
        try:
            return int((await line.ask(request(head, body))).split()[1])
        finally:
            line.hang_up()

    async def token(self, workspace: str, scope: str = "intake") -> tuple[str, str]:
        """A new token of the workspace, and its id."""
        wanted = {"scope": scope, "workspace": workspace}
        made = await self.api.ask("POST", "/v1/tokens", wanted)
        assert made.status == 201, made
        return made.document["token"], made.document["id"]


def request(head: str, body: bytes = b"") -> bytes:
    lines = [*head.strip().splitlines(), "Host: localhost"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "\r\n"]).encode() + body


async def shared_out_apart(*nodes: Node) -> None:
    """Each of the nodes, of one copy, owns its share, and has nothing of what others own, but for
    what every node follows. What was given away is followed until it is looked at once more."""
    await shared_out(*nodes)
    async with asyncio.timeout(TIMEOUT_S):
        while others := [(node, number) for node in nodes for number in _left_at(node)]:
            for node, number in others:
                node.assigning._look(number, node.live())
            await asyncio.sleep(0.02)


def _left_at(node: Node) -> list[int]:
    return [
        number
        for number, host in node.hosts.items()
        if number not in (OF_ALL, *node.owned) and host.role.state.role is not Role.ABSENT
    ]


@asynccontextmanager
async def apart(folder: Path) -> AsyncIterator[Apart]:
    async with cluster(folder, PARTITIONS) as made:
        nodes = await made.start("a", copies=1), await made.start("b", copies=1)
        await shared_out_apart(*nodes)
        async with connected(nodes[0].config.listeners.socket_path) as session:
            api = Api(session)
            for name in NAMES:
                assert (await api.ask("POST", "/v1/workspaces", {"id": name})).status == 201
            # What every node follows is known to both.
            theirs = [
                name
                for name in NAMES
                if (number := of_workspace(name, PARTITIONS)) in nodes[1].owned and number
            ]
            assert theirs
            yield Apart(made, nodes, api, theirs)
