"""The activity log and the detailed log of a workspace."""

import asyncio
from dataclasses import dataclass
from typing import Literal

import msgspec
from aiohttp import web

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.server.http.requests import hint_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.schemas.logs import ActionOut, ExchangeOut, action_out, exchange_out
from hookbundle.storage.reads.lookup import Reads


@dataclass(frozen=True, slots=True)
class Logs:
    reads: Reads

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
        ]

    async def activity(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/activity`"""
        return json_response(list(map(action_out, self.reads.activity(request.match_info["ws"]))))

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

    def _log_body(self, workspace_id: str, *, ndjson: bool) -> bytes:
        exchanges = list(map(exchange_out, self.reads.log(workspace_id)))
        if ndjson:
            return msgspec.json.Encoder().encode_lines(exchanges)
        return msgspec.json.encode(exchanges)


def _wants_ndjson(request: web.Request) -> bool:
    wanted = request.query.get("format")
    if wanted is None:
        return "ndjson" in hint_of(request, "Accept")
    if wanted not in ("json", "ndjson"):
        raise InvalidInput((Fault("format", f"{wanted!r} is neither json nor ndjson"),))
    return wanted == "ndjson"
