"""The API of deliveries: list, show, retry, discard."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery import former_names
from hookbundle.engine.errors import InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import CURSOR, LIMIT, cursor_of, limit_of, position_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.schemas.deliveries import (
    DeliveriesOut,
    DeliveryOut,
    DiscardedOut,
    RetriedOut,
    delivery_out,
)
from hookbundle.storage.database import keyspace
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    Discarded,
    Retried,
    RetryDeadLetters,
    RetryDelivery,
)

PREFIXES = {
    None: (keyspace.QUEUED, keyspace.DEAD_LETTERS),
    "queued": (keyspace.QUEUED,),
    "dead_letter": (keyspace.DEAD_LETTERS,),
}
STATE = Query(
    name="state",
    meaning="only dead letters, or only queued ones, that which is being sent among them; without "
    "it, dead letters and then queued ones",
    kind=Literal["queued", "dead_letter"],
)
REASON = Query(name="reason", meaning="why it is given up, for the record; wanted")


@dataclass(frozen=True, slots=True)
class Deliveries:
    """`alive_since_ms`: attempts that began before it ended with the daemon that made them."""

    listing: Listing
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
                summary="A delivery by its id alone, with its workspace and its body",
                answer=DeliveryOut,
                refusals=(404,),
            ),
            Route(
                method="GET",
                path=of_workspace,
                handler=self.index,
                name="list_deliveries",
                summary="Queued deliveries and dead letters, oldest first, without bodies",
                answer=DeliveriesOut,
                query=(STATE, LIMIT, CURSOR),
                refusals=(404, 422, 429),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show,
                name="get_delivery",
                summary="A delivery, with its body",
                answer=DeliveryOut,
                refusals=(404,),
            ),
            Route(
                method="POST",
                path=f"{of_workspace}/retry",
                handler=self.retry_dead_letters,
                name="retry_dead_letters",
                summary="Put all dead letters back in their positions at the head of the queue",
                answer=RetriedOut,
                refusals=(404, 503),
            ),
            Route(
                method="POST",
                path=f"{one}/retry",
                handler=self.retry,
                name="retry_delivery",
                summary="Retry now: a dead letter in its position, a queued one without waiting",
                answer=RetriedOut,
                refusals=(404, 409, 503),
            ),
            Route(
                method="DELETE",
                path=one,
                handler=self.discard,
                name="discard_delivery",
                summary="Give the delivery up, unless it is being sent",
                answer=DiscardedOut,
                query=(REASON,),
                refusals=(404, 409, 422, 503),
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/deliveries?state=&limit=&cursor=`"""
        given = request.query.get("state")
        state = given and former_names.state_of(given)
        if state not in PREFIXES:
            raise InvalidInput((fault("state", FaultCode.NO_STATE, got=quoted(given or "")),))
        limit, position = limit_of(request, 100), position_of(request)
        page = await request.app[LISTS].page(
            request,
            partial(self.listing.deliveries, request.match_info["ws"], PREFIXES[state]),
            partial(delivery_out, alive_since_ms=self.alive_since_ms),
            limit,
            position,
        )
        return json_response(DeliveriesOut(page.found, cursor_of(page.position)))

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/deliveries/{id}`, `GET /v1/deliveries/{id}`"""
        workspace_id = request.match_info.get("ws", "")
        found = self.listing.delivery(request.match_info["id"], workspace_id)
        return json_response(delivery_out(found, self.alive_since_ms, with_body=True))

    async def retry(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/deliveries/{id}/retry`"""
        waiting = self.listing.delivery(request.match_info["id"], request.match_info["ws"])
        transition = RetryDelivery(
            workspace_id=waiting.workspace_id,
            number=waiting.delivery.number,
            now_ms=self.clock.now_ms(),
            caller=caller_of(request),
        )
        retried = await self._retried(transition)
        return json_response(RetriedOut(retried.returned, retried.messages))

    async def retry_dead_letters(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/deliveries/retry`"""
        transition = RetryDeadLetters(
            workspace_id=request.match_info["ws"],
            now_ms=self.clock.now_ms(),
            caller=caller_of(request),
        )
        retried = await self._retried(transition)
        return json_response(RetriedOut(retried.returned, retried.messages))

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
        waiting = self.listing.delivery(delivery_id, workspace_id)
        discarded = await self.store.do(
            DiscardDelivery(
                workspace_id=waiting.workspace_id,
                number=waiting.delivery.number,
                reason=reason,
                alive_since_ms=self.alive_since_ms,
                now_ms=self.clock.now_ms(),
                caller=caller,
            ),
            Discarded,
        )
        return DiscardedOut(waiting.id, discarded.chat_id, discarded.messages, discarded.was)

    async def _retried(self, transition: RetryDelivery | RetryDeadLetters) -> Retried:
        retried = await self.store.do(transition, Retried)
        for webhook in retried.wake:
            self.wake(webhook)
        return retried
