"""What all stand-ins have: a server of its own on the loopback, limits, and what it took.

    async with HubSpot() as hubspot:
        ...post to hubspot.url...
        assert len(hubspot.taken) == 1

A stand-in follows the documents of its receiver, which its module names, and where these are silent
what others have seen; each such rule is marked "not documented".
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
from aiohttp import web

TIMEOUT_S = 20.0
BODY_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Heard:
    """A request and its answer; also of those that were refused."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes

    @property
    def delivery_id(self) -> str:
        return self.headers.get("webhook-id", "")


class Refusal(Exception):
    """The receiver's answer to what it does not take. A text is sent as it is, the rest as JSON."""

    def __init__(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, answer)
        self.status = status
        self.answer = answer
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Lost:
    """The answer does not come back."""


@dataclass(slots=True)
class Rate:
    """At most `most` requests within any `span_s` seconds."""

    most: int
    span_s: float
    _times: deque[float] = field(default_factory=deque)

    def wait_s(self, now: float) -> float:
        """0.0 if the request is within the rate, and then it counts; else how long to wait."""
        while self._times and self._times[0] <= now - self.span_s:
            self._times.popleft()
        if len(self._times) >= self.most:
            return self._times[0] + self.span_s - now
        self._times.append(now)
        return 0.0

    @property
    def left(self) -> int:
        return self.most - len(self._times)


class StandIn:
    """`heard`: every request in order. `now`: seconds; a test may set another clock.

    `troubles`: what becomes of the next deliveries, one each; None: nothing. A `Refusal` is
    answered and nothing taken; with `Lost` it is taken, and the connection ends before the answer.
    `gate`: what is taken is answered only once this is set.
    """

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.troubles: deque[Refusal | Lost | None] = deque()
        self.gate = asyncio.Event()
        self.gate.set()
        self.now: Callable[[], float] = time.monotonic
        self._news = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", "/{path:.*}", self._hear)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def until(self, count: int) -> list[Heard]:
        """The first `count` requests, as soon as there are that many."""
        async with asyncio.timeout(TIMEOUT_S), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= count)
        return self.heard[:count]

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> web.Response:
        """The answer to a request; names of headers are small. Raises: Refusal."""
        raise NotImplementedError

    async def _hear(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        trouble = self.troubles.popleft() if self.troubles and "webhook-id" in headers else None
        try:
            if isinstance(trouble, Refusal):
                raise trouble
            response = self.answer(request.method, request.path, headers, body)
        except Refusal as refusal:
            response = answered(refusal.status, refusal.answer, refusal.headers)
        assert isinstance(response.body, bytes)
        if isinstance(trouble, Lost):
            assert request.transport is not None
            request.transport.abort()
        async with self._news:
            self.heard.append(Heard(request.path, headers, body, response.status, response.body))
            self._news.notify_all()
        await self.gate.wait()
        return response


def answered(status: int, answer: Any, headers: dict[str, str] | None = None) -> web.Response:
    if isinstance(answer, str):
        return web.Response(
            status=status, body=answer.encode(), headers=headers, content_type="text/html"
        )
    body = msgspec.json.encode(answer)
    return web.Response(status=status, body=body, headers=headers, content_type="application/json")


def length_of(text: str) -> int:
    """Its UTF-16 units: the strictest of the ways in which receivers may count characters."""
    return len(text.encode("utf-16-le")) // 2


def document_of(body: bytes, otherwise: Refusal) -> dict[str, Any]:
    """The JSON object that the body is. Raises: what is given, if it is none."""
    try:
        read = msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise otherwise from None
    if not isinstance(read, dict):
        raise otherwise
    return read
