"""The API that enables and disables a webhook."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.preconditions import Precondition
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.parameters.etags import IF_MATCH, IF_NONE_MATCH
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, condition_of, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.switching import EnableIn, SwitchedOut, switched_out
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched


@dataclass(frozen=True, slots=True)
class Switching:
    store: StoreQueue
    clock: Clock
    wake: Callable[[int], None]

    def routes(self) -> list[Route]:
        return [
            *self._routes(ONE, "webhook", "the webhook"),
            *self._routes(ONLY, "outbound", "the webhook `outbound`"),
        ]

    def _routes(self, at: str, name: str, what: str) -> list[Route]:
        conditions = (IF_MATCH, IF_NONE_MATCH)
        return [
            Route(
                method="POST",
                path=f"{at}/enable",
                handler=self.enable,
                name=f"enable_{name}",
                summary=f"Enable {what}: it goes on, merges first, or drops what is held",
                body=EnableIn,
                answer=SwitchedOut,
                headers=conditions,
                refusals=(404, 409, 412, 422, 503),
            ),
            Route(
                method="POST",
                path=f"{at}/disable",
                handler=self.disable,
                name=f"disable_{name}",
                summary=f"Disable {what}: messages are still accepted, and held",
                answer=SwitchedOut,
                headers=conditions,
                refusals=(404, 412, 503),
            ),
        ]

    async def enable(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/enable`"""
        wanted = await body_of(request, EnableIn)
        if wanted.discard and wanted.merge:
            raise InvalidInput((fault("merge", FaultCode.MERGE_OR_DISCARD),))
        precondition, of_webhook = condition_of(request)
        switched = await self.switch_on(
            request.match_info["ws"],
            caller_of(request),
            webhook_id=webhook_of(request),
            discard=wanted.discard,
            merge=wanted.merge,
            precondition=precondition,
            of_webhook=of_webhook,
        )
        return json_response(switched_out(switched))

    async def switch_on(
        self,
        workspace_id: str,
        caller: str,
        *,
        webhook_id: str = OUTBOUND,
        discard: bool,
        discard_most: int | None = None,
        merge: bool = False,
        precondition: Precondition | None = None,
        of_webhook: bool = False,
    ) -> Switched:
        """The webhook is enabled; with `merge` when what waits is merged.

        Raises: NotFound; Conflict without a URL, or where nothing can be merged; Changed."""
        switched = await self.store.do(
            EnableWebhook(
                workspace_id=workspace_id,
                webhook_id=webhook_id,
                discard=discard,
                discard_most=discard_most,
                merge=merge,
                now_ms=self.clock.now_ms(),
                caller=caller,
                precondition=precondition,
                of_webhook=of_webhook,
            ),
            Switched,
        )
        for webhook in switched.wake:
            self.wake(webhook)
        return switched

    async def disable(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/disable`"""
        precondition, of_webhook = condition_of(request)
        switched = await self.switch_off(
            request.match_info["ws"],
            caller_of(request),
            webhook_id=webhook_of(request),
            precondition=precondition,
            of_webhook=of_webhook,
        )
        return json_response(switched_out(switched))

    async def switch_off(
        self,
        workspace_id: str,
        caller: str,
        *,
        webhook_id: str = OUTBOUND,
        precondition: Precondition | None = None,
        of_webhook: bool = False,
    ) -> Switched:
        """The webhook is disabled. Raises: NotFound; Changed."""
        return await self.store.do(
            DisableWebhook(
                workspace_id=workspace_id,
                webhook_id=webhook_id,
                now_ms=self.clock.now_ms(),
                caller=caller,
                precondition=precondition,
                of_webhook=of_webhook,
            ),
            Switched,
        )
