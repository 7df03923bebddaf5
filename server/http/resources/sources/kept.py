"""The API of the requests that are kept of a source."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.server.http.requests import CURSOR, LIMIT, cursor_of, limit_of, position_of
from hookbundle.server.http.resources.sources.paths import ONE, named_in
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.sources.sources import SourceRequestsOut, request_out
from hookbundle.storage.reads.source_view import SourceReads

LIST = "source requests"
REQUESTS_AT_ONCE = 10
NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True)
class SourceRequests:
    """`write`: what was noted of the workspace's sources is on disk, so that who asks sees it;
    it raises NotFound."""

    reads: SourceReads
    write: Callable[[str], Awaitable[None]]

    def routes(self) -> list[Route]:
        return [
            Route(
                method="GET",
                path=f"{ONE}/requests",
                handler=self.requests,
                name="list_source_requests",
                summary="The last requests of a source, the newest first, without secrets",
                answer=SourceRequestsOut,
                query=(LIMIT, CURSOR),
                refusals=(404,),
            ),
        ]

    async def requests(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/sources/{source}/requests?limit=&cursor=`"""
        limit, position = limit_of(request, REQUESTS_AT_ONCE), position_of(request, LIST)
        workspace_id, source_id = named_in(request)
        await self.write(workspace_id)
        before = int.from_bytes(position[:NUMBER_BYTES], "big")
        found = self.reads.requests(workspace_id, source_id, limit, before)
        end = found[-1].number.to_bytes(NUMBER_BYTES, "big") if len(found) == limit else None
        page = SourceRequestsOut([request_out(each) for each in found], cursor_of(end, LIST))
        return json_response(page)
