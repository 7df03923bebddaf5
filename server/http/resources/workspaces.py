"""The API of workspaces: list, show, create, change."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery import signing
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Changed, Conflict
from hookbundle.engine.preconditions import Precondition, Tags
from hookbundle.server.http.authentication import CALLER, NOBODY, Caller
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.parameters.etags import (
    IF_MATCH,
    IF_NONE_MATCH,
    precondition_of,
    unchanged_of,
)
from hookbundle.server.http.parameters.workspace_searches import FILTERS, wanted_of
from hookbundle.server.http.requests import (
    CURSOR,
    LIMIT,
    body_of,
    cursor_of,
    limit_of,
    text_position_of,
)
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.wanted_settings import changes_of, with_defaults
from hookbundle.server.http.schemas.webhooks.formats import Templates, formatted
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn
from hookbundle.server.http.schemas.workspaces import (
    NewWorkspaceIn,
    WorkspaceIn,
    WorkspaceOut,
    WorkspacesOut,
    workspace_out,
)
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.listing import Page
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged

LIST = "workspaces"
WORKSPACES_AT_ONCE = 32  # read in one slice: three records each, and two for each webhook


@dataclass(frozen=True, slots=True)
class Workspaces:
    reads: Reads
    store: StoreQueue
    clock: Clock
    policy: Callable[[], AddressPolicy]
    random_bytes: Callable[[int], bytes]
    wake: Callable[[int], None]
    templates: Templates

    def routes(self) -> list[Route]:
        one = "/v1/workspaces/{ws}"
        changing = (409, 412, 503, 507)
        conditions = (IF_MATCH, IF_NONE_MATCH)
        return [
            Route(
                method="GET",
                path="/v1/workspaces",
                handler=self.index,
                name="list_workspaces",
                summary="Workspaces in the order of their ids",
                answer=WorkspacesOut,
                query=(*FILTERS, LIMIT, CURSOR),
                refusals=(422, 429),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show,
                name="get_workspace",
                summary="A workspace's settings and how its webhook is doing",
                answer=WorkspaceOut,
                also_status=(304,),
                headers=conditions,
                refusals=(404, 412),
                etag=True,
            ),
            Route(
                method="POST",
                path="/v1/workspaces",
                handler=self.create,
                name="create_workspace",
                summary="Make a workspace; refused if there is one of this id",
                body=NewWorkspaceIn,
                answer=WorkspaceOut,
                headers=(IF_NONE_MATCH,),
                status=201,
                refusals=(409, 503, 507),
                etag=True,
            ),
            Route(
                method="PUT",
                path=one,
                handler=self.put,
                name="replace_workspace",
                summary="Make a workspace, or replace all its settings, which needs If-Match",
                body=WorkspaceIn,
                answer=WorkspaceOut,
                also_status=(201,),
                headers=conditions,
                refusals=(428, *changing),
                etag=True,
            ),
            Route(
                method="PATCH",
                path=one,
                handler=self.patch,
                name="update_workspace",
                summary="Change what is named of a workspace; honours If-Match",
                body=WorkspaceIn,
                answer=WorkspaceOut,
                headers=conditions,
                refusals=(404, *changing),
                etag=True,
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces?q=&state=&limit=&cursor=`"""
        limit, after = limit_of(request, 100), text_position_of(request, LIST)
        read = wanted_of(request).of(self.read_page)
        page = await request.app[LISTS].page(request, read, workspace_out, limit, after)
        reached = page.position.decode() if page.position and len(page.found) < limit else None
        return json_response(WorkspacesOut(page.found, cursor_of(page.position, LIST), reached))

    def read_page(self, limit: int, position: bytes) -> Page[WorkspaceView]:
        """A slice of all workspaces; a position is the id of the last one."""
        return reading(self.reads)(limit, position)

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}`"""
        view = self.reads.workspace(request.match_info["ws"])
        version = view.settings.version
        unchanged = unchanged_of(request, version, view.settings.id)
        if unchanged is not None:
            return unchanged
        return json_response(workspace_out(view), etag=version)

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces`: made, if there is none of this id; a condition asks no more."""
        wanted = await body_of(request, NewWorkspaceIn)
        caller = request.get(CALLER, NOBODY)
        return self._changed_out(wanted.id, await self.make(wanted.id, wanted, caller))

    async def put(self, request: web.Request) -> web.Response:
        """`PUT /v1/workspaces/{ws}`: made, or replaced as a whole."""
        return await self._change(request, whole=True)

    async def patch(self, request: web.Request) -> web.Response:
        """`PATCH /v1/workspaces/{ws}`: what is named is changed."""
        return await self._change(request, whole=False)

    async def _change(self, request: web.Request, *, whole: bool) -> web.Response:
        workspace_id = request.match_info["ws"]
        wanted = await body_of(request, WorkspaceIn)
        caller, precondition = request.get(CALLER, NOBODY), precondition_of(request)
        changed = await self.change(workspace_id, wanted, caller, precondition, whole=whole)
        return self._changed_out(workspace_id, changed)

    def _changed_out(self, workspace_id: str, changed: WorkspaceChanged) -> web.Response:
        view = self.reads.workspace(workspace_id)
        return json_response(
            workspace_out(view, changed.secret or None, changed.dropped),
            status=201 if changed.created else 200,
            etag=view.settings.version,  # of what is shown, which may be later than the change
            location=f"/v1/workspaces/{workspace_id}" if changed.created else "",
        )

    async def make(
        self, workspace_id: str, wanted: WorkspaceIn, caller: Caller
    ) -> WorkspaceChanged:
        """The workspace is made. Raises: InvalidInput with every fault; Conflict if it exists."""
        absent = Precondition(if_none_match=Tags.ANY)
        try:
            return await self.change(workspace_id, wanted, caller, absent, whole=True)
        except Changed:
            raise Conflict.of(Code.WORKSPACE_EXISTS, workspace=workspace_id) from None

    async def change(
        self,
        workspace_id: str,
        wanted: WorkspaceIn,
        caller: Caller,
        precondition: Precondition | None,
        *,
        whole: bool,
    ) -> WorkspaceChanged:
        """Changes the settings. `whole`: all of them, and the workspace may be created.

        But not the owner's address, if the caller belongs to the workspace.

        Raises: InvalidInput with every fault; NotFound; Changed if the precondition does not hold;
            PreconditionRequired if all is to be replaced without one; NotAllowed if it is another
            owner.
        """
        by_its_own = bool(caller.workspace_id)
        changes = await self.changes(workspace_id, wanted, whole=whole)
        if whole:
            changes = with_defaults(changes, by_its_own=by_its_own)
        changed = await self.store.do(
            ChangeWorkspace(
                workspace_id=workspace_id,
                changes=changes,
                precondition=precondition,
                may_create=whole,
                must_match=whole,
                new_secret=signing.new_secret(self.random_bytes(signing.SECRET_BYTES)),
                now_ms=self.clock.now_ms(),
                caller=caller.name,
                by_its_own=by_its_own,
                names_webhook=wanted.webhook != WebhookIn(),
            ),
            WorkspaceChanged,
        )
        for webhook in changed.wake:
            self.wake(webhook)
        return changed

    async def changes(self, workspace_id: str, wanted: WorkspaceIn, *, whole: bool) -> Changes:
        """The changes that the body asks for. Raises: InvalidInput with every fault."""
        present, owner = self.reads.webhook_and_owner(workspace_id, OUTBOUND)
        read = await formatted(wanted.webhook, present, owner, self.templates, "webhook.")
        return changes_of(workspace_id, wanted, read, self.policy(), whole=whole)


def reading(reads: Reads) -> Callable[[int, bytes], Page[WorkspaceView]]:
    """Reads a slice of all workspaces; a position is the id of the last one."""

    def read_page(limit: int, position: bytes) -> Page[WorkspaceView]:
        page = reads.workspaces(min(limit, WORKSPACES_AT_ONCE), position.decode())
        return Page(page.found, page.after.encode() or None, len(page.found), page.size)

    return read_page
