"""The API of open windows: list, show, flush.

Each chat seals its own window: it is sent `Flush`, behind the messages that it was sent
before, and answers when its window is a delivery on disk.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from aiohttp import web

from hookbundle.actors.chat import ChatKey, Flush
from hookbundle.engine import durations, limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import InvalidInput, NotFound, quoted
from hookbundle.engine.faults import FaultCode, fault, no_duration
from hookbundle.engine.messages.changes import CloseIn
from hookbundle.server.http.lists import LISTS, LOOP_SHARE
from hookbundle.server.http.parameters.searches import WEBHOOK, webhooks_of
from hookbundle.server.http.replies.sealing import SealReply
from hookbundle.server.http.requests import (
    CURSOR,
    LIMIT,
    body_of,
    cursor_of,
    limit_of,
    position_of,
)
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.schemas.chats import ChatOut, ChatsOut, FlushedOut, chat_out
from hookbundle.storage.reads.chats.due_order import DueOrder
from hookbundle.storage.reads.listing import Listing, OpenWindow, Page
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.sealing import Sealed

FLUSHED_AT_ONCE = 200
CHATS, DUE, BY_DUE = "chats", "due", "by due"  # lists, each with positions of its own
WITHIN = Query(name="due_within", meaning="only those due within this time, as `1h`")
OF_WEBHOOK = Query(
    name="webhook",
    meaning="that of this webhook, by its id; without it, that of `outbound`, or else the oldest's",
)
ORDERS = ("chat", "due")
ORDER = Query(
    name="order",
    meaning="`due`: the first due comes first; without it, in the order of chat ids",
    kind=Literal["chat", "due"],
)
WORDS = Query(
    name="q",
    meaning="only chats whose id, name or phone contains this; their order is then by due time",
)


@dataclass(frozen=True, slots=True)
class Chats:
    reads: Reads
    listing: Listing
    clock: Clock
    product_name: Callable[[], str]
    tell_chat: Callable[[ChatKey, Flush], None]
    due_order: Callable[[str, int, bytes, str, int | None, tuple[str, ...]], DueOrder]

    def routes(self) -> list[Route]:
        of_workspace = "/v1/workspaces/{ws}/chats"
        return [
            Route(
                method="GET",
                path="/v1/chats",
                handler=self.index_of_all,
                name="list_all_chats",
                summary="Open windows of all workspaces, in the order in which they fall due",
                answer=ChatsOut,
                query=(LIMIT, CURSOR, WITHIN),
                refusals=(422, 429),
            ),
            Route(
                method="GET",
                path=of_workspace,
                handler=self.index,
                name="list_chats",
                summary="Open windows, by chat id or in the order in which they fall due",
                answer=ChatsOut,
                query=(LIMIT, CURSOR, WITHIN, ORDER, WORDS, WEBHOOK),
                refusals=(404, 422, 429),
            ),
            Route(
                method="GET",
                path=f"{of_workspace}/{{chat}}",
                handler=self.show,
                name="get_chat",
                summary="A chat's open window, with the bundle as it would be sent",
                answer=ChatOut,
                query=(OF_WEBHOOK,),
                refusals=(404,),
            ),
            Route(
                method="POST",
                path=f"{of_workspace}/flush",
                handler=self.flush_all,
                name="flush_chats",
                summary="Seal all open windows now, or those of a page if there is a limit",
                answer=FlushedOut,
                query=(LIMIT, CURSOR, WEBHOOK),
                refusals=(404, 422, 429, 503, 507),
            ),
            Route(
                method="POST",
                path=f"{of_workspace}/{{chat}}/flush",
                handler=self.flush,
                name="flush_chat",
                summary="Seal the chat's open windows now",
                answer=FlushedOut,
                query=(WEBHOOK,),
                refusals=(404, 503, 507),
            ),
            Route(
                method="POST",
                path=f"{of_workspace}/{{chat}}/close",
                handler=self.close,
                name="close_chat",
                summary="Seal the chat's open windows now, because the conversation is over",
                body=CloseIn,
                answer=FlushedOut,
                refusals=(404, 422, 503, 507),
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/chats?limit=&cursor=&due_within=&order=&q=&webhook=`"""
        due_by_ms = self._due_by_ms(request)
        limit = limit_of(request, 100)
        if _is_by_due(request):
            found = await self.by_due(request, limit, due_by_ms)
            page = Page(list(map(chat_out, found.found)), found.position)
            return _page(page, BY_DUE)
        position = position_of(request, CHATS)
        read = partial(
            self.listing.windows,
            request.match_info["ws"],
            due_by_ms=due_by_ms,
            webhook_ids=webhooks_of(request),
        )
        page = await request.app[LISTS].page(request, read, chat_out, limit, position)
        return _page(page, CHATS)

    async def by_due(
        self, request: web.Request, limit: int, due_by_ms: int | None = None
    ) -> DueOrder:
        """A page of the workspace's windows in the order in which they fall due.

        `?q=`, `?webhook=` and `?cursor=` are the request's. Raises: NotFound; TooManyRequests;
        Overloaded.
        """
        position = position_of(request, BY_DUE)
        ws, words = request.match_info["ws"], words_of(request)
        webhooks = webhooks_of(request)
        found = self.due_order(ws, limit, position, words, due_by_ms, webhooks)
        await request.app[LISTS].whole(request, found.read_on)
        return found

    async def index_of_all(self, request: web.Request) -> web.Response:
        """`GET /v1/chats?limit=&cursor=&due_within=`"""
        due_by_ms = self._due_by_ms(request)
        limit, position = limit_of(request, 100), position_of(request, DUE)
        read = partial(self.listing.windows_by_due, due_by_ms=due_by_ms)
        page = await request.app[LISTS].page(request, read, chat_out, limit, position)
        return _page(page, DUE)

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/chats/{chat}?webhook=`"""
        workspace_id, chat_id = request.match_info["ws"], _chat_of(request)
        webhook_id = request.query.get("webhook", "")
        # A thousand messages are rendered for the look of it: not on the loop. One at a time for a
        # workspace: there are a few threads, for all.
        async with request.app[LOOP_SHARE].one_of(("preview", workspace_id)):
            found = await asyncio.to_thread(
                self.reads.preview, workspace_id, chat_id, self.product_name(), webhook_id
            )
        return json_response(chat_out(found.window, found.body or None, found.windows))

    async def flush(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/chats/{chat}/flush?webhook=`; without it, of all webhooks."""
        workspace_id, chat_id = request.match_info["ws"], _chat_of(request)
        view = self.reads.workspace(workspace_id)
        # Those without a window, too: what the chat was sent before may open one.
        places = [(each.webhook.number, chat_id) for each in view.chosen(webhooks_of(request))]
        sealed = await self._seal(view.settings.number, places)
        counts = [each.messages for each in sealed if each.messages]
        if not counts and not any(each.empty for each in sealed):
            raise NotFound.of(Code.NO_WINDOW, chat=chat_id, workspace=workspace_id)
        return json_response(FlushedOut(len(counts), sum(counts)))

    async def close(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/chats/{chat}/close` `{"reason"}`; without a body, for none."""
        self.reads.workspace_number(request.match_info["ws"])
        asked = await body_of(request, CloseIn)
        return json_response(await self.close_for(request, asked.reason or ""))

    async def close_for(self, request: web.Request, reason: str) -> FlushedOut:
        """The chat that the request's path names. Raises: NotFound, also without a window."""
        workspace_id, chat_id = request.match_info["ws"], _chat_of(request)
        number = self.reads.workspace_number(workspace_id)
        reply = SealReply(asyncio.get_running_loop().create_future())
        self.tell_chat(ChatKey(number, chat_id), Flush(reply, reason="close", note=reason))
        sealed = await reply.sealed
        if not sealed.windows:
            raise NotFound.of(Code.NO_WINDOW, chat=chat_id, workspace=workspace_id)
        return FlushedOut(sealed.windows, sealed.messages)

    async def flush_all(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/chats/flush?limit=&cursor=&webhook=`; without a limit, all."""
        workspace_id, webhooks = request.match_info["ws"], webhooks_of(request)
        number = self.reads.workspace_number(workspace_id)
        left = limit_of(request, 1) if "limit" in request.query else None
        position: bytes | None = position_of(request, CHATS)
        windows = messages = 0
        while position is not None and left != 0:
            at_once = min(FLUSHED_AT_ONCE, left or FLUSHED_AT_ONCE)
            read = partial(self.listing.windows, workspace_id, webhook_ids=webhooks)
            page = await request.app[LISTS].page(request, read, _place_of, at_once, position)
            for sealed in await self._seal(number, page.found):
                windows += sealed.messages > 0
                messages += sealed.messages
            position = page.position
            left = None if left is None else left - len(page.found)
        return json_response(FlushedOut(windows, messages, cursor_of(position, CHATS)))

    async def _seal(self, workspace_number: int, places: Iterable[tuple[int, str]]) -> list[Sealed]:
        """What the sealing of each window came to; a place is a webhook's number and a chat.

        Raises: HookbundleError, the first one.
        """
        replies = []
        for webhook, chat_id in places:
            reply = SealReply(asyncio.get_running_loop().create_future())
            self.tell_chat(ChatKey(workspace_number, chat_id), Flush(reply, webhook))
            replies.append(reply.sealed)
        outcomes = await asyncio.gather(*replies, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, Sealed)]

    def _due_by_ms(self, request: web.Request) -> int | None:
        within = request.query.get("due_within")
        if within is None:
            return None
        try:
            return self.clock.now_ms() + durations.parse_ms(within)
        except ValueError:
            raise InvalidInput((no_duration("due_within", within),)) from None


def _chat_of(request: web.Request) -> str:
    """Raises: NotFound for what can't be a chat's id."""
    chat_id = request.match_info["chat"]
    if len(chat_id.encode()) > limits.CHAT_ID_BYTES_MAX:
        raise NotFound.of(Code.NO_CHAT, chat=chat_id, most=limits.CHAT_ID_BYTES_MAX)
    return chat_id


def words_of(request: web.Request) -> str:
    """`?q=` as texts are compared with it."""
    return request.query.get("q", "").strip()[: limits.NAME_CHARS_MAX].casefold()


def _is_by_due(request: web.Request) -> bool:
    """Raises: InvalidInput."""
    order = request.query.get("order", ORDERS[0])
    if order not in ORDERS:
        allowed = ", ".join(ORDERS)
        raise InvalidInput(
            (fault("order", FaultCode.NOT_ONE_OF, allowed=allowed, value=quoted(order)),)
        )
    return order == "due" or bool(words_of(request))


def _place_of(window: OpenWindow) -> tuple[int, str]:
    return window.number, window.chat_id


def _page(page: Page[ChatOut], of: str) -> web.Response:
    return json_response(ChatsOut(page.found, cursor_of(page.position, of)))
