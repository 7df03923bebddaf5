"""The search box of the header: one field, that leads to what belongs to the text in it.

A delivery's id leads to the delivery; a chat's id, a phone or a name to the chat. What fits several
chats is answered with a list of them. A message's id says nothing without its chat, and nothing
else is kept of it: the page asks for the chat. Outside of a workspace the field finds workspaces,
and deliveries of all of them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from hookbundle.engine.errors import NotFound
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import cursor_of, position_of
from hookbundle.server.http.routes import Route
from hookbundle.storage.reads.chats.finding import ChatSearch, FoundChat
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables import queue

FOUND_MAX = 50
LIST = "find"  # its cursors
CHAT = "/console/w/{ws}/chats/{chat}"
TEXT_MAX = 512


@dataclass(frozen=True, slots=True)
class FindingPage:
    """`search`: chats of a workspace. `owner_of`: the workspace that has the delivery."""

    access: AccessCheck
    reads: Reads
    search: Callable[[str, str, int, bytes], ChatSearch]
    owner_of: Callable[[str], Awaitable[str]]

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("GET", "/find", self.anywhere),
            page("GET", "/w/{ws}/find", self.find),
        ]

    async def anywhere(self, visit: Visit) -> web.StreamResponse:
        """In the owner's workspace; the operator finds workspaces, and any delivery by its id."""
        text = text_of(visit)
        mine = visit.signed_in.caller.workspace_id
        if mine:
            return visit.done(f"/console/w/{mine}/find?q={quote(text, safe='')}")
        if queue.ID.fullmatch(text):
            try:
                ws = await self.owner_of(text)
            except NotFound:
                return visit.page(
                    "found.html", view=None, text=text, found=[], cursor=None, message_id=""
                )
            return visit.done(f"/console/w/{ws}/deliveries/{text}")
        return visit.done(f"/console/workspaces?q={quote(text, safe='')}")

    async def find(self, visit: Visit) -> web.StreamResponse:
        text, view = text_of(visit), self.reads.workspace(visit.ws)
        if queue.ID.fullmatch(text):
            return visit.done(f"/console/w/{visit.ws}/deliveries/{text}")
        found: list[FoundChat] = []
        position: bytes | None = None
        if text:
            search = await self.chats(visit, text, position_of(visit.request, LIST))
            found, position = search.found, search.position
        if len(found) == 1 and position is None and not visit.request.query.get("cursor"):
            return visit.done(chat_path(visit.ws, found[0].chat_id))
        return await visit.list_page(
            "found.html",
            view=view,
            tab="",
            text=text,
            found=found,
            cursor=cursor_of(position, LIST),
            message_id="",
        )

    async def chats(self, visit: Visit, text: str, position: bytes) -> ChatSearch:
        """The chats that fit the text, from the position on."""
        search = self.search(visit.ws, text[:TEXT_MAX], FOUND_MAX, position)
        await visit.request.app[LISTS].whole(visit.request, search.read_on)
        return search


def text_of(visit: Visit) -> str:
    return visit.request.query.get("q", "").strip()[:TEXT_MAX]


def chat_path(ws: str, chat_id: str) -> str:
    return f"/console/w/{ws}/chats/{quote(chat_id, safe='')}"
