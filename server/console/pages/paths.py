"""What became of messages: the page of a chat, and that of a message with its whole path.

A chat's page has what became of each of its messages, newest first; so the question why something
is missing is answered there, or one step further, on the page of the message or of the delivery.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.server.console.folding import folded
from hookbundle.server.console.pages.decoding import decoded
from hookbundle.server.console.pages.finding import FindingPage
from hookbundle.server.console.times import as_utc, zone_of
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.resources.histories import Histories
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.histories import HistoryOut, MessagePathOut
from hookbundle.storage.reads.chats.names import UNNAMED, ChatName, ChatNames
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView

GROUPS_MAX = 20  # of a page
LISTED_MAX = 10  # messages of a group; the delivery's page has all of them
SPAN = ("since", "until")


@dataclass(frozen=True, slots=True)
class PathsPage:
    """`news`: where a page of a list hears of what changes; empty if it does not."""

    access: AccessCheck
    reads: Reads
    names: ChatNames
    histories: Histories
    finding: FindingPage
    news: Callable[[Visit], str]

    def routes(self) -> list[Route]:
        page, one = self.access.page, "/w/{ws}"
        return [
            page("GET", f"{one}/chats/{{chat}}", self.chat),
            page("GET", f"{one}/message", self.to_message),
            page("GET", f"{one}/messages/{{message_id}}", self.message),
        ]

    async def chat(self, visit: Visit) -> web.StreamResponse:
        """The chat's window, its deliveries, and its messages with what became of each."""
        news, chat_id = self.news(visit), visit.request.match_info["chat"]
        view = self.reads.workspace(visit.ws)
        query = visit.request.query
        asked = {name: text for name in SPAN if (text := query.get(name, "").strip())}
        found: HistoryOut | None = None
        faults: dict[str, Fault] = {}
        try:
            request = as_utc(visit.request, asked, SPAN, zone_of(view), limit=str(GROUPS_MAX))
            found = decoded(await self.histories.of_chat(request), HistoryOut)
        except InvalidInput as exc:
            faults = {fault.path: fault for fault in exc.faults}
        words: dict[str, Any] = {
            "chat_id": chat_id,
            "chat": self._name(view, chat_id),
            "history": found,
            "listed_max": LISTED_MAX,
            "asked": asked,
            "faults": faults,
            "news": news,
            "view": view,
        }
        status = 422 if faults else 200
        return await visit.list_page("chat.html", status=status, tab="", **words)

    async def to_message(self, visit: Visit) -> web.StreamResponse:
        """From the form that asks for the chat: by its id, or by what finds exactly one."""
        query, ws = visit.request.query, visit.ws
        message_id = query.get("id", visit.request.match_info.get("message_id", "")).strip()
        text = query.get("chat", "").strip()
        view = self.reads.workspace(ws)
        found = (await self.finding.chats(visit, text, b"")).found if text else []
        if message_id and len(found) == 1:
            return visit.done(message_path(ws, message_id, found[0].chat_id))
        if message_id and text and not found:
            return visit.done(message_path(ws, message_id, text))  # it says that nothing is known
        return await visit.list_page(
            "found.html",
            view=view,
            tab="",
            text=text,
            found=found,
            cursor=None,
            message_id=message_id,
        )

    async def message(self, visit: Visit) -> web.StreamResponse:
        """Accepted when, in which window, sealed when and why, each attempt; or why not."""
        news, chat_id = self.news(visit), visit.request.query.get("chat", "")
        view = self.reads.workspace(visit.ws)
        if not chat_id:
            return await self.to_message(visit)
        found = decoded(await self.histories.of_message(visit.request), MessagePathOut)
        attempts = folded(found.attempts, lambda each: (each.outcome, each.status, each.error))
        words: dict[str, Any] = {
            "message_id": found.message_id,
            "chat_id": chat_id,
            "chat": self._name(view, chat_id),
            "path": found,
            "attempts": attempts,
            "news": news,
            "view": view,
        }
        # A hundred attempts have half a megabyte of answers.
        return await visit.large_page("message.html", tab="", **words)

    def _name(self, view: WorkspaceView, chat_id: str) -> ChatName:
        return self.names.of(view.settings.number, (chat_id,)).get(chat_id, UNNAMED)


def message_path(ws: str, message_id: str, chat_id: str) -> str:
    path = f"/console/w/{ws}/messages/{quote(message_id, safe='')}"
    return f"{path}?chat={quote(chat_id, safe='')}"
