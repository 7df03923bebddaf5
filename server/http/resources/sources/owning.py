"""The API of a workspace's sources: list, show, make, change, delete, another token."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web
from msgspec import UNSET

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import directions
from hookbundle.engine.preconditions import Precondition, matches
from hookbundle.engine.sources import settings as source_settings
from hookbundle.server.http.authentication import caller_of, is_on_socket
from hookbundle.server.http.parameters.etags import (
    IF_MATCH,
    IF_NONE_MATCH,
    precondition_of,
)
from hookbundle.server.http.parameters.times import parse_keep
from hookbundle.server.http.problems import SOURCES_PATH
from hookbundle.server.http.requests import body_of, origin_of
from hookbundle.server.http.resources.sources.paths import ALL, ONE, named_in
from hookbundle.server.http.resources.sources.secrets import RANDOM_BYTES, new_token
from hookbundle.server.http.responses import etag_of, json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.sources.sources import (
    CHANGE_EXAMPLE,
    NEW_EXAMPLE,
    NewSourceDoc,
    NewSourceIn,
    RotateTokenIn,
    SourceIn,
    SourceOut,
    SourcesOut,
    source_out,
)
from hookbundle.storage.database.sources.records import Source
from hookbundle.storage.reads.source_view import SourceReads
from hookbundle.storage.transitions.sources import lifetime
from hookbundle.storage.transitions.sources.lifetime import (
    ChangeSource,
    CreateSource,
    DeleteSource,
    RotateSourceToken,
    SourceKept,
)
from hookbundle.storage.transitions.tokens import digest_of


@dataclass(frozen=True, slots=True)
class Sources:
    """`base_url`: where the daemon is reached, as far as it knows. `write`: what was noted of the
    workspace's sources is on disk, so that who asks sees it."""

    reads: SourceReads
    store: StoreQueue
    clock: Clock
    random_bytes: Callable[[int], bytes]
    base_url: Callable[[], str]
    write: Callable[[int], Awaitable[None]]

    def routes(self) -> list[Route]:
        conditions = (IF_MATCH, IF_NONE_MATCH)
        changing = (404, 412, 503)
        return [
            Route(
                method="GET",
                path=ALL,
                handler=self.index,
                name="list_sources",
                summary="All sources of a workspace, and what came from them",
                answer=SourcesOut,
                refusals=(404,),
            ),
            Route(
                method="POST",
                path=ALL,
                handler=self.create,
                name="create_source",
                summary="Make a source; its address, with its token, is shown this once",
                body=NewSourceDoc,
                answer=SourceOut,
                status=201,
                example=NEW_EXAMPLE,
                refusals=(404, 409, 503, 507),
                etag=True,
            ),
            Route(
                method="GET",
                path=ONE,
                handler=self.show,
                name="get_source",
                summary="A source's settings, and what came from it",
                answer=SourceOut,
                also_status=(304,),
                headers=conditions,
                refusals=(404, 412),
                etag=True,
            ),
            Route(
                method="PATCH",
                path=ONE,
                handler=self.patch,
                name="update_source",
                summary="Change what is named of a source; honours If-Match",
                body=SourceIn,
                answer=SourceOut,
                example=CHANGE_EXAMPLE,
                headers=conditions,
                refusals=(*changing, 507),
                etag=True,
            ),
            Route(
                method="DELETE",
                path=ONE,
                handler=self.delete,
                name="delete_source",
                summary="Delete a source; its address answers 404 from the next request on",
                status=204,
                headers=conditions,
                refusals=changing,
            ),
            Route(
                method="POST",
                path=f"{ONE}/rotate-token",
                handler=self.rotate,
                name="rotate_source_token",
                summary="Another token, and so another address; the former one stays for a while",
                body=RotateTokenIn,
                answer=SourceOut,
                headers=conditions,
                refusals=(409, *changing, 507),
                etag=True,
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/sources`"""
        workspace_id = request.match_info["ws"]
        await self.write(self.reads.workspace_number(workspace_id))
        found = self.reads.all_of(workspace_id)
        return json_response(SourcesOut([source_out(each) for each in found]))

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/sources/{source}`"""
        workspace_id, source_id = named_in(request)
        await self.write(self.reads.workspace_number(workspace_id))
        view = self.reads.named(workspace_id, source_id)
        version = view.source.version
        unchanged = _unchanged(request, view.source)
        return unchanged or json_response(source_out(view), etag=version)

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/sources`"""
        wanted, workspace_id = await body_of(request, NewSourceIn), request.match_info["ws"]
        token = self._new_token(workspace_id)
        settings = source_settings.parse(wanted.kind, wanted.settings)
        kept = await self.store.do(
            CreateSource(
                workspace_id=workspace_id,
                kind=wanted.kind,
                name=_name_of(wanted.name),
                settings=source_settings.written(settings),
                digest=digest_of(token),
                now_ms=self.clock.now_ms(),
                caller=caller_of(request),
            ),
            SourceKept,
        )
        return self._out(request, kept.source, token, created=True)

    async def patch(self, request: web.Request) -> web.Response:
        """`PATCH /v1/workspaces/{ws}/sources/{source}`"""
        wanted = await body_of(request, SourceIn)
        workspace_id, source_id = named_in(request)
        settings = wanted.settings
        kept = await self.store.do(
            ChangeSource(
                workspace_id=workspace_id,
                source_id=source_id,
                name=None if wanted.name is UNSET else _name_of(wanted.name),
                settings=None if settings is UNSET else msgspec.json.encode(settings),
                precondition=precondition_of(request),
                now_ms=self.clock.now_ms(),
                caller=caller_of(request),
            ),
            SourceKept,
        )
        return self._out(request, kept.source)

    async def rotate(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/sources/{source}/rotate-token`"""
        keep_ms = parse_keep((await body_of(request, RotateTokenIn)).keep)
        workspace_id, source_id = named_in(request)
        token, now_ms = (
            self._new_token(workspace_id),
            self.clock.now_ms(),
        )
        kept = await self.store.do(
            RotateSourceToken(
                workspace_id=workspace_id,
                source_id=source_id,
                digest=digest_of(token),
                keep_until_ms=now_ms + keep_ms,
                precondition=precondition_of(request),
                now_ms=now_ms,
                caller=caller_of(request),
            ),
            SourceKept,
        )
        return self._out(request, kept.source, token)

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /v1/workspaces/{ws}/sources/{source}`"""
        workspace_id, source_id = named_in(request)
        await self.store.do(
            DeleteSource(
                workspace_id=workspace_id,
                source_id=source_id,
                precondition=precondition_of(request),
                now_ms=self.clock.now_ms(),
                caller=caller_of(request),
            ),
            SourceKept,
        )
        return web.Response(status=204)

    def _new_token(self, workspace_id: str) -> str:
        return new_token(workspace_id, self.random_bytes(RANDOM_BYTES))

    def _out(
        self, request: web.Request, source: Source, token: str = "", *, created: bool = False
    ) -> web.Response:
        """As the source is now, which may be later than the change."""
        workspace_id = request.match_info["ws"]
        view = self.reads.named(workspace_id, source.id)
        url = f"{self._base_of(request)}{SOURCES_PATH}{token}" if token else ""
        return json_response(
            source_out(view, url, token),
            status=201 if created else 200,
            etag=view.source.version,
            location=f"/v1/workspaces/{workspace_id}/sources/{source.id}" if created else "",
        )

    def _base_of(self, request: web.Request) -> str:
        base = self.base_url()
        if base or is_on_socket(request):
            return base.rstrip("/")
        return origin_of(request)


def _unchanged(request: web.Request, source: Source) -> web.Response | None:
    """The answer 304 if the caller has what he asks for; else None. Raises: Changed."""
    wanted = precondition_of(request)
    if wanted is None:
        return None
    lifetime.check(Precondition(if_match=wanted.if_match), source, request.match_info["ws"])
    if wanted.if_none_match is None or not matches(wanted.if_none_match, source.version):
        return None
    return web.Response(status=304, headers={"ETag": etag_of(source.version)})


def _name_of(text: str) -> str:
    """Raises: InvalidInput if it would break a list of sources."""
    name = text.strip()
    if not directions.is_one_line(name):
        raise InvalidInput((fault("name", FaultCode.NOT_ONE_LINE),))
    return name
