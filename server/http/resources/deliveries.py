"""The API of deliveries: search, show, retry, discard."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.large_answers import owner_of
from hookbundle.server.http.lists import LISTS, LOOP_SHARE
from hookbundle.server.http.parameters.searches import (
    FILTERS,
    ORDER,
    WEBHOOK,
    asked_of,
    webhooks_of,
)
from hookbundle.server.http.requests import CURSOR, LIMIT, limit_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.schemas.deliveries import (
    DeliveriesOut,
    DeliveryOut,
    DiscardedOut,
    RetriedOut,
    delivery_out,
    retried_out,
)
from hookbundle.server.http.schemas.times import iso_or_none
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.delivery_view import DeliveryReads, DeliveryView
from hookbundle.storage.reads.listing import Listing, Page
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.searching.search import Search
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    Discarded,
    Retried,
    RetryDeadLetters,
    RetryDelivery,
)

REASON = Query(name="reason", meaning="why it is given up, for the record; needed", required=True)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """`alive_since_ms`: attempts that began before it ended with the daemon that made them."""

    env: Environment
    store: StoreQueue
    clock: Clock
    wake: Callable[[int], None]
    alive_since_ms: int

    def routes(self) -> list[Route]:
        of_workspace = "/v1/workspaces/{ws}/deliveries"
        one = f"{of_workspace}/{{id}}"
        return [
            Route(
                method="GET",
                path="/v1/deliveries/{id}",
                handler=self.show,
                name="find_delivery",
                summary="A delivery by its id alone: its workspace, its body and its attempts",
                answer=DeliveryOut,
                refusals=(404, 410, 429),
            ),
            Route(
                method="GET",
                path=of_workspace,
                handler=self.index,
                name="list_deliveries",
                summary="Deliveries of every state, newest first; or what waits, in its order",
                answer=DeliveriesOut,
                query=(*FILTERS, ORDER, LIMIT, CURSOR),
                refusals=(404, 422, 429),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show,
                name="get_delivery",
                summary="A delivery, with its body and its attempts",
                answer=DeliveryOut,
                refusals=(404, 410, 429),
            ),
            Route(
                method="POST",
                path=f"{of_workspace}/retry",
                handler=self.retry_dead_letters,
                name="retry_dead_letters",
                summary="Put all dead letters back in their positions at the head of the queue",
                answer=RetriedOut,
                query=(WEBHOOK,),
                refusals=(404, 503),
            ),
            Route(
                method="POST",
                path=f"{one}/retry",
                handler=self.retry,
                name="retry_delivery",
                summary="Retry now: a dead letter in its position, a queued one without waiting",
                answer=RetriedOut,
                refusals=(404, 409, 410, 503),
            ),
            Route(
                method="DELETE",
                path=one,
                handler=self.discard,
                name="discard_delivery",
                summary="Give the delivery up, unless it is being sent",
                answer=DiscardedOut,
                query=(REASON,),
                refusals=(404, 409, 410, 422, 503),
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/deliveries`, with the filters of a search."""
        page, cursor = await self.found(request, limit_of(request, 100))
        is_cut = page.position is not None and len(page.found) < limit_of(request, 100)
        searched_to = iso_or_none(page.reached_ms) if is_cut else None
        return json_response(DeliveriesOut(page.found, cursor, searched_to))

    async def found(self, request: web.Request, limit: int) -> tuple[Page[DeliveryOut], str | None]:
        """The page that the request asks for, and the cursor of the next one.

        Raises: InvalidInput; NotFound; as `Lists.page`.
        """
        workspace_id = request.match_info["ws"]
        asked = asked_of(request, self.clock.now_ms())
        shown = partial(delivery_out, alive_since_ms=self.alive_since_ms)
        read: Callable[[int, bytes], Page[DeliveryView]]
        if asked.in_order:
            dead, queued = DeliveryState.DEAD_LETTER, DeliveryState.QUEUED
            kinds = {keyspace.QUEUED: queued, keyspace.DEAD_LETTERS: dead}
            wanted = tuple(kind for kind, state in kinds.items() if state in asked.wanted.states)
            only = asked.wanted.webhooks
            read = partial(Listing(self.env).deliveries, workspace_id, wanted, webhook_ids=only)
        else:
            read = Search(self.env, workspace_id, asked.wanted, self.alive_since_ms).read
        page = await request.app[LISTS].page(request, read, shown, limit, asked.position)
        return page, asked.cursor(page.position)

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/deliveries/{id}`, `GET /v1/deliveries/{id}`"""
        workspace_id, delivery_id = request.match_info.get("ws", ""), request.match_info["id"]
        # A megabyte of body and a hundred answers: not on the loop, and one at a time for a caller.
        shown = partial(self._shown, delivery_id, workspace_id)
        return await request.app[LOOP_SHARE].in_thread(("delivery", owner_of(request)), shown)

    def _shown(self, delivery_id: str, workspace_id: str) -> web.Response:
        found = self._reads.delivery(delivery_id, workspace_id, in_full=True)
        return json_response(delivery_out(found, self.alive_since_ms, in_full=True))

    async def retry(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/deliveries/{id}/retry`"""
        waiting = self._reads.delivery(request.match_info["id"], request.match_info["ws"])
        transition = RetryDelivery(
            workspace_id=waiting.workspace_id,
            webhook_id=waiting.webhook_id,
            number=waiting.delivery.own_number,
            now_ms=self.clock.now_ms(),
            caller=caller_of(request),
        )
        retried = await self._retried(transition)
        return json_response(retried_out(retried))

    async def retry_dead_letters(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/deliveries/retry?webhook=`; without it, of all webhooks."""
        workspace_id, asked = request.match_info["ws"], webhooks_of(request)
        returned = messages = waits_until_ms = 0
        # A transition for each: what is damaged of one holds up no other one's.
        for each in Reads(self.env).workspace(workspace_id).chosen(asked):
            transition = RetryDeadLetters(
                workspace_id=workspace_id,
                webhook_id=each.webhook.id,
                now_ms=self.clock.now_ms(),
                caller=caller_of(request),
            )
            retried = await self._retried(transition)
            returned += retried.returned
            messages += retried.messages
            waits_until_ms = max(waits_until_ms, retried.waits_until_ms)
        return json_response(retried_out(Retried(returned, messages, (), waits_until_ms)))

    async def discard(self, request: web.Request) -> web.Response:
        """`DELETE /v1/workspaces/{ws}/deliveries/{id}?reason=`"""
        workspace_id, delivery_id = request.match_info["ws"], request.match_info["id"]
        reason = request.query.get("reason", "")
        given_up = await self.give_up(workspace_id, delivery_id, reason, caller_of(request))
        return json_response(given_up)

    async def give_up(
        self, workspace_id: str, delivery_id: str, reason: str, caller: str
    ) -> DiscardedOut:
        """The delivery is discarded. Raises: InvalidInput; NotFound; Conflict while it is sent."""
        reason = reason.strip()
        if not 1 <= len(reason) <= limits.NAME_CHARS_MAX:
            most = limits.NAME_CHARS_MAX
            raise InvalidInput((fault("reason", FaultCode.NO_REASON, most=most),))
        waiting = self._reads.delivery(delivery_id, workspace_id)
        discarded = await self.store.do(
            DiscardDelivery(
                workspace_id=waiting.workspace_id,
                webhook_id=waiting.webhook_id,
                number=waiting.delivery.own_number,
                reason=reason,
                alive_since_ms=self.alive_since_ms,
                now_ms=self.clock.now_ms(),
                caller=caller,
            ),
            Discarded,
        )
        return DiscardedOut(waiting.id, discarded.chat_id, discarded.messages, discarded.was)

    @property
    def _reads(self) -> DeliveryReads:
        return DeliveryReads(self.env)

    async def _retried(self, transition: RetryDelivery | RetryDeadLetters) -> Retried:
        retried = await self.store.do(transition, Retried)
        for webhook in retried.wake:
            self.wake(webhook)
        return retried
