"""The API of a workspace's webhooks: list, show, create, change, delete."""

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
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.parameters.etags import (
    IF_MATCH,
    IF_NONE_MATCH,
    precondition_of,
    unchanged_of,
)
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.resources.webhooks.paths import ALL, ONE
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.pace import pace_out
from hookbundle.server.http.schemas.wanted_settings import webhook_changes_of
from hookbundle.server.http.schemas.webhooks.formats import Templates, formatted
from hookbundle.server.http.schemas.webhooks.webhook import (
    NewWebhookIn,
    WebhookDeletedOut,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
    webhook_out,
)
from hookbundle.server.http.schemas.windows.simulations import meter_out
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WebhookView, WorkspaceView
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import (
    ChangeWebhook,
    DeleteWebhook,
    WebhookChanged,
    WebhookDeleted,
)

ABSENT = Precondition(if_none_match=Tags.ANY)


@dataclass(frozen=True, slots=True)
class Webhooks:
    reads: Reads
    store: StoreQueue
    clock: Clock
    policy: Callable[[], AddressPolicy]
    random_bytes: Callable[[int], bytes]
    wake: Callable[[int], None]
    templates: Templates

    def routes(self) -> list[Route]:
        changing = (404, 409, 412, 503, 507)
        conditions = (IF_MATCH, IF_NONE_MATCH)
        return [
            Route(
                method="GET",
                path=ALL,
                handler=self.index,
                name="list_webhooks",
                summary="All webhooks of a workspace, and how they are doing",
                answer=WebhooksOut,
                refusals=(404,),
            ),
            Route(
                method="GET",
                path=ONE,
                handler=self.show,
                name="get_webhook",
                summary="A webhook's settings and how it is doing",
                answer=WebhookOut,
                also_status=(304,),
                headers=conditions,
                refusals=(404, 412),
                etag=True,
            ),
            Route(
                method="POST",
                path=ALL,
                handler=self.create,
                name="create_webhook",
                summary="Make a webhook beside the others; refused if there is one of this id",
                body=NewWebhookIn,
                answer=WebhookOut,
                status=201,
                refusals=(404, 409, 422, 503, 507),
                etag=True,
            ),
            Route(
                method="PUT",
                path=ONE,
                handler=self.put,
                name="replace_webhook",
                summary="Make a webhook, or replace all its settings, which needs If-Match",
                body=WebhookIn,
                answer=WebhookOut,
                also_status=(201,),
                headers=conditions,
                refusals=(428, *changing),
                etag=True,
            ),
            Route(
                method="PATCH",
                path=ONE,
                handler=self.patch,
                name="update_webhook",
                summary="Change what is named of a webhook; honours If-Match",
                body=WebhookIn,
                answer=WebhookOut,
                headers=conditions,
                refusals=changing,
                etag=True,
            ),
            Route(
                method="DELETE",
                path=ONE,
                handler=self.delete,
                name="delete_webhook",
                summary="Delete a webhook with what it holds and its history; not the only one",
                answer=WebhookDeletedOut,
                headers=conditions,
                refusals=(404, 409, 412, 503),
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/webhooks`: there are 20 at most, so it has no pages."""
        view = self.reads.workspace(request.match_info["ws"])
        return json_response(WebhooksOut([self._out(view, each) for each in view.webhooks]))

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/webhooks/{wh}`"""
        workspace_id, webhook_id = request.match_info["ws"], request.match_info["wh"]
        view = self.reads.workspace(workspace_id)
        found = view.named(webhook_id)
        version = found.webhook.version
        unchanged = unchanged_of(request, version, workspace_id, webhook_id)
        if unchanged is not None:
            return unchanged
        return json_response(self._out(view, found), etag=version)

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks`: made, if there is none of this id."""
        wanted = await body_of(request, NewWebhookIn)
        workspace_id, caller = request.match_info["ws"], caller_of(request)
        made = await self.make(workspace_id, wanted.id, wanted, caller)
        return self._changed_out(workspace_id, wanted.id, made)

    async def put(self, request: web.Request) -> web.Response:
        """`PUT /v1/workspaces/{ws}/webhooks/{wh}`: made, or replaced as a whole."""
        return await self._change(request, whole=True)

    async def patch(self, request: web.Request) -> web.Response:
        """`PATCH /v1/workspaces/{ws}/webhooks/{wh}`: what is named is changed."""
        return await self._change(request, whole=False)

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /v1/workspaces/{ws}/webhooks/{wh}`: gone at once, and erased soon after."""
        deleted = await self.drop(
            request.match_info["ws"],
            request.match_info["wh"],
            caller_of(request),
            precondition_of(request),
        )
        out = WebhookDeletedOut(deleted.windows, deleted.deliveries, deleted.messages)
        return json_response(out)

    async def drop(
        self,
        workspace_id: str,
        webhook_id: str,
        caller: str,
        precondition: Precondition | None = None,
        messages_most: int | None = None,
    ) -> WebhookDeleted:
        """What was dropped with it. Raises: NotFound; Conflict if it is the only one; Changed if
        it is not as expected, or more than `messages_most` would be dropped."""
        return await self.store.do(
            DeleteWebhook(
                workspace_id=workspace_id,
                webhook_id=webhook_id,
                precondition=precondition,
                now_ms=self.clock.now_ms(),
                caller=caller,
                messages_most=messages_most,
            ),
            WebhookDeleted,
        )

    async def _change(self, request: web.Request, *, whole: bool) -> web.Response:
        ws, wh = request.match_info["ws"], request.match_info["wh"]
        wanted = await body_of(request, WebhookIn)
        caller, precondition = caller_of(request), precondition_of(request)
        changed = await self.change(ws, wh, wanted, caller, precondition, whole=whole)
        return self._changed_out(ws, wh, changed)

    def _changed_out(
        self, workspace_id: str, webhook_id: str, changed: WebhookChanged
    ) -> web.Response:
        view = self.reads.workspace(workspace_id)
        found = view.named(webhook_id)
        path = f"/v1/workspaces/{workspace_id}/webhooks/{webhook_id}"
        return json_response(
            self._out(view, found, changed.secret, changed.dropped),
            status=201 if changed.created else 200,
            etag=found.webhook.version,  # of what is shown, which may be later than the change
            location=path if changed.created else "",
        )

    def _out(
        self,
        view: WorkspaceView,
        found: WebhookView,
        secret: str = "",
        dropped: tuple[str, ...] = (),
    ) -> WebhookOut:
        now_ms = self.clock.now_ms()
        pace, meter = pace_out(view.settings, found, now_ms), meter_out(found.state, now_ms)
        return webhook_out(found, secret, pace, meter, dropped)

    async def make(
        self, workspace_id: str, webhook_id: str, wanted: WebhookIn, caller: str
    ) -> WebhookChanged:
        """The webhook is made. Raises: InvalidInput with every fault; NotFound; Conflict if it
        exists, or there are too many."""
        try:
            return await self.change(workspace_id, webhook_id, wanted, caller, ABSENT, whole=True)
        except Changed:
            raise Conflict.of(
                Code.WEBHOOK_EXISTS, webhook=webhook_id, workspace=workspace_id
            ) from None

    async def change(
        self,
        workspace_id: str,
        webhook_id: str,
        wanted: WebhookIn,
        caller: str,
        precondition: Precondition | None,
        *,
        whole: bool,
    ) -> WebhookChanged:
        """Changes the settings. `whole`: all of them, and the webhook may be created.

        Raises: InvalidInput with every fault; NotFound; Changed if the precondition does not hold;
            PreconditionRequired if all is to be replaced without one; Conflict.
        """
        changes = await self.changes(workspace_id, webhook_id, wanted, whole=whole)
        return await self.apply(
            workspace_id, webhook_id, changes, caller, precondition, whole=whole
        )

    async def apply(
        self,
        workspace_id: str,
        webhook_id: str,
        changes: WebhookChanges,
        caller: str,
        precondition: Precondition | None,
        *,
        whole: bool,
    ) -> WebhookChanged:
        """The same with changes that were judged before. Raises: as `change`."""
        changed = await self.store.do(
            ChangeWebhook(
                workspace_id=workspace_id,
                webhook_id=webhook_id,
                changes=changes,
                precondition=precondition,
                may_create=whole,
                must_match=whole,
                new_secret=signing.new_secret(self.random_bytes(signing.SECRET_BYTES)),
                now_ms=self.clock.now_ms(),
                caller=caller,
            ),
            WebhookChanged,
        )
        for webhook in changed.wake:
            self.wake(webhook)
        return changed

    async def changes(
        self, workspace_id: str, webhook_id: str, wanted: WebhookIn, *, whole: bool
    ) -> WebhookChanges:
        """The changes that the body asks for. Raises: InvalidInput with every fault."""
        found = self.reads.webhook_and_owner(workspace_id, webhook_id)
        read = await formatted(wanted, *found, self.templates)
        return webhook_changes_of(webhook_id, read, self.policy(), whole=whole)
