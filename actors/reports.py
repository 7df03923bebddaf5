"""What happened and how things stand: activity, detailed log, status, health."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec
from aiohttp import web

from hookbundle.actors.problems import problem
from hookbundle.actors.routes import Query, Route
from hookbundle.actors.shapes import (
    ActionOut,
    ExchangeOut,
    HealthOut,
    StatusOut,
    action_out,
    exchange_out,
)
from hookbundle.actors.workspaces import json_answer
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.storage.reads import Reads


@dataclass(frozen=True, slots=True)
class Reports:
    reads: Reads
    status_now: Callable[[], StatusOut]

    def routes(self) -> list[Route]:
        one = "/v1/workspaces/{ws}"
        return [
            Route(
                method="GET",
                path=f"{one}/activity",
                handler=self.activity,
                summary="The ten most recent actions, newest first",
                answer=list[ActionOut],
                refusals=(404,),
            ),
            Route(
                method="GET",
                path=f"{one}/log",
                handler=self.log,
                summary="The hundred most recent requests in full, newest first, as a download",
                answer=list[ExchangeOut],
                also_media=("application/x-ndjson",),
                query=(
                    Query(
                        name="format",
                        meaning="if not given, as `Accept` says",
                        kind=Literal["json", "ndjson"],
                    ),
                ),
                refusals=(404, 422),
            ),
            Route(
                method="GET",
                path="/v1/status",
                handler=self.status,
                summary="How the daemon is doing",
                answer=StatusOut,
            ),
            Route(
                method="GET",
                path="/healthz",
                handler=self.healthz,
                summary="Whether the daemon is alive",
                answer=HealthOut,
                open=True,
            ),
            Route(
                method="GET",
                path="/readyz",
                handler=self.readyz,
                summary="Whether it has recovered, and the store takes messages",
                answer=HealthOut,
                open=True,
                refusals=(503,),
            ),
        ]

    async def activity(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/activity`"""
        return json_answer(list(map(action_out, self.reads.activity(request.match_info["ws"]))))

    async def log(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/log`, as a download; JSON or NDJSON."""
        workspace_id = request.match_info["ws"]
        ndjson = _wants_ndjson(request)
        # A hundred requests may be a hundred megabytes: not on the loop.
        body = await asyncio.to_thread(self._log_body, workspace_id, ndjson=ndjson)
        ending = "ndjson" if ndjson else "json"
        return web.Response(
            body=body,
            content_type="application/x-ndjson" if ndjson else "application/json",
            headers={
                "Content-Disposition": f'attachment; filename="{workspace_id}-log.{ending}"',
                "Cache-Control": "no-store",
            },
        )

    async def status(self, request: web.Request) -> web.Response:
        """`GET /v1/status`"""
        return json_answer(self.status_now())

    async def healthz(self, request: web.Request) -> web.Response:
        """`GET /healthz`: the loop turns."""
        return json_answer(HealthOut("alive"))

    async def readyz(self, request: web.Request) -> web.Response:
        """`GET /readyz`: recovered, and the store takes messages."""
        if not self.status_now().ready:
            return problem(503, "the store takes no messages at the moment; see `status`")
        return json_answer(HealthOut("ready"))

    def _log_body(self, workspace_id: str, *, ndjson: bool) -> bytes:
        exchanges = list(map(exchange_out, self.reads.log(workspace_id)))
        if ndjson:
            return msgspec.json.Encoder().encode_lines(exchanges)
        return msgspec.json.encode(exchanges)


def _wants_ndjson(request: web.Request) -> bool:
    wanted = request.query.get("format")
    if wanted is None:
        return "ndjson" in request.headers.get("Accept", "")
    if wanted not in ("json", "ndjson"):
        raise InvalidInput((Fault("format", f"{wanted!r} is neither json nor ndjson"),))
    return wanted == "ndjson"
