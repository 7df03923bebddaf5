"""Every path of the API, with the one who answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.actors.intake import Intake
from hookbundle.actors.reports import Reports
from hookbundle.actors.testing import TestRequests
from hookbundle.actors.workspaces import Workspaces


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(
    intake: Intake, workspaces: Workspaces, reports: Reports, tests: TestRequests
) -> list[Route]:
    one = "/v1/workspaces/{ws}"
    return [
        Route("POST", f"{one}/messages", intake.post_messages),
        Route("GET", "/v1/workspaces", workspaces.index),
        Route("GET", one, workspaces.show),
        Route("PUT", one, workspaces.put),
        Route("PATCH", one, workspaces.patch),
        Route("POST", f"{one}/webhook/enable", workspaces.enable),
        Route("POST", f"{one}/webhook/disable", workspaces.disable),
        Route("POST", f"{one}/webhook/test", tests.send),
        Route("GET", f"{one}/activity", reports.activity),
        Route("GET", f"{one}/log", reports.log),
        Route("GET", "/v1/status", reports.status),
        Route("GET", "/healthz", reports.healthz),
        Route("GET", "/readyz", reports.readyz),
    ]
