"""News of a workspace, as a stream that its pages listen to.

The stream says only *that* something happened in the workspace; the page then asks for what it
shows. So nothing is in the stream that would have to be guarded, a page that missed some news is
right after the next, and news in quick succession is one piece of news.

Not every page is live: a session has a few streams, because a browser makes six connections to a
host at most, and pages that hold all six keep the next one from loading. A workspace has its share,
and none of what operators have. A page without a stream shows what it showed, and tries again.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import TooManyRequests
from hookbundle.server.console.sessions import Session
from hookbundle.server.console.visits import AccessCheck, Visit, finish
from hookbundle.server.feed.frames import Frame, Gap, Hello, Ping
from hookbundle.server.feed.source import Source
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.requests import header_of
from hookbundle.server.http.responses import add_common_headers
from hookbundle.server.http.routes import Route
from hookbundle.server.http.sockets.connections import when_lost
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.storage.reads.feed_selection import Selection

LIVE_MAX = 4  # pages of one session
GATHER_S = 0.25
BACK_MOST = 2_000  # events; one that begins earlier is told that there is news, and reads none
LISTS_S = 2.0  # between two pieces of news for a page whose list costs more to make again
NEWS = b"event: changed"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewsPage:
    """`look_up`: the workspace. Raises NotFound if it is not there."""

    access: AccessCheck
    look_up: Callable[[str], object]
    feed: Source
    fair_limits: FairLimits

    def routes(self) -> list[Route]:
        return [self.access.page("GET", "/w/{ws}/news", self.news)]

    async def news(self, visit: Visit) -> web.StreamResponse:
        """Server-sent events, as long as the session is good."""
        transport = visit.request.transport
        if transport is None:
            raise ConnectionResetError("the visitor has hung up")
        self.look_up(visit.ws)
        since = header_of(visit.request, "Last-Event-ID") or visit.request.query.get("since")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        finish(response)
        add_common_headers(response)
        response.force_close()
        chosen = Selection([visit.ws])
        try:
            sessions, session = self.access.sessions, visit.signed_in
            with self._place(session):
                async with (
                    sessions.watched(session),
                    self.feed.subscribed(
                        since or "now",
                        chosen,
                        transport,
                        GATHER_S,
                        may_go_on=partial(sessions.is_good, session),
                        back_most=BACK_MOST,
                    ) as subscription,
                ):
                    when_lost(visit.request, subscription.leave)
                    await response.prepare(visit.request)
                    await response.write(as_news(Hello(1, "", subscription.cursor)))
                    pace_s = LISTS_S if visit.request.query.get("of") == "list" else GATHER_S
                    await subscription.pass_on(as_news, partial(_gathered, response, pace_s))
                    await response.write_eof()
        except ConnectionError:
            pass  # the page was left
        except TimeoutError:
            log.warning("live page cut off: it took nothing", path=visit.request.path)
            transport.abort()
        return response

    @contextmanager
    def _place(self, session: Session) -> Iterator[None]:
        """A place for a live page. Raises: TooManyRequests; Overloaded."""
        if session.live >= LIVE_MAX:
            raise TooManyRequests.of(Code.TOO_MANY_LIVE_PAGES, count=LIVE_MAX)
        caller, limits = session.caller, self.fair_limits
        limit, owner = (
            (limits.feed, caller.name)
            if session.is_operator
            else (limits.streams, caller.workspace_id)
        )
        with limit.holding(owner):
            session.live += 1
            try:
                yield
            finally:
                session.live -= 1


async def _gathered(response: web.StreamResponse, pace_s: float, data: bytes) -> None:
    """Of several pieces of news the last one is written, and nothing for a moment after it."""
    news = data.rpartition(NEWS)
    await response.write(news[1] + news[2] if news[1] else data)
    if news[1]:
        await asyncio.sleep(pace_s)


def as_news(frame: Frame) -> bytes:
    """What a page is told: that there is news, and up to where it has been told."""
    match frame:
        case FeedEvent() | Gap():
            return NEWS + f"\nid: {frame.cursor}\ndata: \n\n".encode()
        case Hello() | Ping():
            return f": all is well\nid: {frame.cursor}\n\n".encode()
        case _:
            return b": it can't go on\n\n"
