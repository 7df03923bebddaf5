"""Two nodes in one process, with what tests need at each: the API, the feed, and one browser that
goes to the one or to the other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests import feed_readers, in_process
from hookbundle.tests.feed_readers import Subscriber
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Api
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster, shared_out
from hookbundle.tests.server.console.plain import Seen, Visitor

PARTITIONS = 3
NAMES = ["ws0", "ws1", "ws11", "ws2", "ws3", "ws9"]  # some in each partition


@dataclass(slots=True)
class Two:
    """Two nodes, a and b, each with an API."""

    cluster: MemoryCluster
    nodes: tuple[Node, Node]
    apis: tuple[Api, Api]
    jar: aiohttp.CookieJar
    visitors: tuple[Visitor, Visitor]

    async def made(self) -> None:
        """The workspaces are there, without URLs: nothing is sent."""
        for name in NAMES:
            answer = await self.apis[0].ask("POST", "/v1/workspaces", {"id": name})
            assert answer.status == 201

    async def accepted(self, workspace: str, message: dict[str, Any]) -> None:
        """The message is accepted at b, once that answers again."""
        path = f"/v1/workspaces/{workspace}/messages"
        async with asyncio.timeout(TIMEOUT_S):
            while (await self.apis[1].ask("POST", path, message)).status != 202:
                pass

    async def checked(self, number: int, at: int = 0, **wanted: Any) -> dict[str, Any]:
        """What `cluster check` finds in the partition."""
        wanted = {"partition": number, **wanted}
        answer = await self.apis[at].ask("POST", "/v1/cluster/check", wanted)
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.document
        return found

    async def token(self, workspace: str = "") -> str:
        """Of an admin: of the workspace, or of all."""
        wanted = {"scope": "admin", **({"workspace": workspace} if workspace else {})}
        answer = await self.apis[0].ask("POST", "/v1/tokens", wanted)
        assert answer.status == 201, answer
        return str(answer.document["token"])

    async def sign_in(self, token: str = "", at: int = 0) -> Seen:
        """The browser signs in at one node, and knows what the forms of both want."""
        self.jar.clear()
        seen = await self.visitors[at].sign_in(token or await self.token())
        for visitor in self.visitors:
            visitor.form_token = self.visitors[at].form_token
        return seen

    @asynccontextmanager
    async def reading(self, at: int = 0, **wanted: Any) -> AsyncIterator[Subscriber]:
        """A reader of the feed at that node."""
        async with reading_at(self.nodes[at], **wanted) as subscriber:
            yield subscriber

    def elsewhere(self, workspace: str) -> Visitor:
        """The browser, at the node that does not own the workspace's partition."""
        is_first = of_workspace(workspace, PARTITIONS) in self.nodes[0].owned
        return self.visitors[1 if is_first else 0]


@asynccontextmanager
async def reading_at(node: Node, **wanted: Any) -> AsyncIterator[Subscriber]:
    path = str(node.config.listeners.feed_path)
    line = json.dumps({"hello": 1, **wanted}).encode() + b"\n"
    async with feed_readers.connected(path, line) as subscriber:
        yield subscriber


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[Two]:
    async with AsyncExitStack() as closing:
        made = await closing.enter_async_context(cluster(folder, PARTITIONS))
        nodes = await made.start("a"), await made.start("b")
        await shared_out(*nodes)
        apis, visitors = [], []
        jar = aiohttp.CookieJar(unsafe=True)
        for node in nodes:
            path = node.config.listeners.socket_path
            apis.append(Api(await closing.enter_async_context(in_process.connected(path))))
            tcp = node.listeners.tcp
            assert tcp is not None
            session = await closing.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
            visitors.append(Visitor(session, f"http://{tcp[0]}:{tcp[1]}"))
        yield Two(made, nodes, (apis[0], apis[1]), jar, (visitors[0], visitors[1]))
