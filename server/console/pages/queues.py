"""What waits in a workspace: windows that are still collecting, and deliveries on their way out."""

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from aiohttp import web

from hookbundle.engine.delivery import former_names
from hookbundle.engine.messages.message import Chat
from hookbundle.server.console.questions import Consequence, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import cursor_of, position_of
from hookbundle.server.http.resources.chats import Chats
from hookbundle.server.http.resources.deliveries import PREFIXES, Deliveries
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.chats import ChatOut, FlushedOut
from hookbundle.server.http.schemas.deliveries import DeliveryOut, RetriedOut, delivery_out
from hookbundle.storage.reads.delivery_view import DeliveryView
from hookbundle.storage.reads.listing import Listing, OpenWindow
from hookbundle.storage.reads.lookup import Reads

PAGE_MAX = 50
WINDOWS = "/console/w/{ws}/windows"
DELIVERIES = "/console/w/{ws}/deliveries"
T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class ShownWindow:
    window: OpenWindow
    name: str
    is_group: bool


@dataclass(frozen=True, slots=True)
class QueuesPage:
    """Reads lists for itself; what changes anything, and what is large, goes by the API."""

    access: AccessCheck
    reads: Reads
    listing: Listing
    chats: Chats
    deliveries: Deliveries

    def routes(self) -> list[Route]:
        page, one = self.access.page, "/w/{ws}"
        return [
            page("GET", f"{one}/windows", self.windows),
            page("POST", f"{one}/windows/flush", self.flush_all, back=WINDOWS),
            page("GET", f"{one}/windows/{{chat}}", self.preview),
            page("POST", f"{one}/windows/{{chat}}/flush", self.flush, back=WINDOWS),
            page("GET", f"{one}/deliveries", self.waiting),
            page("POST", f"{one}/deliveries/retry", self.retry_dead_letters, back=DELIVERIES),
            page("GET", f"{one}/deliveries/{{id}}", self.delivery),
            page("POST", f"{one}/deliveries/{{id}}/retry", self.retry, back=DELIVERIES),
            page("POST", f"{one}/deliveries/{{id}}/discard", self.discard, back=DELIVERIES),
        ]

    async def windows(self, visit: Visit) -> web.StreamResponse:
        """Open windows, with the names of their chats."""
        view = self.reads.workspace(visit.ws)
        page = await visit.request.app[LISTS].page(
            visit.request,
            partial(self.listing.windows, visit.ws),
            partial(self._named, view.settings.number),
            PAGE_MAX,
            position_of(visit.request),
        )
        words: dict[str, Any] = {"found": page.found, "view": view, "ws": visit.ws}
        cursor = cursor_of(page.position)
        return await visit.list_page("windows.html", tab="windows", cursor=cursor, **words)

    async def preview(self, visit: Visit) -> web.StreamResponse:
        """The bundle as it would be sent now."""
        shown = _decoded(await self.chats.show(visit.request), ChatOut)
        view = self.reads.workspace(visit.ws)
        body = msgspec.json.decode(shown.body or "{}")
        words = {"chat": shown, "body": body, "view": view}
        return await visit.large_page("window.html", tab="windows", **words)

    async def flush(self, visit: Visit) -> web.StreamResponse:
        flushed = _decoded(await self.chats.flush(visit.request), FlushedOut)
        return _flushed(visit, flushed)

    async def flush_all(self, visit: Visit) -> web.StreamResponse:
        """Sealed, if no more windows are open than somebody agreed to; each is a request."""
        view = self.reads.workspace(visit.ws)
        windows = view.state.windows
        found = [Consequence("sealed", windows)] if windows else []
        back = WINDOWS.format(ws=quote(visit.ws))
        if question := unanswered(visit, "flush", found, back, view=view, tab="windows"):
            return question
        return _flushed(visit, _decoded(await self.chats.flush_all(visit.request), FlushedOut))

    async def waiting(self, visit: Visit) -> web.StreamResponse:
        """Dead letters and then queued deliveries, or only one kind of them."""
        state = former_names.state_of(visit.request.query.get("state", ""))
        chosen = state if state in PREFIXES else None
        view = self.reads.workspace(visit.ws)
        page = await visit.request.app[LISTS].page(
            visit.request,
            partial(self.listing.deliveries, visit.ws, PREFIXES[chosen]),
            self._shown,
            PAGE_MAX,
            position_of(visit.request),
        )
        words: dict[str, Any] = {
            "found": [shown for shown, _ in page.found],
            "sealed": {shown.id: sealed_ms for shown, sealed_ms in page.found},
            "cursor": cursor_of(page.position),
            "state": chosen or "",
            "view": view,
        }
        return await visit.list_page("deliveries.html", tab="deliveries", **words)

    async def delivery(self, visit: Visit) -> web.StreamResponse:
        """A delivery with the body that every attempt sends."""
        found = _decoded(await self.deliveries.show(visit.request), DeliveryOut)
        view = self.reads.workspace(visit.ws)
        body = msgspec.json.decode(found.body or "{}")
        words = {"delivery": found, "body": body, "view": view}
        return await visit.large_page("delivery.html", tab="deliveries", **words)

    async def retry(self, visit: Visit) -> web.StreamResponse:
        retried = _decoded(await self.deliveries.retry(visit.request), RetriedOut)
        return self._to_deliveries(
            visit, Notice("retried", count=retried.messages, more=retried.returned)
        )

    async def retry_dead_letters(self, visit: Visit) -> web.StreamResponse:
        view = self.reads.workspace(visit.ws)
        count = view.state.dead_letters
        found = [Consequence("returned", count)] if count else []
        back = DELIVERIES.format(ws=quote(visit.ws))
        if question := unanswered(visit, "retry", found, back, view=view, tab="deliveries"):
            return question
        retried = _decoded(await self.deliveries.retry_dead_letters(visit.request), RetriedOut)
        return self._to_deliveries(visit, Notice("returned", count=retried.returned))

    async def discard(self, visit: Visit) -> web.StreamResponse:
        view = self.reads.workspace(visit.ws)
        shown = _decoded(await self.deliveries.show(visit.request), DeliveryOut)
        found = [Consequence("discarded", shown.messages)]
        back = f"{DELIVERIES.format(ws=quote(visit.ws))}/{quote(shown.id)}"
        if question := unanswered(visit, "discard", found, back, view=view, tab="deliveries"):
            return question
        given_up = await self.deliveries.give_up(
            visit.ws,
            visit.request.match_info["id"],
            visit.form.get("reason", ""),
            visit.caller,
        )
        return self._to_deliveries(visit, Notice("discarded", count=given_up.messages))

    def _to_deliveries(self, visit: Visit, notice: Notice) -> web.Response:
        return visit.done(DELIVERIES.format(ws=quote(visit.ws)), notice)

    def _shown(self, waiting: DeliveryView) -> tuple[DeliveryOut, int]:
        shown = delivery_out(waiting, self.deliveries.alive_since_ms)
        return shown, waiting.delivery.sealed_ms

    def _named(self, workspace_number: int, window: OpenWindow) -> ShownWindow:
        record = self.reads.window(workspace_number, window.chat_id)
        if record is None or not record.chat:
            return ShownWindow(window, window.chat_id, is_group=False)
        chat = msgspec.json.decode(record.chat, type=Chat)
        return ShownWindow(window, chat.full_name or window.chat_id, chat.is_group)


def _flushed(visit: Visit, flushed: FlushedOut) -> web.Response:
    notice = Notice("flushed", count=flushed.sealed, more=flushed.messages)
    return visit.done(WINDOWS.format(ws=quote(visit.ws)), notice)


def _decoded(answer: web.Response, kind: type[T]) -> T:
    """What the API said, as the type that it was made from."""
    assert isinstance(answer.body, bytes)
    return msgspec.json.decode(answer.body, type=kind)
