"""`/v1/cluster`: what a node sees of its cluster, and what operators have that do.

A daemon alone has none, and says so."""

from typing import Protocol

from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.cluster import (
    CheckAllIn,
    CheckedOut,
    CheckIn,
    CheckOfAllOut,
    ClusterOut,
    CompactionOut,
    DrainedOut,
    DrainIn,
    ForgetIn,
    MovedOut,
    MoveIn,
    RecoverIn,
    RecoveryOut,
    UpgradedOut,
    WhereOut,
)

PATH = "/v1/cluster"


class Cluster(Protocol):
    """The cluster, as a node of it sees and can change it. `caller`: who asks, as facts name
    it."""

    async def overview(self) -> ClusterOut: ...

    def where(self, workspace_id: str) -> WhereOut: ...

    async def move(self, wanted: MoveIn, caller: str) -> MovedOut:
        """Raises: NotFound, Conflict; Overloaded if it is not done in time; AnswerLost."""

    async def drain(self, wanted: DrainIn, caller: str) -> DrainedOut:
        """Raises: NotFound, Conflict; AnswerLost."""

    async def forget(self, wanted: ForgetIn, caller: str) -> None:
        """Raises: NotFound, Conflict; Overloaded."""

    async def upgrade(self, caller: str) -> UpgradedOut:
        """Raises: Conflict; Overloaded."""

    def compact(self, caller: str) -> CompactionOut:
        """It is begun. Raises: Conflict while one is under way."""

    async def recover(self, wanted: RecoverIn, caller: str) -> RecoveryOut:
        """Raises: NotFound, Conflict; Overloaded; AnswerLost."""

    async def check(self, wanted: CheckIn, caller: str) -> CheckedOut:
        """Raises: NotFound."""

    def check_all(self, wanted: CheckAllIn, caller: str) -> CheckOfAllOut:
        """It is begun. Raises: Conflict while one is under way."""


class ClusterCommands:
    """`cluster`: None of a daemon alone."""

    def __init__(self, cluster: Cluster | None) -> None:
        self._cluster = cluster

    def routes(self) -> list[Route]:
        return [
            Route(
                method="GET",
                path=PATH,
                handler=self.show,
                name="get_cluster",
                summary="The nodes of the cluster, its partitions, and what needs a person",
                answer=ClusterOut,
                refusals=(409,),
            ),
            Route(
                method="GET",
                path=f"{PATH}/where/{{workspace}}",
                handler=self.where,
                name="find_workspace",
                summary="Which node of the cluster has a workspace",
                answer=WhereOut,
                refusals=(409,),
            ),
            Route(
                method="POST",
                path=f"{PATH}/move",
                handler=self.move,
                name="move_partition",
                summary="Give a partition to another node of the cluster",
                body=MoveIn,
                answer=MovedOut,
                refusals=(404, 409, 503),
            ),
            Route(
                method="POST",
                path=f"{PATH}/drain",
                handler=self.drain,
                name="drain_node",
                summary="Have a node of the cluster give away all that it owns",
                body=DrainIn,
                answer=DrainedOut,
                refusals=(404, 409),
            ),
            Route(
                method="POST",
                path=f"{PATH}/compact",
                handler=self.compact,
                name="compact_cluster",
                summary="Begin to rewrite all logs and copies of the cluster",
                answer=CompactionOut,
                status=202,
                refusals=(409,),
            ),
            Route(
                method="POST",
                path=f"{PATH}/check",
                handler=self.check,
                name="check_copies",
                summary="Compare the copies of a partition with each other, and verify each",
                body=CheckIn,
                answer=CheckedOut,
                refusals=(404, 409),
            ),
            Route(
                method="POST",
                path=f"{PATH}/check/all",
                handler=self.check_all,
                name="check_cluster",
                summary="Begin to compare the copies of all partitions",
                body=CheckAllIn,
                answer=CheckOfAllOut,
                status=202,
                refusals=(409,),
            ),
            Route(
                method="POST",
                path=f"{PATH}/forget",
                handler=self.forget,
                name="forget_node",
                summary="Forget a node of the cluster that will not come back",
                body=ForgetIn,
                status=204,
                refusals=(404, 409, 503),
            ),
            Route(
                method="POST",
                path=f"{PATH}/upgrade",
                handler=self.upgrade,
                name="upgrade_cluster",
                summary="Have the cluster write what all its nodes know by now",
                answer=UpgradedOut,
                refusals=(409, 503),
            ),
            Route(
                method="POST",
                path=f"{PATH}/recover",
                handler=self.recover,
                name="recover_cluster",
                summary="Have partitions whose logs are lost begin anew with a node's copies",
                body=RecoverIn,
                answer=RecoveryOut,
                refusals=(404, 409, 503),
            ),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/cluster`"""
        return json_response(await self._there().overview())

    async def where(self, request: web.Request) -> web.Response:
        """`GET /v1/cluster/where/{workspace}`"""
        return json_response(self._there().where(request.match_info["workspace"]))

    async def move(self, request: web.Request) -> web.Response:
        """`POST /v1/cluster/move`"""
        wanted = await body_of(request, MoveIn)
        return json_response(await self._there().move(wanted, caller_of(request)))

    async def drain(self, request: web.Request) -> web.Response:
        """`POST /v1/cluster/drain`"""
        wanted = await body_of(request, DrainIn)
        return json_response(await self._there().drain(wanted, caller_of(request)))

    async def forget(self, request: web.Request) -> web.Response:
        """`POST /v1/cluster/forget`"""
        wanted = await body_of(request, ForgetIn)
        await self._there().forget(wanted, caller_of(request))
        return web.Response(status=204)

    async def upgrade(self, request: web.Request) -> web.Response:
        """`POST /v1/cluster/upgrade`"""
        return json_response(await self._there().upgrade(caller_of(request)))

    async def check(self, request: web.Request) -> web.Response:
        """`POST /v1/cluster/check`"""
        wanted = await body_of(request, CheckIn)
        return json_response(await self._there().check(wanted, caller_of(request)))

    async def check_all(self, request: web.Request) -> web.Response:
        """`POST /v1/cluster/check/all`"""
        wanted = await body_of(request, CheckAllIn)
        return json_response(self._there().check_all(wanted, caller_of(request)), status=202)

    async def compact(self, request: web.Request) -> web.Response:
        """`POST /v1/cluster/compact`"""
        return json_response(self._there().compact(caller_of(request)), status=202)

    async def recover(self, request: web.Request) -> web.Response:
        """`POST /v1/cluster/recover`"""
        wanted = await body_of(request, RecoverIn)
        return json_response(await self._there().recover(wanted, caller_of(request)))

    def _there(self) -> Cluster:
        """Raises: Conflict if there is none."""
        if self._cluster is None:
            raise Conflict.of(Code.IN_NO_CLUSTER)
        return self._cluster
