"""The API of a workspace's sources: list, show, make, change, delete, another token."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web
from msgspec import UNSET

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.preconditions import Precondition
from hookbundle.engine.sources import settings as source_settings
from hookbundle.server.http.authentication import caller_of, is_on_socket
from hookbundle.server.http.parameters.etags import (
    IF_MATCH,
    IF_NONE_MATCH,
    precondition_of,
    unchanged_of,
)
from hookbundle.server.http.parameters.names import name_of
from hookbundle.server.http.parameters.times import parse_keep
from hookbundle.server.http.problems import SOURCES_PATH
from hookbundle.server.http.requests import body_of, origin_of
from hookbundle.server.http.resources.sources.paths import ALL, ONE, named_in
from hookbundle.server.http.resources.sources.secrets import RANDOM_BYTES, new_token
from hookbundle.server.http.responses import json_response
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
from hookbundle.storage.transitions.sources.lifetime import (
    ChangeSource,
    CreateSource,
    DeleteSource,
    RotateSourceToken,
    SourceKept,
)
from hookbundle.storage.transitions.tokens import digest_of


@dataclass(frozen=True, slots=True)
class Tokened:
    """A source and its new token, which is known this once."""

    source: Source
    token: str


@dataclass(frozen=True, slots=True)
class Sources:
    """`base_url`: where the daemon is reached, as far as it knows. `write`: what was noted of the
    workspace's sources is on disk, so that who asks sees it; it raises NotFound."""

    reads: SourceReads
    store: StoreQueue
    clock: Clock
    random_bytes: Callable[[int], bytes]
    base_url: Callable[[], str]
    write: Callable[[str], Awaitable[None]]

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
        await self.write(workspace_id)
        found = self.reads.all_of(workspace_id)
        return json_response(SourcesOut([source_out(each) for each in found]))

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/sources/{source}`"""
        workspace_id, source_id = named_in(request)
        await self.write(workspace_id)
        view = self.reads.named(workspace_id, source_id)
        version = view.source.version
        unchanged = unchanged_of(request, version, workspace_id, source_id=source_id)
        return unchanged or json_response(source_out(view), etag=version)

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/sources`"""
        wanted, workspace_id = await body_of(request, NewSourceIn), request.match_info["ws"]
        made = await self.make(workspace_id, wanted, caller_of(request))
        return self._out(request, made.source, made.token, created=True)

    async def make(self, workspace_id: str, wanted: NewSourceIn, caller: str) -> Tokened:
        """A source as it is wanted. Raises: InvalidInput, NotFound, Conflict."""
        token = self._new_token(workspace_id)
        settings = source_settings.parse(wanted.kind, wanted.settings)
        kept = await self.store.do(
            CreateSource(
                workspace_id=workspace_id,
                kind=wanted.kind,
                name=name_of(wanted.name),
                settings=source_settings.written(settings),
                digest=digest_of(token),
                now_ms=self.clock.now_ms(),
                caller=caller,
            ),
            SourceKept,
        )
        return Tokened(kept.source, token)

    async def patch(self, request: web.Request) -> web.Response:
        """`PATCH /v1/workspaces/{ws}/sources/{source}`"""
        wanted, caller = await body_of(request, SourceIn), caller_of(request)
        asked = precondition_of(request)
        return self._out(request, await self.change(*named_in(request), wanted, caller, asked))

    async def change(
        self,
        workspace_id: str,
        source_id: str,
        wanted: SourceIn,
        caller: str,
        precondition: Precondition | None,
    ) -> Source:
        """The source with what is wanted of it. Raises: InvalidInput, NotFound, Changed."""
        settings = wanted.settings
        kept = await self.store.do(
            ChangeSource(
                workspace_id=workspace_id,
                source_id=source_id,
                name=None if wanted.name is UNSET else name_of(wanted.name),
                settings=None if settings is UNSET else msgspec.json.encode(settings),
                precondition=precondition,
                now_ms=self.clock.now_ms(),
                caller=caller,
            ),
            SourceKept,
        )
        return kept.source

    async def rotate(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/sources/{source}/rotate-token`"""
        keep_ms = parse_keep((await body_of(request, RotateTokenIn)).keep)
        caller, asked = caller_of(request), precondition_of(request)
        made = await self.renew(*named_in(request), keep_ms, caller, asked)
        return self._out(request, made.source, made.token)

    async def renew(
        self,
        workspace_id: str,
        source_id: str,
        keep_ms: int,
        caller: str,
        precondition: Precondition | None = None,
    ) -> Tokened:
        """The source with another token. Raises: NotFound, Changed, Conflict."""
        token, now_ms = self._new_token(workspace_id), self.clock.now_ms()
        kept = await self.store.do(
            RotateSourceToken(
                workspace_id=workspace_id,
                source_id=source_id,
                digest=digest_of(token),
                keep_until_ms=now_ms + keep_ms,
                precondition=precondition,
                now_ms=now_ms,
                caller=caller,
            ),
            SourceKept,
        )
        return Tokened(kept.source, token)

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /v1/workspaces/{ws}/sources/{source}`"""
        await self.drop(*named_in(request), caller_of(request), precondition_of(request))
        return web.Response(status=204)

    async def drop(
        self,
        workspace_id: str,
        source_id: str,
        caller: str,
        precondition: Precondition | None = None,
    ) -> None:
        """Raises: NotFound, Changed."""
        await self.store.do(
            DeleteSource(
                workspace_id=workspace_id,
                source_id=source_id,
                precondition=precondition,
                now_ms=self.clock.now_ms(),
                caller=caller,
            ),
            SourceKept,
        )

    def _new_token(self, workspace_id: str) -> str:
        return new_token(workspace_id, self.random_bytes(RANDOM_BYTES))

    def _out(
        self, request: web.Request, source: Source, token: str = "", *, created: bool = False
    ) -> web.Response:
        """As the source is now, which may be later than the change."""
        workspace_id = request.match_info["ws"]
        view = self.reads.named(workspace_id, source.id)
        url = self.url_of(request, token) if token else ""
        return json_response(
            source_out(view, url, token),
            status=201 if created else 200,
            etag=view.source.version,
            location=f"/v1/workspaces/{workspace_id}/sources/{source.id}" if created else "",
        )

    def url_of(self, request: web.Request, token: str) -> str:
        """Where the other system posts to, as far as it is known how the daemon is reached."""
        base = self.base_url().rstrip("/")
        if not base and not is_on_socket(request):
            base = origin_of(request)
        return f"{base}{SOURCES_PATH}{token}"
