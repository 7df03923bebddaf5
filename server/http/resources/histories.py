"""The API of what became of messages: of one, and of those of a chat.

Bodies have to be read for it, up to megabytes an answer: in a thread that rests, one at a time for
an owner.
"""

from collections.abc import Generator
from dataclasses import dataclass
from zlib import crc32

from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import InvalidInput, NotFound
from hookbundle.engine.fairness.loop_share import with_rests
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages.became import BecameCode
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.parameters.times import check_order, time_of, time_query
from hookbundle.server.http.requests import CURSOR, LIMIT, cursor_of, limit_of, position_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.schemas.histories import (
    EXAMPLE_OF_HISTORY,
    EXAMPLE_OF_PATH,
    HistoryOut,
    MessagePathOut,
    group_out,
    path_out,
)
from hookbundle.server.http.schemas.times import iso_or_none
from hookbundle.storage.reads.paths.asking import END, POSITION, Moment, Span
from hookbundle.storage.reads.paths.chat_history import ChatHistory
from hookbundle.storage.reads.paths.message_path import MessagePaths
from hookbundle.storage.reads.paths.of_chat import Group

AROUND_MOST = 5
MARK_BYTES, TIME_BYTES = 4, 8
CHAT = Query(
    name="chat",
    meaning="the message's chat; needed, for ids are unique within it only",
    required=True,
)
SINCE = time_query("since", "only messages that arrived then or later")
UNTIL = time_query("until", "only messages that arrived before that")
NOWHERE = (BecameCode.NEVER_CAME, BecameCode.TRIMMED)


@dataclass(frozen=True, slots=True)
class Histories:
    """`alive_since_ms`: attempts that began before it ended with the daemon that made them."""

    history: ChatHistory
    paths: MessagePaths
    clock: Clock
    alive_since_ms: int

    def routes(self) -> list[Route]:
        return [
            Route(
                method="GET",
                path="/v1/workspaces/{ws}/chats/{chat}/history",
                handler=self.of_chat,
                name="get_chat_history",
                summary="What became of a chat's messages, newest first",
                answer=HistoryOut,
                query=(SINCE, UNTIL, LIMIT, CURSOR),
                refusals=(404, 422, 429),
                example=EXAMPLE_OF_HISTORY,
            ),
            Route(
                method="GET",
                path="/v1/workspaces/{ws}/messages/{message_id}",
                handler=self.of_message,
                name="get_message",
                summary="What became of a message, and of each attempt to deliver it",
                answer=MessagePathOut,
                query=(CHAT, CURSOR),
                refusals=(404, 422, 429),
                example=EXAMPLE_OF_PATH,
            ),
        ]

    async def of_chat(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/chats/{chat}/history?since=&until=&limit=&cursor=`"""
        workspace_id, chat_id = request.match_info["ws"], _chat_of(request.match_info["chat"])
        asked = (request.query.get(SINCE.name), request.query.get(UNTIL.name))
        limit, mark = limit_of(request, 50), _mark(workspace_id, chat_id, asked)
        moment = self._moment()
        asked_ms, position = _continued(request, mark, moment.now_ms)
        since_ms = time_of(request, SINCE.name, asked_ms)
        until_ms = time_of(request, UNTIL.name, asked_ms)
        check_order(since_ms, until_ms)
        span = Span(since_ms or 0, END if until_ms is None else until_ms)

        def read() -> Generator[None, None, web.Response]:
            page = yield from self.history.page(
                workspace_id, chat_id, span, moment, limit, position
            )
            groups = []
            for group in page.found:
                groups.append(group_out(group))
                yield
            answer = HistoryOut(
                workspace=workspace_id,
                chat_id=chat_id,
                groups=groups,
                cursor=_cursor_of(page.position, mark, asked_ms),
                searched_to=iso_or_none(page.searched_to_ms),
                history_since=iso_or_none(page.known.history_ms or 0),
                feed_since=iso_or_none(page.known.feed_ms or 0),
            )
            return json_response(answer)

        return await request.app[LISTS].in_thread(request, lambda: with_rests(read()))

    async def of_message(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/messages/{message_id}?chat=&cursor=`"""
        workspace_id, message_id = request.match_info["ws"], request.match_info["message_id"]
        if not request.query.get("chat"):
            raise InvalidInput((fault("chat", FaultCode.CHAT_WANTED),))
        chat_id = _chat_of(request.query["chat"])
        mark = _mark(workspace_id, chat_id, message_id)
        moment = self._moment()
        asked_ms, position = _continued(request, mark, moment.now_ms)

        def read() -> Generator[None, None, web.Response]:
            around = list[Group]()
            path = yield from self.paths.path(workspace_id, chat_id, message_id, moment, position)
            if path.became is not None and path.became.code in NOWHERE:
                newest = yield from self.history.page(
                    workspace_id, chat_id, Span(), moment, AROUND_MOST
                )
                around = newest.found
            cursor = _cursor_of(path.position, mark, asked_ms)
            return json_response(path_out(workspace_id, chat_id, message_id, path, around, cursor))

        return await request.app[LISTS].in_thread(request, lambda: with_rests(read()))

    def _moment(self) -> Moment:
        return Moment(self.clock.now_ms(), self.alive_since_ms)


def _chat_of(chat_id: str) -> str:
    """Raises: NotFound for what can't be a chat's id."""
    if len(chat_id.encode()) > limits.CHAT_ID_BYTES_MAX:
        raise NotFound.of(Code.NO_CHAT, chat=chat_id, most=limits.CHAT_ID_BYTES_MAX)
    return chat_id


def _mark(*asked: object) -> bytes:
    """Stands for what was asked: a cursor of another question means nothing."""
    return crc32(repr(asked).encode()).to_bytes(MARK_BYTES, "big")


def _continued(request: web.Request, mark: bytes, now_ms: int) -> tuple[int, bytes]:
    """When the first page was asked for, from which ages count, and where the next one begins.

    Raises: InvalidInput.
    """
    cursor = position_of(request, "histories")
    if not cursor:
        return now_ms, b""
    if cursor[:MARK_BYTES] != mark or len(cursor) != MARK_BYTES + TIME_BYTES + POSITION.size:
        raise InvalidInput((fault("cursor", FaultCode.NO_CURSOR),))
    asked_ms = int.from_bytes(cursor[MARK_BYTES : MARK_BYTES + TIME_BYTES], "big")
    return min(asked_ms, now_ms), cursor[MARK_BYTES + TIME_BYTES :]


def _cursor_of(position: bytes | None, mark: bytes, asked_ms: int) -> str | None:
    whole = None if position is None else mark + asked_ms.to_bytes(TIME_BYTES, "big") + position
    return cursor_of(whole, "histories")
