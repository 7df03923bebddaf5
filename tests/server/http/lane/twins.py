"""Two daemons that differ in nothing but the lane, and what each says to the same bytes."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import aiohttp

from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.lane.lane import Lane
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.wire import Connection, OwnServer
from hookbundle.storage.transitions.tokens import CreateToken, digest_of
from hookbundle.tests.in_process import System, daemon_in, event

Way = Literal["socket", "tcp"]
TOKEN = "hbt_of_the_twins"
# What has no end ends by these, and so does each conversation.
LIMITS = GuardLimits(header_s=1.0, idle_s=2.0, unread_s=5.0)
BODY_S = 1.0
QUIET_S = 0.2
ENDS_S = 20.0
LAST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
VARYING = (
    (re.compile(rb"Date: [^\r]*"), b"Date: now"),
    (re.compile(rb"X-Request-Id: [0-9a-f]{16}"), b"X-Request-Id: some"),
    (re.compile(rb'"request_id":"[0-9a-f]{16}"'), b'"request_id":"some"'),
)


def message(number: int, **changes: Any) -> bytes:
    return json.dumps(event(f"m{number}", **changes)).encode()


def head(workspace: str, *more: bytes, kind: bytes = b"application/json") -> bytes:
    """All of a head but the header that says the body's length, and the empty line."""
    lines = (
        b"POST /v1/workspaces/%b/messages HTTP/1.1" % workspace.encode(),
        b"Host: localhost",
        b"Authorization: Bearer %b" % TOKEN.encode(),
        b"Content-Type: %b" % kind,
        *more,
    )
    return b"\r\n".join(lines) + b"\r\n"


def request(workspace: str, body: bytes, *more: bytes, kind: bytes = b"application/json") -> bytes:
    return head(workspace, *more, kind=kind) + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a client sends, piece by piece. `answered`: after so many it has the answer to each.

    `rests`: it waits between the others, for an answer or until the daemon is quiet.
    """

    name: str
    pieces: Sequence[bytes]
    way: Way = "tcp"
    answered: int = 0
    rests: bool = True
    quiet_s: float = QUIET_S


@dataclass(frozen=True, slots=True)
class Twin:
    system: System

    async def line(self, way: Way) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        listeners = self.system.daemon.listeners
        if way == "socket":
            return await asyncio.open_unix_connection(str(listeners.path))
        assert listeners.tcp is not None
        return await asyncio.open_connection(*listeners.tcp)

    async def says(self, said: Conversation) -> bytes:
        """All that comes back until the daemon hangs up, but for what differs with the moment."""
        reader, writer = await self.line(said.way)
        answers = b""
        try:
            async with asyncio.timeout(ENDS_S):
                for number, piece in enumerate(said.pieces):
                    writer.write(piece)
                    if number < said.answered:
                        answers += await _answer(reader)
                    elif said.rests:
                        answers += await _so_far(reader, said.quiet_s)
                writer.write(LAST)
                answers += await _rest(reader)
        except TimeoutError:
            answers += b"(open)"
        finally:
            writer.transport.abort()
        for pattern, instead in VARYING:
            answers = pattern.sub(instead, answers)
        return answers

    async def chats(self, workspace: str) -> Any:
        """What it has of a workspace: the messages of each chat's window."""
        shown = await asked(self.system, "GET", f"/v1/workspaces/{workspace}/chats")
        return [(each["chat_id"], each["messages"]) for each in shown["chats"]]


async def _so_far(reader: asyncio.StreamReader, quiet_s: float) -> bytes:
    """One answer, or what has come when nothing comes any more."""
    try:
        async with asyncio.timeout(quiet_s):
            return await _answer(reader)
    except asyncio.IncompleteReadError as exc:
        return exc.partial
    except (TimeoutError, ConnectionError):
        return b""


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the daemon hangs up; it may have done so before the client has written."""
    got = b""
    try:
        while piece := await reader.read(2**16):
            got += piece
    except ConnectionError:
        got += bytes(reader._buffer)  # type: ignore[attr-defined]
    return got


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def twin_in(folder: Path, workspaces: Iterable[str], *, lane: bool) -> AsyncIterator[Twin]:
    listeners = ListenersConfig(
        folder / "run" / "control.sock", "127.0.0.1:0", guard=LIMITS, body_s=BODY_S
    )
    async with daemon_in(folder, listeners=listeners) as system:
        if not lane:
            server_of(system).connection = Connection
        hook = {"url": "http://127.0.0.1:8099/", "aggregation": "24h"}
        for workspace in workspaces:
            made = await asked(system, "PUT", f"/v1/workspaces/{workspace}", {"webhook": hook})
            assert made["id"] == workspace, made
        token = CreateToken(
            digest=digest_of(TOKEN), scope="intake", workspace_id="", now_ms=1, caller="test"
        )
        await system.daemon.partition.store_queue.done(token)
        yield Twin(system)


async def asked(system: System, method: str, path: str, document: object = None) -> Any:
    """The document of an answer, on a connection of its own: those that rest soon end."""
    connector = aiohttp.UnixConnector(str(system.daemon.listeners.path), force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, f"http://hookbundle{path}", json=document) as answer,
    ):
        return await answer.json()


def server_of(system: System) -> OwnServer:
    server = system.daemon.listeners._runner.server
    assert isinstance(server, OwnServer)
    return server


def lane_of(system: System) -> Lane:
    made = server_of(system).connection
    assert isinstance(made, partial)
    lane = made.args[0]
    assert isinstance(lane, Lane)
    return lane


def count_taken(system: System, monkeypatch: Any) -> list[str]:
    """The workspaces of the requests that the lane has taken, from now on."""
    taken: list[str] = []
    take = Lane.take

    def counted(self: Lane, asked: Any, body: bytes, *, ndjson: bool) -> Any:
        found = take(self, asked, body, ndjson=ndjson)
        if found is not None and self is lane_of(system):
            taken.append(asked.workspace_id)
        return found

    monkeypatch.setattr(Lane, "take", counted)
    return taken
