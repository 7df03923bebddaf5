"""The API of a node: each route of a daemon, answered by the owner of its partition, or by all.

The routes are those of a daemon, made once from nothing, since handlers belong to partitions:
only methods, paths and texts are taken from them.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from hookbundle import __version__
from hookbundle.engine.conditions import SAME_ELSEWHERE, Condition, Reason, condition
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster import figures, tokens
from hookbundle.server.cluster.backing_up import reaching
from hookbundle.server.cluster.backing_up.backing_up import BackingUp
from hookbundle.server.cluster.callers import sources
from hookbundle.server.cluster.commanding import telling
from hookbundle.server.cluster.commanding.commands import Commanding
from hookbundle.server.cluster.console import lists, notices
from hookbundle.server.cluster.feed import pages
from hookbundle.server.cluster.measuring.of_cluster import families
from hookbundle.server.cluster.merging import Merging
from hookbundle.server.cluster.overview.overview import Heard
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.cluster.routing import MISDIRECTED, Router
from hookbundle.server.cluster.shaping import shaping
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.daemon.api import ApiParts, resources_of
from hookbundle.server.feed.sse import EVENTS_PATH, FeedStream
from hookbundle.server.http.contract.serving import contract
from hookbundle.server.http.problems import SOURCES_PATH
from hookbundle.server.http.resources.cluster import PATH as CLUSTER_PATH
from hookbundle.server.http.resources.cluster import ClusterCommands
from hookbundle.server.http.resources.mail_tests import MailTests
from hookbundle.server.http.resources.maintenance import Maintenance
from hookbundle.server.http.resources.metrics import Metrics
from hookbundle.server.http.resources.status import Status
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut, reason_out
from hookbundle.server.http.schemas.times import iso
from hookbundle.storage.reads.totals import waiting

if TYPE_CHECKING:
    from hookbundle.server.cluster.node import Node

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
OF_NODE = ("/healthz", "/readyz", "/metrics", "/v1/mail/test")


class Serving:
    """`routes()` for callers, `answered_here()` for other nodes."""

    def __init__(self, node: "Node", router: Router) -> None:
        self._node = node
        node.said = self.said
        self._router = router
        self._shape, self._pages = self._routes_of_a_daemon()
        self._events = FeedStream(node.feed, node.fair_limits.feed, node.tokens)
        self.commanding = Commanding(node, router.asked)
        self.backing_up = BackingUp(node, router.asked)
        self.mail_tests = MailTests(lambda: node.config.smtp, node.clock)

    def routes(self) -> list[Route]:
        router = self._router
        merging = Merging(router.partitions, router.asked, lambda: sorted(self._node.owned))
        merged: dict[tuple[str, str], Handle] = {
            ("GET", "/v1/workspaces"): merging.listed("workspaces"),
            ("POST", "/v1/workspaces"): merging.by_body_id,
            ("GET", "/v1/chats"): merging.listed("chats"),
            ("GET", "/v1/tokens"): merging.listed("tokens"),
            ("POST", "/v1/tokens"): merging.by_body_workspace,
            ("GET", "/v1/tokens/{id}"): merging.first_found,
            ("DELETE", "/v1/tokens/{id}"): merging.first_found,
            ("GET", "/v1/deliveries/{id}"): merging.first_found,
            ("GET", "/v1/status"): partial(self._status, merging),
            ("GET", "/v1/check"): merging.checked,
        }
        routes = [self._answered(route, merged) for route in self._shape]
        routes += self._own_routes()
        unnamed = [route for route in routes if not route.name]
        unnamed += self._node.console.routes(self._pages)
        described = [route for route in routes if route.name]
        return [*described, *contract(described, __version__), *unnamed]

    def answered_here(self) -> list[Route]:
        internal: dict[str, Callable[[Owned, web.Request], Awaitable[web.Response]]] = {
            tokens.PATH: tokens.answer,
            reaching.PATH: reaching.answer,
            sources.PATH: sources.answer,
            pages.LOOK: pages.look,
            pages.PAGE: pages.page,
            lists.WORKSPACES: lists.workspaces,
            lists.LOOK: lists.look,
            notices.PATH: notices.notices,
        }
        between = [self._between_nodes(path, answer) for path, answer in internal.items()]
        between.append(self._between_nodes(telling.PATH, telling.noted, "POST"))
        between += self.commanding.between_nodes()
        return [*between, *map(self._router.answered_here, [*self._shape, *self._pages])]

    def _between_nodes(
        self,
        path: str,
        answer: Callable[[Owned, web.Request], Awaitable[web.Response]],
        method: str = "GET",
    ) -> Route:
        """What no caller may ask: of the partition that the request names."""

        async def handle(request: web.Request) -> web.StreamResponse:
            owned = self._router.owned_for(request)
            if owned is None:
                return web.Response(status=MISDIRECTED)
            return await answer(owned, request)

        return Route(method=method, path=path, handler=handle, summary="")

    def _answered(self, route: Route, merged: dict[tuple[str, str], Handle]) -> Route:
        key = route.method, route.path
        if "{ws}" in route.path or route.path.startswith(SOURCES_PATH):
            return self._router.placed(route)
        if key == ("GET", EVENTS_PATH):
            return replace(route, handler=self._events.events)
        if key == ("POST", "/v1/backup"):
            return replace(route, handler=self.backing_up.back_up)
        if self._router.partitions == 1:
            return replace(route, handler=partial(self._of_the_only_one, route))
        return replace(route, handler=merged[key])

    async def _of_the_only_one(self, route: Route, request: web.Request) -> web.StreamResponse:
        return await self._router.handled(0, request, route)

    # ---- of the node itself

    def _own_routes(self) -> list[Route]:
        node = self._node
        counting = node.counting
        metrics = Metrics(
            node.meters,
            node.guard,
            [
                *node.fair_limits.all(),
                *counting.limits(),
                self._router.passed_on,
                node.unknown_tokens.limit,
                self.mail_tests.hourly,
                node.client.look_ups_limit,
                *node.slots.counts.values(),
                node.rendering.room,
            ],
            node.rendering,
            lambda: counting.status(self.status()),
            counting.store,
            lambda: figures.waiting_of(
                [waiting(each.partition.env) for each in list(node.owned.values())]
            ),
            lambda: node.state.started_ms,
            node.clock.now_ms,
            lambda: families(node.hosts, self.heard().overview(), counting.appends),
        )
        status = Status(self.status, self.conditions, SAME_ELSEWHERE)
        own = [*self.mail_tests.routes(), *metrics.routes(), *status.routes()]
        here = [route for route in own if route.path in OF_NODE]
        return [*here, *ClusterCommands(self.commanding).routes()]

    def heard(self, registered: Registered | None = None) -> Heard:
        node = self._node
        roles = {number: host.role.state for number, host in node.hosts.items()}
        return Heard(
            node.cluster.node,
            len(node.hosts),
            node.neighbours.heard_s() > 0,
            node.neighbours.live(),
            {number: each.why for number, each in roles.items() if each.role is Role.BROKEN},
            self.commanding.compaction(),
            node.neighbours.schema,
            registered,
            {number: each.why for number, each in roles.items() if each.role is Role.STOPPED},
            node.neighbours.record_is_lost(),
            shaping(node.config, node.cluster),
            {number: each.damaged for number, each in roles.items() if each.damaged},
            self.commanding.check_of_all(),
            node.neighbours.away,
            node.neighbours.replicas,
            node.cluster.copies,
        )

    def said(self) -> tuple[tuple[str, str], ...]:
        """For who starts the node by hand: which one it is, and how it stands."""
        node, cluster = self._node, self._node.cluster
        others = sorted(set(node.live()) - {cluster.node})
        beside = f"with {', '.join(others)}" if others else "alone so far"
        words = f"{cluster.node} of cluster {cluster.name}, {beside}"
        found = [("node", words), ("owns", f"{len(node.owned)} of {len(node.hosts)} partitions")]
        return (*found, *(("not yet", each.detail) for each in self._of_cluster()))

    def status(self) -> StatusOut:
        """Of the node: of the partitions that it owns."""
        return figures.status_of(
            [each.status() for each in self._node.owned.values()], self.alone()
        )

    def conditions(self) -> tuple[Condition, ...]:
        """What keeps the node from being ready: of the cluster, and of its own partitions. One that
        is on its way to or from another node says nothing of this one."""
        found = self._of_cluster()
        for owned in self._node.owned.values():
            found += owned.watch.recent().conditions if owned.state.ready else ()
        return tuple({each.reason: each for each in reversed(found)}.values())

    def _of_cluster(self) -> list[Condition]:
        node = self._node
        found = []
        if not node.state.ready:
            found.append(condition(Reason.NOT_STARTED))
        if node.neighbours.heard_s() <= 0:
            found.append(condition(Reason.LOG_SERVERS_LOST))
        elif unowned := node.unowned():  # who hears nothing does not know of others
            found.append(condition(Reason.PARTITIONS_UNOWNED, count=len(unowned)))
        broken = [each for each in node.hosts.values() if each.role.state.role is Role.BROKEN]
        if broken:
            found.append(condition(Reason.COPIES_BROKEN, count=len(broken)))
        if stopped := [each for each in node.hosts if node.is_stopped(each)]:
            found.append(condition(Reason.PARTITIONS_STOPPED, count=len(stopped)))
        if node.neighbours.record_is_lost():
            found.append(condition(Reason.CLUSTER_RECORD_LOST))
        return found

    def alone(self) -> StatusOut:
        """The status of the node without any partition."""
        node = self._node
        return figures.empty_status(
            __version__,
            os.getpid(),
            iso(node.state.started_ms),
            iso(node.clock.now_ms()),
            [reason_out(each) for each in self._of_cluster()],
            node._log_lost(),
            {
                "subscribers": node.feed.subscribers,
                "lag_events_max": node.feed.lag_events_max,
            },
            node.neighbours.live()[node.cluster.node].free_bytes,
            node.config.store.floor_bytes,
        )

    async def _status(self, merging: Merging, request: web.Request) -> web.Response:
        """`GET /v1/status`: of all partitions, wherever they are."""
        return await merging.summed(request, self.alone())

    # ---- the shape

    def _routes_of_a_daemon(self) -> tuple[list[Route], list[Route]]:
        """Of the API, and of the console."""
        node = self._node
        nothing: Any = _Nothing()
        parts = ApiParts(
            partition=nothing,
            tokens=node.tokens,
            sessions=node.sessions,
            client=node.client,
            slots=node.slots,
            rendering=node.rendering,
            clock=node.clock,
            observations=nothing,
            meters=node.meters,
            guard=node.guard,
            fair_limits=node.fair_limits,
            maintenance=Maintenance(nothing),
            config=lambda: node.config,
            status=nothing,
            conditions=nothing,
            started_ms=nothing,
        )
        resources = resources_of(parts)
        of_api = [route for route in resources.routes if not _is_of_node(route.path)]
        return of_api, resources.console().routes()


class _Nothing:
    """Stands for a partition where only the shape of its API is wanted."""

    def __getattr__(self, name: str) -> "_Nothing":
        return self

    def __call__(self, *_: Any, **__: Any) -> "_Nothing":
        return self

    def __iter__(self) -> Any:
        return iter(())


def _is_of_node(path: str) -> bool:
    return path in OF_NODE or path.startswith(CLUSTER_PATH)
