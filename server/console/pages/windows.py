"""Windows that are collecting: in the order in which they fall due, and one as it would go.

They are sealed here: one, all of them, or those of a chat whose conversation is over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from hookbundle.server.console.pages.decoding import decoded
from hookbundle.server.console.pages.finding import CHAT, chat_path
from hookbundle.server.console.questions import Consequence, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.parameters.searches import webhooks_of
from hookbundle.server.http.requests import cursor_of
from hookbundle.server.http.resources.chats import BY_DUE, Chats
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.chats import ChatOut, FlushedOut
from hookbundle.storage.reads.lookup import Reads

PAGE_MAX = 50
WINDOWS = "/console/w/{ws}/windows"


@dataclass(frozen=True, slots=True)
class WindowsPage:
    """`news`: where a page of a list hears of what changes; empty if it does not."""

    access: AccessCheck
    reads: Reads
    chats: Chats
    news: Callable[[Visit], str]

    def routes(self) -> list[Route]:
        page, one = self.access.page, "/w/{ws}/windows"
        return [
            page("GET", one, self.windows),
            page("POST", f"{one}/flush", self.flush_all, back=WINDOWS),
            page("GET", f"{one}/{{chat}}", self.preview),
            page("POST", f"{one}/{{chat}}/flush", self.flush, back=WINDOWS),
            page("POST", "/w/{ws}/chats/{chat}/close", self.close, back=CHAT),
        ]

    async def windows(self, visit: Visit) -> web.StreamResponse:
        """The first due comes first; of those searched for, a page."""
        news, view = self.news(visit), self.reads.workspace(visit.ws)
        page = await self.chats.by_due(visit.request, PAGE_MAX)
        words: dict[str, Any] = {
            "found": page.found,
            "is_cut": len(page.found) < PAGE_MAX,
            "cursor": cursor_of(page.position, BY_DUE),
            "q": visit.request.query.get("q", "").strip(),
            "news": news,
            "view": view,
            "hooks": view.chosen(webhooks_of(visit.request)),
            "chosen": visit.request.query.get("webhook", ""),
        }
        return await visit.list_page("windows.html", tab="windows", **words)

    async def preview(self, visit: Visit) -> web.StreamResponse:
        """The bundle as it would be sent now."""
        shown = decoded(await self.chats.show(visit.request), ChatOut)
        view = self.reads.workspace(visit.ws)
        body = msgspec.json.decode(shown.body or "{}")
        words = {"chat": shown, "body": body, "view": view}
        return await visit.large_page("window.html", tab="windows", **words)

    async def flush(self, visit: Visit) -> web.StreamResponse:
        return _flushed(visit, decoded(await self.chats.flush(visit.request), FlushedOut))

    async def close(self, visit: Visit) -> web.StreamResponse:
        """The conversation is over: the chat's windows of all webhooks are sealed."""
        closed = await self.chats.close_for(visit.request, reason="")
        notice = Notice("flushed", count=closed.sealed, more=closed.messages)
        return visit.done(chat_path(visit.ws, visit.request.match_info["chat"]), notice)

    async def flush_all(self, visit: Visit) -> web.StreamResponse:
        """Sealed, if no more windows are open than somebody agreed to; each is a request."""
        view = self.reads.workspace(visit.ws)
        windows = sum(each.state.windows for each in view.chosen(webhooks_of(visit.request)))
        found = [Consequence("sealed", windows)] if windows else []
        back = WINDOWS.format(ws=quote(visit.ws))
        if question := unanswered(visit, "flush", found, back, view=view, tab="windows"):
            return question
        return _flushed(visit, decoded(await self.chats.flush_all(visit.request), FlushedOut))


def _flushed(visit: Visit, flushed: FlushedOut) -> web.Response:
    notice = Notice("flushed", count=flushed.sealed, more=flushed.messages)
    return visit.done(WINDOWS.format(ws=quote(visit.ws)), notice)
