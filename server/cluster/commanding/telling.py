"""What operators had the cluster do is told: in the log of the node that was asked, at once, and as
facts in the feed of partition 0, at whose owner they are noted.

A command does not wait for that, and does not fail with it: who is told is the operator of the next
morning.
"""

import asyncio

import msgspec
import structlog
from aiohttp import web

from hookbundle.engine.errors import HookbundleError, in_words
from hookbundle.server.cluster.asked import Ask, Asked
from hookbundle.server.cluster.commanding.asking import JSON
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.cluster.partitions.placing import OF_ALL
from hookbundle.server.http.requests import body_of
from hookbundle.storage import cluster_facts
from hookbundle.storage.cluster_facts import OfCluster
from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.transitions.notes import Note

PATH = "/cluster/note"
KINDS = {
    type_of(kind): kind
    for kind in vars(cluster_facts).values()
    if isinstance(kind, type) and issubclass(kind, OfCluster)
}

log = structlog.get_logger(__name__)


class ToldIn(msgspec.Struct, frozen=True):
    type: str
    data: dict[str, object]


class Telling:
    """`tell()`, and at the end `close()`. `ask`: a partition, wherever it is."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, fact: OfCluster) -> None:
        """It is logged now, and soon in the feed."""
        log.info("cluster command", what=type_of(type(fact)), **msgspec.to_builtins(fact))
        task = asyncio.create_task(self._told(fact), name="fact of the cluster")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _told(self, fact: OfCluster) -> None:
        body = msgspec.json.encode(ToldIn(type_of(type(fact)), msgspec.to_builtins(fact)))
        try:
            answered = await self._ask(OF_ALL, Asked("POST", PATH, JSON, body))
        except HookbundleError as exc:
            log.warning("a command is not in the feed", why=in_words(exc))
            return
        if answered.status != 204:
            log.warning("a command is not in the feed", status=answered.status)


async def noted(owned: Owned, request: web.Request) -> web.Response:
    """`POST /cluster/note`, of another node. Raises: HookbundleError; ValidationError."""
    told = await body_of(request, ToldIn)
    kind = KINDS.get(told.type)
    if kind is None:
        return web.Response(status=404)  # of a later version, which is among the nodes already
    fact = msgspec.convert(told.data, kind)
    await owned.partition.store_queue.done(Note(fact, owned.clock.now_ms()))
    return web.Response(status=204)
