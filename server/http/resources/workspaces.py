"""The API of workspaces: list, show, create, change, enable, disable."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine import durations, limits, time_zones
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery import signing
from hookbundle.engine.delivery.addresses import AddressPolicy, faults_of_url
from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.authentication import CALLER, NOBODY, Caller, caller_of
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import (
    CURSOR,
    IF_MATCH,
    LIMIT,
    body_of,
    limit_of,
    version_of,
)
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.workspaces import (
    EnableIn,
    SwitchedOut,
    WebhookIn,
    WorkspaceIn,
    WorkspaceOut,
    WorkspacesOut,
    workspace_out,
)
from hookbundle.storage.reads.listing import Page
from hookbundle.storage.reads.lookup import Reads, WorkspaceView
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched

WORKSPACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# One plain address (RFC 5322 dot-atom, RFC 6531 letters). Comments, groups, quotes and encoded
# words are addresses to some readers of a mail's headers and something else to others.
ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
EMAIL = re.compile(rf"(?!.*=\?)(?=[^@]{{1,64}}@){ATOM}(\.{ATOM})*@[^\W_][\w-]*(\.[^\W_][\w-]*)*")
WORKSPACES_AT_ONCE = 32  # read in one slice: five records each
PUT_DEFAULTS = Changes(
    name="",
    owner_email="",
    language="en",
    time_zone="UTC",
    url="",
    aggregation_ms=0,
    success="200",
)


@dataclass(frozen=True, slots=True)
class Workspaces:
    reads: Reads
    store: StoreQueue
    clock: Clock
    policy: Callable[[], AddressPolicy]
    random_bytes: Callable[[int], bytes]
    wake: Callable[[int], None]

    def routes(self) -> list[Route]:
        one = "/v1/workspaces/{ws}"
        changing = (409, 412, 422, 503, 507)
        return [
            Route(
                method="GET",
                path="/v1/workspaces",
                handler=self.index,
                summary="Workspaces in the order of their ids",
                answer=WorkspacesOut,
                query=(LIMIT, CURSOR),
                refusals=(422, 429),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show,
                summary="A workspace's settings and how its webhook is doing",
                answer=WorkspaceOut,
                refusals=(404,),
            ),
            Route(
                method="PUT",
                path=one,
                handler=self.put,
                summary="Make a workspace, or set it as a whole; honours If-Match",
                body=WorkspaceIn,
                answer=WorkspaceOut,
                also_status=(201,),
                headers=(IF_MATCH,),
                refusals=changing,
            ),
            Route(
                method="PATCH",
                path=one,
                handler=self.patch,
                summary="Change what is named of a workspace; honours If-Match",
                body=WorkspaceIn,
                answer=WorkspaceOut,
                headers=(IF_MATCH,),
                refusals=(404, *changing),
            ),
            Route(
                method="POST",
                path=f"{one}/webhook/enable",
                handler=self.enable,
                summary="Enable the webhook: it goes on where it stopped, or drops what is held",
                body=EnableIn,
                answer=SwitchedOut,
                refusals=(404, 409, 422, 503),
            ),
            Route(
                method="POST",
                path=f"{one}/webhook/disable",
                handler=self.disable,
                summary="Disable the webhook: messages are still accepted, and held",
                answer=SwitchedOut,
                refusals=(404, 503),
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces?limit=&cursor=`"""
        limit, after = limit_of(request, 100), request.query.get("cursor", "").encode()
        page = await request.app[LISTS].page(request, self.read_page, workspace_out, limit, after)
        return json_response(
            WorkspacesOut(page.found, page.position.decode() if page.position else None)
        )

    def read_page(self, limit: int, position: bytes) -> Page[WorkspaceView]:
        """A slice of all workspaces; a position is the id of the last one."""
        page = self.reads.workspaces(min(limit, WORKSPACES_AT_ONCE), position.decode())
        return Page(page.found, page.after.encode() or None, len(page.found), page.size)

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}`"""
        view = self.reads.workspace(request.match_info["ws"])
        return json_response(workspace_out(view), etag=view.settings.version)

    async def put(self, request: web.Request) -> web.Response:
        """`PUT /v1/workspaces/{ws}`: made, or set as a whole."""
        return await self._change(request, whole=True)

    async def patch(self, request: web.Request) -> web.Response:
        """`PATCH /v1/workspaces/{ws}`: what is named is changed."""
        return await self._change(request, whole=False)

    async def enable(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhook/enable`"""
        wanted = await body_of(request, EnableIn)
        workspace_id = request.match_info["ws"]
        switched = await self.switch_on(workspace_id, caller_of(request), discard=wanted.discard)
        return json_response(_switched_out(switched))

    async def switch_on(self, workspace_id: str, caller: str, *, discard: bool) -> Switched:
        """The webhook is enabled. Raises: NotFound; Conflict without a URL."""
        switched = await self.store.do(
            EnableWebhook(
                workspace_id=workspace_id,
                discard=discard,
                now_ms=self.clock.now_ms(),
                caller=caller,
            ),
            Switched,
        )
        for webhook in switched.wake:
            self.wake(webhook)
        return switched

    async def disable(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhook/disable`"""
        switched = await self.store.do(
            DisableWebhook(
                workspace_id=request.match_info["ws"],
                now_ms=self.clock.now_ms(),
                caller=caller_of(request),
            ),
            Switched,
        )
        return json_response(_switched_out(switched))

    async def _change(self, request: web.Request, *, whole: bool) -> web.Response:
        workspace_id = request.match_info["ws"]
        wanted = await body_of(request, WorkspaceIn)
        changed = await self.change(
            workspace_id, wanted, request.get(CALLER, NOBODY), version_of(request), whole=whole
        )
        view = self.reads.workspace(workspace_id)
        return json_response(
            workspace_out(view, changed.secret or None),
            status=201 if changed.created else 200,
            etag=changed.version,
        )

    async def change(
        self,
        workspace_id: str,
        wanted: WorkspaceIn,
        caller: Caller,
        version: int | None,
        *,
        whole: bool,
    ) -> WorkspaceChanged:
        """Changes the settings. `whole`: all of them, and the workspace may be created.

        But not the owner's address, if the caller belongs to the workspace.

        Raises: InvalidInput with every fault; NotFound; Conflict if `version` is not the present;
            NotAllowed if it is another owner.
        """
        changes = self._changes(workspace_id, wanted)
        by_its_own = bool(caller.workspace_id)
        if whole:
            defaults = msgspec.structs.asdict(PUT_DEFAULTS)
            if by_its_own:
                defaults["owner_email"] = None
            given = {k: v for k, v in msgspec.structs.asdict(changes).items() if v is not None}
            changes = Changes(**{**defaults, **given})
        changed = await self.store.do(
            ChangeWorkspace(
                workspace_id=workspace_id,
                changes=changes,
                version=version,
                may_create=whole,
                new_secret=signing.new_secret(self.random_bytes(signing.SECRET_BYTES)),
                now_ms=self.clock.now_ms(),
                caller=caller.name,
                by_its_own=by_its_own,
            ),
            WorkspaceChanged,
        )
        for webhook in changed.wake:
            self.wake(webhook)
        return changed

    def _changes(self, workspace_id: str, wanted: WorkspaceIn) -> Changes:
        """The changes that the body asks for. Raises: InvalidInput with every fault."""
        faults: list[Fault] = []
        if not WORKSPACE_ID.fullmatch(workspace_id):
            most = limits.WORKSPACE_ID_CHARS_MAX
            faults.append(fault("id", FaultCode.NO_ID, most=most))
        if wanted.owner_email and not EMAIL.fullmatch(wanted.owner_email):
            faults.append(fault("owner_email", FaultCode.NO_ADDRESS))
        if wanted.time_zone is not None:
            wrong = time_zones.fault_of("time_zone", wanted.time_zone)
            faults += [wrong] if wrong else []
        hook: WebhookIn = wanted.webhook
        if hook.url:
            faults += faults_of_url("webhook.url", hook.url, self.policy())
        aggregation_ms = None
        if hook.aggregation is not None:
            try:
                aggregation_ms = parse_aggregation(hook.aggregation)
            except ValueError:
                got = quoted(hook.aggregation)
                faults.append(fault("webhook.aggregation", FaultCode.NO_AGGREGATION, got=got))
        if faults:
            raise InvalidInput(tuple(faults))
        return Changes(
            name=wanted.name,
            owner_email=wanted.owner_email,
            language=wanted.language,
            time_zone=wanted.time_zone,
            url=hook.url,
            aggregation_ms=aggregation_ms,
            success=hook.success,
            enabled=hook.enabled,
        )


def parse_aggregation(text: str) -> int:
    """Milliseconds; 0 for `none`. Raises: ValueError."""
    if text == "none":
        return 0
    length_ms = durations.parse_ms(text)
    if not limits.WINDOW_MS_MIN <= length_ms <= limits.WINDOW_MS_MAX or length_ms % 1_000:
        raise ValueError(f"{text!r} is not `none` or a whole duration from 1s to 24h")
    return length_ms


def _switched_out(switched: Switched) -> SwitchedOut:
    return SwitchedOut(
        changed=switched.changed,
        returned=switched.returned,
        discarded_deliveries=switched.discarded_deliveries,
        discarded_messages=switched.discarded_messages,
    )
