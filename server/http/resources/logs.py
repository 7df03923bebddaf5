"""The activity log and the detailed log of a workspace, of all its webhooks or of some.

The detailed log may have a hundred requests of a megabyte each. It is sent entry by entry, each
read and encoded when the one before has been taken. The log moves meanwhile: what it loses before
its turn is left out, and what comes after the beginning is not in it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakValueDictionary

import msgspec
import structlog
from aiohttp import web

from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import not_one_of
from hookbundle.server.http.large_answers import LARGE_ANSWERS
from hookbundle.server.http.parameters.searches import (
    STATUS_MEANING,
    WEBHOOK,
    statuses_of,
    webhooks_of,
)
from hookbundle.server.http.parameters.times import time_of, time_query
from hookbundle.server.http.requests import hint_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.schemas.logs import (
    ActionOut,
    ExchangeOut,
    action_out,
    damaged_exchange,
    exchange_out,
)
from hookbundle.storage.database.delivery_records import Exchange
from hookbundle.storage.reads.log_walk import LogWalk
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.searching.wanted import Statuses

NDJSON = "application/x-ndjson"
FORMATS = ("json", "ndjson")

log = structlog.get_logger(__name__)

FORMAT = Query(
    name="format", meaning="if not given, as `Accept` says", kind=Literal["json", "ndjson"]
)
CHAT = Query(name="chat", meaning="only requests of this chat, by its id")
STATUS = Query(name="status", meaning=f"only with this answer: {STATUS_MEANING}")
SINCE = time_query("since", "only requests made then or later")


@dataclass(frozen=True, slots=True)
class Entries:
    """Which entries of the log are wanted; one that can't be read is, whatever it was."""

    chat: str | None
    statuses: Statuses | None
    since_ms: int

    def have(self, exchange: Exchange) -> bool:
        result = exchange.result
        return (
            result.at_ms >= self.since_ms
            and (self.chat is None or exchange.chat_id == self.chat)
            and (self.statuses is None or self.statuses.take(result.status))
        )


@dataclass(frozen=True, slots=True)
class Logs:
    reads: Reads
    clock: Clock
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def routes(self) -> list[Route]:
        one = "/v1/workspaces/{ws}"
        return [
            Route(
                method="GET",
                path=f"{one}/activity",
                handler=self.activity,
                name="list_activity",
                summary="The ten most recent actions, newest first",
                answer=list[ActionOut],
                query=(WEBHOOK,),
                refusals=(404,),
            ),
            Route(
                method="GET",
                path=f"{one}/log",
                handler=self.log,
                name="download_log",
                summary="The hundred most recent requests in full, newest first, as a download",
                answer=list[ExchangeOut],
                also_media=(NDJSON,),
                query=(FORMAT, WEBHOOK, CHAT, STATUS, SINCE),
                refusals=(404, 422, 429, 503),
            ),
        ]

    async def activity(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/activity?webhook=`"""
        found = self.reads.activity_joined(request.match_info["ws"], webhooks_of(request))
        return json_response(list(map(action_out, found)))

    async def log(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/workspaces/{ws}/log?webhook=&chat=&status=&since=`, as a download."""
        workspace_id = request.match_info["ws"]
        ndjson = _wants_ndjson(request)
        wanted = Entries(
            chat=request.query.get("chat") or None,
            statuses=statuses_of(request, "status"),
            since_ms=time_of(request, "since", self.clock.now_ms()) or 0,
        )
        walk = LogWalk.begin(self.reads.env, workspace_id, webhooks_of(request))
        media, ending = (
            ("application/x-ndjson", "ndjson") if ndjson else ("application/json", "json")
        )
        response = web.StreamResponse(
            headers={
                "Content-Type": media,
                "Content-Disposition": f'attachment; filename="{workspace_id}-log.{ending}"',
                "Cache-Control": "no-store",
            },
        )
        lines = self._lines(request, walk, wanted)
        parts = _with_newlines(lines) if ndjson else _as_array(lines)
        return await request.app[LARGE_ANSWERS].streamed(request, response, parts)

    async def _lines(
        self, request: web.Request, walk: LogWalk, wanted: Entries
    ) -> AsyncIterator[bytes]:
        """The entries that are still there when their turn comes, as JSON.

        Readers of a workspace take turns, so that all of them together keep one thread busy.
        Raises: ConnectionError if the reader has left.
        """
        turn = self._turns.setdefault(walk.workspace_id, asyncio.Lock())
        while True:
            async with turn:
                if request.transport is None:
                    raise ConnectionResetError("the reader has left")
                # A request may have a megabyte: it is neither read nor encoded on the loop.
                line = await asyncio.to_thread(_line, walk, wanted)
            if line is None:
                return
            if line:
                yield line


def _line(walk: LogWalk, wanted: Entries) -> bytes | None:
    """The next entry as JSON; empty if it is not wanted; None after the last one."""
    found = walk.next()
    if found is None:
        return None
    if found.exchange is None:
        log.error("log entry not read", entry=found.number, error=found.error)
        return msgspec.json.encode(damaged_exchange(found.webhook_id))
    if not wanted.have(found.exchange):
        return b""
    return msgspec.json.encode(exchange_out(found.exchange, found.webhook_id))


async def _as_array(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    before = b"["
    async for line in lines:
        yield before
        yield line
        before = b","
    yield b"[]" if before == b"[" else b"]"


async def _with_newlines(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for line in lines:
        yield line
        yield b"\n"


def _wants_ndjson(request: web.Request) -> bool:
    wanted = request.query.get("format")
    if wanted is None:
        return "ndjson" in hint_of(request, "Accept")
    if wanted not in FORMATS:
        raise InvalidInput((not_one_of("format", FORMATS, wanted),))
    return wanted == "ndjson"
