"""What each node does for a compaction of the cluster, when the one that goes through it asks.

The log of a partition that it owns goes on in a new generation; a copy is written anew; and it says
whether it has none, and whether no former log is left. Who asks again hears of the same work.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from aiohttp import web

from hookbundle.actors.replication.messages import Renew, RewriteCopy
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.commanding.asking import DONE, NOT_YET
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.routes import Route

RENEW = "/cluster/renew"
REWRITE = "/cluster/rewrite"
NO_COPY = "/cluster/no-copy"
TIDIED = "/cluster/tidied"
ANSWER_S = 20.0  # less than a node waits for another one's answer
AFTER = "Hb-After"
"""Says that a log is as it was asked for in a generation of a greater number: one that was begun
before it was asked for may have what was deleted since."""

log = structlog.get_logger(__name__)


class OfPartition(msgspec.Struct, frozen=True):
    """`began_ms`: of the compaction, which no other has; a node of an earlier version says none."""

    partition: int
    began_ms: int = 0


class Rewriting:
    def __init__(self, hosts: Mapping[int, PartitionHost]) -> None:
        self._hosts = hosts
        self._rewriting: dict[int, tuple[int, asyncio.Future[Any]]] = {}

    def between_nodes(self) -> list[Route]:
        """What the others ask of this one."""
        asked = {
            RENEW: self._renew,
            REWRITE: self._rewrite,
            NO_COPY: self._has_none,
            TIDIED: self._tidied,
        }
        return [
            Route(method="POST", path=path, handler=handler, summary="")
            for path, handler in asked.items()
        ]

    async def _renew(self, request: web.Request) -> web.Response:
        role = self._host(await body_of(request, OfPartition)).role
        if role.state.maintenance is None:
            return web.Response(status=NOT_YET)
        after = role.state.maintenance.latest
        role.actor_ref.tell(Renew())
        return web.Response(status=DONE, headers={AFTER: str(after.number)})

    async def _rewrite(self, request: web.Request) -> web.Response:
        """Waits for a while; who asks again for the same compaction hears of the same work."""
        asked = await body_of(request, OfPartition)
        host = self._host(asked)
        of, work = self._rewriting.get(host.number, (asked.began_ms, None))
        if work is None or of != asked.began_ms:
            # What was done for an earlier one has in it what was deleted since.
            work = asyncio.get_running_loop().create_future()
            self._rewriting[host.number] = asked.began_ms, work
            host.role.actor_ref.tell(RewriteCopy(then=work.set_result))
        await asyncio.wait([work], timeout=ANSWER_S)
        if not work.done():
            return web.Response(status=NOT_YET)
        if self._rewriting.get(host.number) == (asked.began_ms, work):
            del self._rewriting[host.number]
        is_done = not isinstance(work.result(), HookbundleError)
        if not is_done:
            log.warning("copy not written anew", partition=host.number, why=str(work.result()))
        return web.Response(status=DONE if is_done else NOT_YET)

    async def _has_none(self, request: web.Request) -> web.Response:
        host = self._host(await body_of(request, OfPartition))
        has_none = host.role.state.role is Role.ABSENT and not host.left_over()
        return web.Response(status=DONE if has_none else NOT_YET)

    async def _tidied(self, request: web.Request) -> web.Response:
        maintenance = self._host(await body_of(request, OfPartition)).role.state.maintenance
        is_tidy = maintenance is not None and maintenance.state.left == 0
        return web.Response(status=DONE if is_tidy else NOT_YET)

    def _host(self, asked: OfPartition) -> PartitionHost:
        return self._hosts[asked.partition]
