"""The feed's own socket: one line of JSON says what is wanted, then frames come until either side
has had enough.

    client   {"hello": 1, "format": "ndjson", "since": "-1h", "types": ["delivery.*"]} and a newline
    server   hello, then events, a ping every now and then, a gap where events are gone

NDJSON frames are lines of JSON; a newline in a text is escaped there, so nothing a text says can
look like a frame. MessagePack frames are maps behind their length, four bytes big-endian. A client
may close its half of the connection after its hello; what else it sends is not looked at. One that
closes all of it has left, and its place is free at once.
"""

import asyncio
import select
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import structlog

from hookbundle import __version__
from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, InvalidInput, Overloaded
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import parsing
from hookbundle.server.feed.frames import Encode, Frame, Hello, Refusal
from hookbundle.server.feed.source import Source
from hookbundle.server.http.listeners import unix_socket
from hookbundle.server.http.problems import fault_out
from hookbundle.server.http.sockets.socket_files import Identity, identity_of, remove
from hookbundle.storage.reads.feed_selection import Selection

PROTOCOL = 1
HELLO_BYTES_MAX = 32 * 1024
BACKLOG = 128
SINCE_CHARS_MAX = 8_192  # a cursor of 256 partitions
LENGTH = struct.Struct(">I")

WorkspaceId = Annotated[str, msgspec.Meta(max_length=limits.WORKSPACE_ID_CHARS_MAX)]
WebhookId = Annotated[str, msgspec.Meta(max_length=64)]
ChatId = Annotated[str, msgspec.Meta(max_length=limits.CHAT_ID_BYTES_MAX)]
Glob = Annotated[str, msgspec.Meta(max_length=64)]

log = structlog.get_logger(__name__)


class HelloIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a subscriber wants; no workspaces, types, webhooks or chats: all of them."""

    hello: Literal[1]
    format: Literal["msgpack", "ndjson"] = "ndjson"
    since: Annotated[str, msgspec.Meta(max_length=SINCE_CHARS_MAX)] = "now"
    workspaces: Annotated[tuple[WorkspaceId, ...], msgspec.Meta(max_length=256)] = ()
    types: Annotated[tuple[Glob, ...], msgspec.Meta(max_length=64)] = ()
    webhooks: Annotated[tuple[WebhookId, ...], msgspec.Meta(max_length=256)] = ()
    chats: Annotated[tuple[ChatId, ...], msgspec.Meta(max_length=256)] = ()


class FormatIn(msgspec.Struct, frozen=True):
    """As much of a hello as it takes to answer a faulty one in the right format."""

    format: str = "ndjson"


class FeedSocket:
    """The open socket; `close()` after the feed itself has been closed."""

    def __init__(self, feed: Source, places: FairLimit[str], path: Path) -> None:
        self._feed = feed
        self._places = places
        self.path = path
        self.identity: Identity | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open_again(self) -> None:
        """Listens, from now on on a new socket. Raises: ConfigError if the socket can't be made."""
        server = await asyncio.start_unix_server(
            self._serve, sock=unix_socket(self.path), limit=HELLO_BYTES_MAX, backlog=BACKLOG
        )
        before, self._server, self.identity = self._server, server, identity_of(self.path)
        if before is not None:
            before.close()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            remove(self)
        tasks = list(self._tasks)
        for task in tasks:  # those that have not said hello yet
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writer.transport.set_write_buffer_limits(high=self._feed.config.buffer_bytes)
        try:
            await self._talk(reader, writer)
        except ConnectionError:
            pass  # the subscriber has left
        except TimeoutError:
            log.warning("feed reader cut off: it took nothing", seconds=self._feed.config.blocked_s)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()  # what had to be written has been, or never will be

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Raises: TimeoutError, ConnectionError."""
        encode: Encode = as_line
        try:
            line = await self._first_line(reader)
            encode = ENCODERS.get(_format_of(line), as_line)
            hello = parsing.parse_as(line, HelloIn)
            # Each connection is an owner: who can open the socket may have what is free.
            with self._places.holding(f"connection {id(writer)}"):
                selection = await self._feed.chosen(
                    hello.workspaces,
                    hello.types,
                    hello.webhooks,
                    hello.chats,
                    place="{}s[{}]".format,
                )
                await self._pass_on(hello.since, selection, reader, writer, encode)
        except HookbundleError as exc:
            async with asyncio.timeout(self._feed.config.blocked_s):
                await _write_to(writer, encode(refusal(exc)))
                await _finish(writer)

    async def _pass_on(
        self,
        since: str,
        selection: Selection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        encode: Encode,
    ) -> None:
        """Everything from there on has been written. Raises: InvalidInput, TimeoutError ..."""
        write = partial(_write_to, writer)
        async with self._feed.subscribed(since, selection, writer.transport) as subscription:
            watch = asyncio.create_task(_watch(reader, writer, subscription.leave))
            try:
                first = Hello(PROTOCOL, __version__, subscription.cursor)
                await subscription.send(encode(first), write)
                await subscription.pass_on(encode, write)
                await _finish(writer)
            finally:
                watch.cancel()

    async def _first_line(self, reader: asyncio.StreamReader) -> bytes:
        """Raises: InvalidInput if no whole line came in time; Overloaded if there is no room."""
        most = self._feed.config.subscribers_max
        if len(self._tasks) > most:
            raise Overloaded.of(Code.FEED_FULL, most=most)
        hello_s = self._feed.config.hello_s
        try:
            async with asyncio.timeout(hello_s):
                return await reader.readuntil(b"\n")
        except TimeoutError:
            wrong = fault("", FaultCode.HELLO_TOO_LATE, seconds=f"{hello_s:g}")
        except asyncio.IncompleteReadError:
            wrong = fault("", FaultCode.HELLO_CUT_SHORT)
        except asyncio.LimitOverrunError:
            wrong = fault("", FaultCode.HELLO_TOO_LONG, most=HELLO_BYTES_MAX)
        raise InvalidInput((wrong,))


def as_line(frame: Frame) -> bytes:
    return msgspec.json.encode(frame) + b"\n"


def as_msgpack(frame: Frame) -> bytes:
    encoded = msgspec.msgpack.encode(frame)
    return LENGTH.pack(len(encoded)) + encoded


ENCODERS: dict[str, Encode] = {"ndjson": as_line, "msgpack": as_msgpack}


def refusal(error: HookbundleError) -> Refusal:
    faults = error.faults if isinstance(error, InvalidInput) else ()
    return Refusal(str(error), [fault_out(fault) for fault in faults], error.code)


def _format_of(line: bytes) -> str:
    try:
        return parsing.parse_as(line, FormatIn).format
    except InvalidInput:
        return "ndjson"


async def _watch(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, leave: Callable[[], None]
) -> None:
    """`leave` is called if the subscriber closes the connection, and not if it closes its half.

    One that closes first its half and then the rest is missed at the next write, and so is one that
    has sent a lot, which is not read on.
    """
    heard = 0
    try:
        while heard < HELLO_BYTES_MAX and (data := await reader.read(HELLO_BYTES_MAX)):
            heard += len(data)
    except ConnectionError:
        leave()
        return
    end = select.poll()
    end.register(writer.get_extra_info("socket"), 0)
    if any(event & select.POLLHUP for _, event in end.poll(0)):
        leave()


async def _write_to(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _finish(writer: asyncio.StreamWriter) -> None:
    """Everything written is with the kernel."""
    writer.close()
    await writer.wait_closed()
