"""The feed over HTTP, as server-sent events: for browsers, and for clients without the socket.

    id: CURSOR            what a browser sends as `Last-Event-ID` when it connects again
    event: TYPE           the type of the event, or `gap`
    data: {...}           the frame as the socket has it, JSON in one line

A ping is a comment with an `id:` line: no event for the page, but it moves the cursor on, so that
a reader with a narrow filter does not come back with one from long ago.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import structlog
from aiohttp import web

from hookbundle import __version__
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.feed.frames import Frame, Gap, Hello, Ping, Unanswered
from hookbundle.server.feed.schema import ANY_EVENT
from hookbundle.server.feed.source import Source, Stream
from hookbundle.server.http.authentication import caller_of, still_good
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.server.http.requests import header_of
from hookbundle.server.http.responses import add_common_headers
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.sockets.connections import when_lost
from hookbundle.storage.reads.feed import SINCE, FeedEvent

EVENTS_PATH = "/v1/events"
RETRY_MS = 2_000  # after which a browser connects again
FILTERS_MAX = 256

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeedStream:
    """`places`: of all readers; a caller has its share of them. `tokens`: as good as a reader's
    token has to be all the while."""

    feed: Source
    places: FairLimit[str]
    tokens: TokenCheck

    def routes(self) -> list[Route]:
        return [
            Route(
                method="GET",
                path=EVENTS_PATH,
                handler=self.events,
                name="follow_events",
                summary="The event feed as server-sent events, from `Last-Event-ID` on",
                answer=ANY_EVENT,
                media="text/event-stream",
                query=(
                    Query(name="since", meaning=f"where to begin, without Last-Event-ID: {SINCE}"),
                    Query(
                        name="workspace",
                        meaning="of this workspace only; may be repeated",
                        repeated=True,
                    ),
                    Query(
                        name="type",
                        meaning="of types like `delivery.*` only; may be repeated",
                        repeated=True,
                    ),
                    Query(
                        name="webhook",
                        meaning="of this webhook only, by its id; may be repeated",
                        repeated=True,
                    ),
                    Query(
                        name="chat",
                        meaning="of this chat only, by its id; may be repeated",
                        repeated=True,
                    ),
                ),
                refusals=(422, 429, 503),
            )
        ]

    async def events(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/events?since=&workspace=&type=&webhook=&chat=`, filters as often as wanted."""
        since = header_of(request, "Last-Event-ID") or request.query.get("since", "now")
        workspaces, types = _all_of(request, "workspace"), _all_of(request, "type")
        with self.places.holding(caller_of(request)):
            selection = await self.feed.chosen(
                workspaces,
                types,
                _all_of(request, "webhook"),
                _all_of(request, "chat"),
                place=lambda name, index: name,
            )
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the caller has hung up")
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "X-Accel-Buffering": "no",  # a proxy that gathers would hold events back
            }
        )
        add_common_headers(response)
        response.force_close()
        may_go_on = still_good(request, self.tokens)
        with self.places.holding(caller_of(request)):
            async with self.feed.subscribed(
                since, selection, transport, may_go_on=may_go_on
            ) as subscription:
                await self._pass_on(request, response, subscription, transport)
        return response

    async def _pass_on(
        self,
        request: web.Request,
        response: web.StreamResponse,
        subscription: Stream,
        transport: asyncio.WriteTransport,
    ) -> None:
        when_lost(request, subscription.leave)
        hello = Hello(1, __version__, subscription.cursor)
        try:
            await response.prepare(request)
            await subscription.send(as_sse(hello), response.write)
            await subscription.pass_on(as_sse, response.write)
            await response.write_eof()
        except ConnectionError:
            pass  # the reader has left
        except TimeoutError:
            log.warning("feed reader cut off: it took nothing", path=request.path)
            transport.abort()


def as_sse(frame: Frame) -> bytes:
    match frame:
        case Hello():
            text = f": hookbundle {frame.version}\nretry: {RETRY_MS}\nid: {frame.cursor}\n\n"
        case Ping():
            text = f": ping\nid: {frame.cursor}\n\n"
        case Gap():
            text = f"id: {frame.cursor}\nevent: gap\ndata: {_json(frame)}\n\n"
        case Unanswered():
            text = f"id: {frame.cursor}\nevent: unanswered\ndata: {_json(frame)}\n\n"
        case FeedEvent():
            # Within a page of several partitions only the last event has a cursor.
            place = f"id: {frame.cursor}\n" if frame.cursor else ""
            text = f"{place}event: {frame.type}\ndata: {_json(frame)}\n\n"
        case _:
            text = f": {_json(frame)}\n\n"
    return text.encode()


def _json(frame: Frame) -> str:
    return msgspec.json.encode(frame).decode()


def _all_of(request: web.Request, name: str) -> Sequence[str]:
    """Raises: InvalidInput if there are too many."""
    values = request.query.getall(name, [])
    if len(values) > FILTERS_MAX:
        raise InvalidInput((fault(name, FaultCode.GIVEN_TOO_OFTEN, most=FILTERS_MAX),))
    return values
