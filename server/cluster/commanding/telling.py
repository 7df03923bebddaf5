"""What operators had the cluster do is told: in the log of the node that was asked, at once, and as
facts in the feed of partition 0, at whose owner they are noted.

A command does not wait for that, and does not fail with it: who is told is the operator of the next
morning. While partition 0 has no owner it is tried again, for as long as a takeover may need, or an
operator who recovers one node's copies after the other's.
"""

import asyncio
from contextlib import suppress

import msgspec
import structlog
from aiohttp import web

from hookbundle.engine.errors import HookbundleError, in_words
from hookbundle.server.cluster.asked import AnswerLost, Ask, Asked
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

AGAIN_S = (1.0, 5.0, 15.0, *(60.0,) * 60)

log = structlog.get_logger(__name__)


class ToldIn(msgspec.Struct, frozen=True):
    type: str
    data: dict[str, object]


class Telling:
    """`tell()`, and at the end `close()`. `ask`: a partition, wherever it is."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._is_closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, fact: OfCluster) -> None:
        """It is logged now, and soon in the feed."""
        log.info("cluster command", what=type_of(type(fact)), **msgspec.to_builtins(fact))
        task = asyncio.create_task(self._told(fact), name="fact of the cluster")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What is on its way is waited for, and nothing tried again."""
        self._is_closing.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _told(self, fact: OfCluster) -> None:
        what = type_of(type(fact))
        body = msgspec.json.encode(ToldIn(what, msgspec.to_builtins(fact)))
        why = await self._why_not(body)
        for pause_s in AGAIN_S:
            if not why:
                return
            log.info("a command is not in the feed yet", what=what, why=why)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_closing.wait(), pause_s)
            if self._is_closing.is_set():
                break
            why = await self._why_not(body)
        if why:
            log.warning("a command is not in the feed", what=what, why=why)

    async def _why_not(self, body: bytes) -> str:
        """Why it is not in the feed; empty if it is, or if nobody can say: it may not be twice."""
        try:
            answered = await self._ask(OF_ALL, Asked("POST", PATH, JSON, body))
        except AnswerLost as exc:
            log.warning("a command may not be in the feed", why=in_words(exc))
            return ""
        except HookbundleError as exc:
            return in_words(exc)
        return "" if answered.status == 204 else f"the answer was {answered.status}"


async def noted(owned: Owned, request: web.Request) -> web.Response:
    """`POST /cluster/note`, of another node. Raises: HookbundleError; ValidationError."""
    told = await body_of(request, ToldIn)
    kind = KINDS.get(told.type)
    if kind is None:
        return web.Response(status=404)  # of a later version, which is among the nodes already
    fact = msgspec.convert(told.data, kind)
    await owned.partition.store_queue.done(Note(fact, owned.clock.now_ms()))
    return web.Response(status=204)
