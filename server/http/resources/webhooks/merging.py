"""The API that merges what waits for a webhook and was never attempted, chat by chat."""

from dataclasses import dataclass

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.preconditions import Precondition
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.parameters.etags import IF_MATCH, IF_NONE_MATCH
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, condition_of, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.switching import MergingOut, merging_out
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook


@dataclass(frozen=True, slots=True)
class Merges:
    store: StoreQueue
    clock: Clock

    def routes(self) -> list[Route]:
        return [
            self._route(ONE, "webhook", "a webhook"),
            self._route(ONLY, "outbound", "the webhook `outbound`"),
        ]

    def _route(self, at: str, name: str, what: str) -> Route:
        return Route(
            method="POST",
            path=f"{at}/merge",
            handler=self.merge,
            name=f"merge_{name}",
            summary=f"Merge what waits for {what}, chat by chat; it is as before when that is done",
            answer=MergingOut,
            status=202,
            headers=(IF_MATCH, IF_NONE_MATCH),
            refusals=(404, 409, 412, 503),
        )

    async def merge(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/merge`"""
        precondition, of_webhook = condition_of(request)
        begun = await self.begin(
            request.match_info["ws"],
            caller_of(request),
            webhook_id=webhook_of(request),
            precondition=precondition,
            of_webhook=of_webhook,
        )
        return json_response(merging_out(begun), status=202)

    async def begin(
        self,
        workspace_id: str,
        caller: str,
        *,
        webhook_id: str = OUTBOUND,
        precondition: Precondition | None = None,
        of_webhook: bool = False,
    ) -> MergeBegun:
        """Raises: NotFound; Conflict where nothing can be merged; Changed."""
        return await self.store.do(
            MergeWebhook(
                workspace_id=workspace_id,
                webhook_id=webhook_id,
                now_ms=self.clock.now_ms(),
                caller=caller,
                precondition=precondition,
                of_webhook=of_webhook,
            ),
            MergeBegun,
        )
