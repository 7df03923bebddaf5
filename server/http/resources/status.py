"""How the daemon is doing: status, and the two probes."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web

from hookbundle.engine.conditions import Condition, Reason
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError
from hookbundle.server.http.problems import answer_for
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import HealthOut, StatusOut, reason_out

QUARANTINED_LISTED = 100


@dataclass(frozen=True, slots=True)
class Status:
    """`same_elsewhere`: what other nodes would say as well; nothing of a daemon alone."""

    status_now: Callable[[], StatusOut]
    conditions: Callable[[], tuple[Condition, ...]]
    same_elsewhere: frozenset[Reason] = frozenset()

    def routes(self) -> list[Route]:
        return [
            Route(
                method="GET",
                path="/v1/status",
                handler=self.status,
                name="get_status",
                summary="How the daemon is doing",
                answer=StatusOut,
            ),
            Route(
                method="GET",
                path="/healthz",
                handler=self.healthz,
                name="check_health",
                summary="Whether the daemon is alive",
                answer=HealthOut,
                open=True,
                ignores_query=True,
            ),
            Route(
                method="GET",
                path="/readyz",
                handler=self.readyz,
                name="check_readiness",
                summary="Whether it takes messages and what is due moves; if not, why",
                answer=HealthOut,
                open=True,
                ignores_query=True,
                refusals=(503,),
            ),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """`GET /v1/status`"""
        status = self.status_now()
        listed = status.quarantined[:QUARANTINED_LISTED]
        if left_out := len(status.quarantined) - len(listed):
            listed.append(f"and {left_out} more")
        return json_response(msgspec.structs.replace(status, quarantined=listed))

    async def healthz(self, request: web.Request) -> web.Response:
        """`GET /healthz`: the loop turns."""
        return json_response(HealthOut("alive"))

    async def readyz(self, request: web.Request) -> web.Response:
        """`GET /readyz`: it takes messages, and what could move does; if not, why.

        With `exclude=cluster`, as Kubernetes names it, without what is the same at all nodes.
        """
        excluded = request.query.getall("exclude", [])
        left_out = self.same_elsewhere if "cluster" in excluded else frozenset[Reason]()
        stops = (each for each in self.conditions() if each.stops and each.reason not in left_out)
        found = [reason_out(each) for each in stops]
        if found:
            detail = "; ".join(each.detail for each in found)
            why_not = HookbundleError(detail, Code.NOT_READY)
            return answer_for(why_not, reasons=msgspec.to_builtins(found))
        return json_response(HealthOut("ready"))
