"""The one connection of a process to the log servers: what is published, heard, asked on it.

It comes back whatever happens to the servers. What was asked on a connection that was lost ends
at once, without an answer: nobody knows what became of it.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from hookbundle.actors.replication.nats.client import (
    Heard,
    LogClient,
    Message,
    NoAnswer,
    Servers,
    Unreachable,
)
from hookbundle.engine.errors import in_words

log = structlog.get_logger(__name__)

ASK_WITHIN_S = 2.0
AGAIN_S = 1.0  # after a server has closed for good
WHYS_MAX = 8
LARGE_AT_ONCE = 2
NOTHING: Mapping[str, str] = {}


@dataclass(slots=True)
class ConnectionState:
    """`waiting`: the questions under way, by the last part of the subject of their answers.

    `subjects`: what is heard, for the next client. `why`: what went wrong since there was a
    connection, each kind once. `lost`: how often the connection was.
    """

    client: LogClient | None = None
    waiting: dict[str, "Answers"] = field(default_factory=dict)
    subjects: list[tuple[str, Heard]] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    asked: int = 0
    lost: int = 0
    was_up: bool = False
    is_closing: bool = False
    again: "asyncio.Task[None] | None" = None


class Answers:
    """What comes back to a question."""

    def __init__(self) -> None:
        self._come: deque[Message | None] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def add(self, message: Message | None) -> None:
        """None: the connection was lost."""
        self._come.append(message)
        self._wake()

    async def next(self, within_s: float) -> Message:
        """Raises: NoAnswer; Unreachable if nobody was there to answer."""
        if not self._come:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            alarm = loop.call_later(within_s, self._wake)
            try:
                await self._waiter
            finally:
                alarm.cancel()
                self._waiter = None
        if not self._come:
            raise NoAnswer(f"none within {within_s:g} s")
        message = self._come.popleft()
        if message is None:
            raise NoAnswer("the connection was lost")
        if message.status == "503":
            raise Unreachable("nobody is there to answer")
        return message

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection:
    """`open` and `close` it once. `name`: shown by the servers. `says`: it logs what goes wrong."""

    def __init__(self, servers: Servers, name: str, *, says: bool = True) -> None:
        self._says = says
        self._servers = servers
        self._name = name
        self._inbox = f"_INBOX.hb{secrets.token_hex(10)}"
        self.state = ConnectionState()
        self.large = asyncio.Semaphore(LARGE_AT_ONCE)
        """Held by who asks for an answer of megabytes. A server ends a connection for which 64 MiB
        wait, and beats would come late behind them."""

    async def open(self, within_s: float | None = None) -> None:
        """Connected. None: however long that takes.

        Raises: Unreachable if it took longer; OSError if certificates can't be read.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._open()
        except TimeoutError:
            why = "; ".join(self.state.why) or "no answer"
            await self.close()
            raise Unreachable(f"no log server could be reached: {why}") from None

    async def close(self) -> None:
        state = self.state
        state.is_closing = True
        if state.again is not None:
            state.again.cancel()
        if state.client is not None:
            await state.client.close()

    @property
    def is_up(self) -> bool:
        return self.state.client is not None and bool(self.state.client.is_connected)

    @property
    def tried(self) -> str:
        """The server that is connected, or was tried last, HOST:PORT; empty if none was."""
        return self.state.client.tried if self.state.client is not None else ""

    async def leave(self) -> None:
        """The client goes on with another server, if there is one; what was asked of this one ends
        without an answer."""
        client = self.state.client
        if client is not None:
            client.passed_over = client.tried
            await client.force_reconnect()

    @property
    def max_payload(self) -> int:
        """Bytes of a message with its headers; of the server that is connected."""
        return self._client.max_payload

    @property
    def server(self) -> dict[str, Any]:
        """What the connected server says of itself."""
        return self._client._server_info

    async def publish(
        self, subject: str, body: bytes, headers: Mapping[str, str] = NOTHING, reply_to: str = ""
    ) -> None:
        """Sent, and perhaps heard. Raises: Unreachable; NoAnswer: it may have been sent."""
        await self._client.tell(subject, body, headers, reply_to)

    async def subscribe(self, subject: str, heard: Heard) -> None:
        """`heard` gets each message from now on, on the loop, whatever happens to the connection.

        Raises: Unreachable; it is heard all the same once there is a server.
        """
        self.state.subjects.append((subject, heard))
        await self._client.hear(subject, heard)
        await self._settle()

    async def ask(
        self,
        subject: str,
        body: bytes,
        headers: Mapping[str, str] = NOTHING,
        within_s: float = ASK_WITHIN_S,
    ) -> Message:
        """The first answer. Raises: NoAnswer; Unreachable."""
        async with self.asking(subject, body, headers) as answers:
            return await answers.next(within_s)

    @asynccontextmanager
    async def asking(
        self, subject: str, body: bytes, headers: Mapping[str, str] = NOTHING
    ) -> AsyncIterator[Answers]:
        """For a question that has several answers. Raises: Unreachable; NoAnswer."""
        with self.answers() as (reply_to, answers):
            await self._client.tell(subject, body, headers, reply_to)
            yield answers

    @contextmanager
    def answers(self) -> Iterator[tuple[str, Answers]]:
        """A subject for answers to what is published, and what comes on it."""
        state = self.state
        state.asked += 1
        token = str(state.asked)
        answers = state.waiting[token] = Answers()
        try:
            yield f"{self._inbox}.{token}", answers
        finally:
            del state.waiting[token]

    # ---- the client

    @property
    def _client(self) -> LogClient:
        if self.state.client is None:
            raise Unreachable("there is no connection to a log server")
        return self.state.client

    async def _open(self) -> None:
        client = self.state.client = LogClient(self._servers)
        try:
            await client.begin(self._name, self._failed, self._lost, self._closed)
            await client.hear(f"{self._inbox}.*", self._answered)
            for subject, heard in self.state.subjects:
                await client.hear(subject, heard)
            await self._settle()
        except BaseException:
            await client.close()
            raise
        self.state.was_up = True
        self.state.why.clear()

    async def _settle(self) -> None:
        """The server has done what it was told: it has sent back something that came after it.

        The client's own `flush` overtakes what waits to be sent.
        """
        with self.answers() as (reply_to, answers):
            try:
                await self._client.tell(reply_to, b".", NOTHING, "")
                await answers.next(ASK_WITHIN_S)
            except NoAnswer as exc:
                raise Unreachable(str(exc)) from exc

    async def _failed(self, error: Exception) -> None:
        words = str(error) or in_words(error)
        said = f"{self.tried}: {words}"
        if said not in self.state.why and len(self.state.why) < WHYS_MAX:
            if self._says:
                log.warning("a log server could not be used", server=self.tried, why=words)
            self.state.why.append(said)

    async def _lost(self) -> None:
        self.state.lost += 1
        if self.state.was_up:
            self.state.why.clear()
        for answers in self.state.waiting.values():
            answers.add(None)

    async def _closed(self) -> None:
        state = self.state
        is_tried = state.again is not None and not state.again.done()
        if not state.is_closing and not is_tried:
            state.again = asyncio.get_running_loop().create_task(self._open_again())

    async def _open_again(self) -> None:
        while not self.is_up:
            await asyncio.sleep(AGAIN_S)
            try:
                await self._open()
            except (Unreachable, OSError):
                continue
            except Exception as exc:  # who ends this ends the node's connection for good
                log.error("a log server could not be used", exc_info=exc)

    def _answered(self, message: Message) -> None:
        answers = self.state.waiting.get(message.subject.rpartition(".")[2])
        if answers is not None:
            answers.add(message)
