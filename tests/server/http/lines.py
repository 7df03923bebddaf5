"""Connections by hand, to a daemon that listens on TCP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import System, daemon_in, event

NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Line:
    """A connection by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def hang_up(self) -> None:
        self.writer.transport.abort()

    async def answer(self) -> bytes:
        """Head and body of the next answer."""
        async with asyncio.timeout(TIMEOUT_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            return head + await self.reader.readexactly(length)

    async def ask(self, request: bytes) -> bytes:
        self.writer.write(request)
        return await self.answer()

    async def ended(self) -> bytes:
        """What came until the daemon hung up."""
        async with asyncio.timeout(TIMEOUT_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    async def trickle(self) -> None:
        """A byte at a time, for as long as they are taken."""
        async with asyncio.timeout(TIMEOUT_S):
            while not self.reader.at_eof():
                self.writer.write(b"x")
                try:
                    await asyncio.wait_for(self.reader.read(1), 0.02)
                except TimeoutError:
                    continue
                except ConnectionResetError:
                    return


def post(token: str, workspace: str, text: str = "yes") -> bytes:
    """A request with a message that no other has, whose head is as that of all others."""
    body = json.dumps(event(f"plain-{next(NUMBERS)}", text=text)).encode()
    head = f"POST /v1/workspaces/{workspace}/messages HTTP/1.1\r\nHost: localhost\r\n"
    kind = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return f"{head}{kind}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Street:
    """Where the connections come from."""

    def __init__(self, system: System, closing: AsyncExitStack) -> None:
        assert system.daemon.listeners.tcp is not None
        self.system = system
        self.address = system.daemon.listeners.tcp
        self._closing = closing

    @property
    def cuts(self) -> dict[str, int]:
        return dict(self.system.daemon.guard.cuts)

    async def line(self) -> Line:
        reader, writer = await asyncio.open_connection(*self.address)
        line = Line(reader, writer)
        self._closing.callback(line.hang_up)
        return line

    async def warm_line(self, token: str, workspace: str) -> Line:
        """A connection on which messages are taken by the lane, as the last one of it was."""
        taken = self.system.daemon.meters.lane
        before = taken.answered
        line = await self.line()
        for _ in range(2):
            assert b" 202 " in await line.ask(post(token, workspace))
        assert taken.answered == before + 1
        return line

    @property
    def bodies(self) -> FairLimit[str]:
        return self.system.daemon.fair_limits.bodies

    async def token(self, workspace: str = "") -> str:
        wanted = {"scope": "admin", **({"workspace": workspace} if workspace else {})}
        made = await self.system.ask("POST", "/v1/tokens", wanted)
        assert made.status == 201, made
        return str(made.document["token"])

    async def first_answers(self, lines: list[Line], count: int) -> list[bytes]:
        """The first so many answers on any of the lines; the others stay as they are."""
        tasks = [asyncio.create_task(line.answer()) for line in lines]
        answers: list[bytes] = []
        try:
            for task in asyncio.as_completed(tasks):
                answers.append(await task)
                if len(answers) == count:
                    break
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return answers

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Turns the loop until it is so."""
        async with asyncio.timeout(TIMEOUT_S):
            while not is_so():
                await asyncio.sleep(0)


@asynccontextmanager
async def street(folder: Path, limits: GuardLimits, body_s: float = 30.0) -> AsyncIterator[Street]:
    listeners = ListenersConfig(
        folder / "run" / "control.sock", "127.0.0.1:0", guard=limits, body_s=body_s
    )
    async with daemon_in(folder, listeners=listeners) as system, AsyncExitStack() as closing:
        yield Street(system, closing)
