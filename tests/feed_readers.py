"""Readers of the event feed, as tests need them: quick ones, and one that takes nothing."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from hookbundle.engine.clock import SystemClock
from hookbundle.server.daemon.process import Daemon
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.tests import in_process
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import until
from hookbundle.tests.storage.noting import note_of

BRISK = FeedConfig(pace_s=0.0, end_within_s=0.2)
FEW = 4_096  # bytes of a buffer that is soon full
LONG = "x" * 500  # of a note, so that a few hundred of them fill what the kernel buffers

Frame = dict[str, Any]


@dataclass(slots=True)
class Home(in_process.Api):
    """A daemon whose feed nobody reads but the test."""

    daemon: Daemon

    @property
    def feed_path(self) -> str:
        return str(self.daemon.config.listeners.feed_path)

    @property
    def last_seq(self) -> int:
        return self.daemon.partition.feed.next - 1

    def cursor(self, seq: int) -> str:
        return self.daemon.partition.feed.reader.cursor(seq)

    async def set_up(self, ws: str, **hook: Any) -> None:
        """The workspace is there, with these settings of its webhook."""
        settings = {"webhook": hook}
        answer = await self.ask("PATCH", f"/v1/workspaces/{ws}", settings)
        if answer.status == 404:
            answer = await self.ask("POST", "/v1/workspaces", {"id": ws, **settings})
        assert answer.status in (200, 201), answer

    async def send(self, ws: str, chat_id: str, *message_ids: str) -> None:
        await self.accept(ws, *(in_process.event(each, chat_id) for each in message_ids))

    async def note(self, *details: str) -> None:
        """There is a fact of each in the feed."""
        now_ms = self.daemon.clock.now_ms()
        notes = (note_of("noted", detail, now_ms) for detail in details)
        await asyncio.gather(*map(self.daemon.partition.store_queue.done, notes))


@asynccontextmanager
async def home(folder: Path, **changes: Any) -> AsyncIterator[Home]:
    config = in_process.config_of(folder, **{"feed": BRISK, **changes})
    async with AsyncExitStack() as closing:
        daemon = Daemon(config, SystemClock())
        await daemon.start()
        closing.push_async_callback(daemon.stop)
        api = await closing.enter_async_context(in_process.connected(config.listeners.socket_path))
        yield Home(api, daemon)


@dataclass
class Subscriber:
    """The other end: says hello, and hears frames."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    format: str = "ndjson"

    async def hear(self) -> Frame | None:
        """The next frame; None if there are no more. Half a frame at the end is none."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                if self.format == "ndjson":
                    found: Frame = json.loads(await self.reader.readuntil(b"\n"))
                else:
                    (length,) = struct.unpack(">I", await self.reader.readexactly(4))
                    found = msgpack.unpackb(await self.reader.readexactly(length))
                return found
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def hear_of(self, kind: str) -> Frame:
        """The next frame of this type."""
        while (frame := await self.hear()) is not None:
            if frame["type"] == kind:
                return frame
        raise AssertionError(f"the feed ended without {kind}")

    async def hear_until(self, seq: int) -> list[Frame]:
        """Everything up to the event of this number."""
        frames: list[Frame] = []
        while not frames or frames[-1].get("seq", 0) < seq:
            frame = await self.hear()
            assert frame is not None, frames[-1:]
            frames.append(frame)
        return frames

    async def hear_all(self) -> list[Frame]:
        """Everything up to the end."""
        frames = []
        while (frame := await self.hear()) is not None:
            frames.append(frame)
        return frames


@asynccontextmanager
async def connected(path: str, hello: bytes, format: str = "ndjson") -> AsyncIterator[Subscriber]:
    reader, writer = await asyncio.open_unix_connection(path, limit=2**24)
    try:
        writer.write(hello)
        yield Subscriber(reader, writer, format)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def subscribed(home: Home, **wanted: Any) -> AsyncIterator[Subscriber]:
    """The server's hello is the first frame."""
    line = json.dumps({"hello": 1, **wanted}).encode() + b"\n"
    async with connected(home.feed_path, line, wanted.get("format", "ndjson")) as subscriber:
        yield subscriber


@asynccontextmanager
async def stuck(home: Home) -> AsyncIterator[Callable[[], Awaitable[Subscriber]]]:
    """Subscribes from the oldest on, and takes nothing from the socket before it is called."""
    async with AsyncExitStack() as closing:
        sock = closing.enter_context(socket.socket(socket.AF_UNIX))
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, home.feed_path)
        await loop.sock_sendall(sock, b'{"hello":1,"since":"oldest"}\n')
        await until(lambda: home.daemon.partition.feed.subscribers > 0)

        async def taking() -> Subscriber:
            reader, writer = await asyncio.open_unix_connection(sock=sock, limit=2**24)
            closing.callback(lambda: writer.transport.abort())  # and it lives until then
            return Subscriber(reader, writer)

        yield taking


def seqs(frames: list[Frame]) -> list[int]:
    return [frame["seq"] for frame in frames if "seq" in frame]
