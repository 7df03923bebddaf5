"""What a webhook did lately: the ten actions, each one's request in full, and news as it comes.

The stream of news says only *that* something happened in the workspace; the page then asks for
what it shows. So nothing is in the stream that would have to be guarded, a page that missed some
news is right after the next, and news in quick succession is one piece of news.

Not every page is live: a session has a few streams, because a browser makes six connections to a
host at most, and pages that hold all six keep the next one from loading. A workspace has its share,
and none of what operators have. A page without a stream shows what it showed, and tries again.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound, TooManyRequests
from hookbundle.server.console.folding import Fold, folded
from hookbundle.server.console.sessions import Session
from hookbundle.server.console.visits import AccessCheck, Visit, finish
from hookbundle.server.feed.subscription import Feed, Frame, Gap, Hello, Ping
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.requests import header_of, number_of
from hookbundle.server.http.resources.logs import Logs
from hookbundle.server.http.responses import add_common_headers
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.success import proposed
from hookbundle.server.http.sockets.connections import when_lost
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.chats.names import UNNAMED, ChatName, ChatNames
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.storage.reads.feed_selection import Selection
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.requests_made import JoinedAction
from hookbundle.storage.reads.workspace_view import WorkspaceView

LIVE_MAX = 4  # pages of one session
GATHER_S = 0.25
BACK_MOST = 2_000  # events; one that begins earlier is told that there is news, and reads none
LISTS_S = 2.0  # between two pieces of news for a page whose list costs more to make again
LOGGED_MAX = 10**15
NEWS = b"event: changed"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ShownAction:
    joined: JoinedAction
    chat: ChatName

    @property
    def action(self) -> Action:
        return self.joined.action


@dataclass(frozen=True, slots=True)
class ActivityPage:
    access: AccessCheck
    reads: Reads
    names: ChatNames
    logs: Logs
    feed: Feed
    fair_limits: FairLimits

    def routes(self) -> list[Route]:
        page, one = self.access.page, "/w/{ws}"
        return [
            page("GET", f"{one}/activity", self.recent),
            page("GET", f"{one}/requests/{{number}}", self.request),
            page("GET", f"{one}/log", self.log),
            page("GET", f"{one}/news", self.news),
        ]

    async def recent(self, visit: Visit) -> web.StreamResponse:
        """The list of actions, as a part of the page that shows it."""
        view = self.reads.workspace(visit.ws)
        actions = self.actions(view, visit.request.query.get("webhook", ""))
        return visit.render(
            "parts/activity.html", ws=visit.ws, actions=actions, view=view, fresh=True
        )

    def actions(self, view: WorkspaceView, webhook_id: str = "") -> list[Fold[ShownAction]]:
        """The ten most recent actions of the webhook, newest first, with the names of their chats.

        Without its id of the workspace.

        Attempts of one delivery that failed in the same way, one after the other, are one line.
        """
        found = self.reads.activity_joined(view.settings.id, (webhook_id,) if webhook_id else ())
        chats = self.names.of(view.settings.number, (each.action.chat_id for each in found))
        return folded(
            [ShownAction(each, chats.get(each.action.chat_id, UNNAMED)) for each in found],
            _same_failure,
        )

    async def request(self, visit: Visit) -> web.StreamResponse:
        """A request and its response in full."""
        number = number_of(visit.request.match_info["number"], LOGGED_MAX)
        if number is None:
            raise NotFound.of(Code.NO_PAGE)
        view, webhook_id = (
            self.reads.workspace(visit.ws),
            visit.request.query.get("webhook", OUTBOUND),
        )
        exchange = await asyncio.to_thread(self.reads.exchange, visit.ws, number, webhook_id)
        chats = self.names.of(view.settings.number, (exchange.chat_id,))
        words = {"chat": chats.get(exchange.chat_id, UNNAMED), "view": view, "tab": "outbound"}
        webhook = view.named(webhook_id).webhook
        offer = {"webhook": webhook, "proposal": proposed(exchange.result, webhook)}
        return await visit.large_page(
            "request.html", exchange=exchange, webhook_id=webhook_id, **words, **offer
        )

    async def log(self, visit: Visit) -> web.StreamResponse:
        """The detailed log, as a download."""
        return await self.logs.log(visit.request)

    async def news(self, visit: Visit) -> web.StreamResponse:
        """Server-sent events, as long as the session is good."""
        transport = visit.request.transport
        if transport is None:
            raise ConnectionResetError("the visitor has hung up")
        self.reads.workspace(visit.ws)
        since = header_of(visit.request, "Last-Event-ID") or visit.request.query.get("since")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        finish(response)
        add_common_headers(response)
        response.force_close()
        chosen = Selection([visit.ws])
        try:
            with (
                self._place(visit.signed_in),
                self.feed.subscribed(
                    since or "now",
                    chosen,
                    transport,
                    GATHER_S,
                    may_go_on=partial(self.access.sessions.is_good, visit.signed_in),
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

    def cursor(self) -> str:
        """The place in the feed at which a page that is made now stands."""
        return self.feed.reader.cursor(self.feed.next - 1)

    def of_list(self, visit: Visit) -> str:
        """Where a list hears of news from now on; empty for all pages of it but the first.

        To be asked before anything is read for the page, or what happens meanwhile is missed.
        """
        is_first = not visit.request.query.get("cursor")
        return f"/console/w/{visit.ws}/news?of=list&since={self.cursor()}" if is_first else ""

    def number_of(self, workspace_id: str, delivery_id: str, webhook_id: str = OUTBOUND) -> int:
        """The number in the log of a request that was made just now."""
        for action in self.reads.activity(workspace_id, webhook_id):
            if action.logged:
                number = action.logged - 1
                exchange = self.reads.exchange(workspace_id, number, webhook_id)
                if exchange.delivery_id == delivery_id:
                    return number
        return 0


async def _gathered(response: web.StreamResponse, pace_s: float, data: bytes) -> None:
    """Of several pieces of news the last one is written, and nothing for a moment after it."""
    news = data.rpartition(NEWS)
    await response.write(news[1] + news[2] if news[1] else data)
    if news[1]:
        await asyncio.sleep(pace_s)


def _same_failure(shown: ShownAction) -> tuple[object, ...] | None:
    action = shown.action
    if action.action not in ("bundle", "message") or action.outcome != "failed":
        return None
    return action.delivery, shown.joined.delivery_id, action.detail


def as_news(frame: Frame) -> bytes:
    """What a page is told: that there is news, and up to where it has been told."""
    match frame:
        case FeedEvent() | Gap():
            return NEWS + f"\nid: {frame.cursor}\ndata: \n\n".encode()
        case Hello() | Ping():
            return f": all is well\nid: {frame.cursor}\n\n".encode()
        case _:
            return b": it can't go on\n\n"
