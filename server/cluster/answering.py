"""A request of another node, answered here: made into one of aiohttp's, without a connection.

The node that has the connection has read the body, counted it, and looked who calls; here the
handlers meet a request whose body has come. Their answer is kept until it is whole; a long one goes
part by part to a node that can take it so (long_answers/), and to another one not at all.
"""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion11
from aiohttp.streams import StreamReader
from aiohttp.typedefs import Middleware
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.fairness.loop_share import LoopShare
from hookbundle.server.cluster.asked import (
    Answered,
    Asked,
    answered_of,
    passed_on,
    takes_parts,
)
from hookbundle.server.cluster.long_answers.held import (
    PART_BYTES,
    REST,
    HeldAnswers,
    InParts,
    is_long,
)
from hookbundle.server.cluster.partitions.plain_intake import PlainIntake
from hookbundle.server.cluster.routing import Router
from hookbundle.server.http.authentication import CALLER
from hookbundle.server.http.bodies import BODY_LIMITS, BodyLimits, let_go
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.large_answers import LARGE_ANSWERS, PIECE_BYTES, LargeAnswers
from hookbundle.server.http.listeners import ListenersConfig, pattern_of
from hookbundle.server.http.lists import LISTS, LOOP_SHARE, Lists
from hookbundle.server.http.problems import Handler, as_problem
from hookbundle.server.http.routes import Route

READ_BYTES = 1 << 16
WHAT = "answer of more than 32 MiB of another node"
KEPT_BYTES_MAX = 32 * 1024 * 1024  # of an answer, which is sent on when it is whole


class Answering:
    """`routes` as a node has them; their handlers answer from the partitions that it owns."""

    def __init__(
        self,
        routes: list[Route],
        fair_limits: FairLimits,
        listeners: ListenersConfig,
        router: Router | None = None,
    ) -> None:
        """`router`: of those who pass messages on; they are taken by a shorter way, if plain."""
        app = web.Application(middlewares=[_finished()])
        app[BODY_LIMITS] = BodyLimits(listeners.body_s, fair_limits.bodies)
        # A part is asked for when its reader has taken all pieces of the one before.
        taken_s = listeners.taken_s * (PART_BYTES // PIECE_BYTES)
        app[LARGE_ANSWERS] = LargeAnswers(fair_limits.readers, taken_s)
        share = app[LOOP_SHARE] = LoopShare()
        app[LISTS] = Lists(share, fair_limits.lists)
        app.add_routes([web.route(r.method, pattern_of(r.path), r.handler) for r in routes])
        app.freeze()
        self._app = app
        self._plain = None if router is None else PlainIntake(router, share)
        self.held = HeldAnswers()

    async def answer(self, asked: Asked) -> Answered:
        """Whatever goes wrong is a problem document."""
        if asked.target.startswith(REST):
            return await self.held.asked(asked)
        if takes_parts(asked):
            writer = InParts()
            return await self.held.begin(self._handled(asked, writer), writer)
        if self._plain is not None and (plain := await self._plain.answer(asked)) is not None:
            return plain
        return await self.by_application(asked)

    async def by_application(self, asked: Asked) -> Answered:
        kept = _Kept()
        response = await self._handled(asked, kept)
        if isinstance(response, web.Response) and not response.prepared:
            return answered_of(response)
        return Answered(response.status, passed_on(response.headers.items()), bytes(kept.body))

    def close(self) -> None:
        self.held.close()

    async def _handled(self, asked: Asked, writer: AbstractStreamWriter) -> web.StreamResponse:
        message = RawRequestMessage(
            asked.method,
            asked.target,
            HttpVersion11,
            CIMultiDictProxy(CIMultiDict(asked.headers)),
            (),
            False,
            None,
            False,
            False,
            url_of(asked.target),
        )
        protocol = _NoConnection()
        content = StreamReader(protocol, READ_BYTES, loop=asyncio.get_running_loop())  # type: ignore[arg-type]
        if asked.body:
            content.feed_data(asked.body)
        content.feed_eof()
        task = asyncio.current_task()
        assert task is not None
        request = web.Request(
            message,
            content,
            protocol,  # type: ignore[arg-type]
            writer,
            task,
            asyncio.get_running_loop(),
            client_max_size=self._app._client_max_size,
        )
        if asked.caller is not None:
            request[CALLER] = asked.caller
        return await self._app._handle(request)


def url_of(target: str) -> URL:
    """As aiohttp reads it off a connection: what two nodes read differently, one of them would do
    in a workspace that the other has not checked."""
    if not target.startswith("/"):
        return URL(target, encoded=True)
    path, mark, query = target.partition("?")
    rest, _, fragment = (query if mark else path).partition("#")
    path, query = (path, rest) if mark else (rest, "")
    return URL.build(path=path, query_string=query, fragment=fragment, encoded=True)


def _finished() -> Middleware:
    @web.middleware
    async def receive(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
            if is_long(response, request):
                response = await request.app[LARGE_ANSWERS].whole(request, response)
            return response
        except Exception as exc:  # noqa: BLE001 - whatever it is, the caller gets an answer
            return as_problem(request, exc)
        finally:
            let_go(request)

    return receive


class _Kept(AbstractStreamWriter):
    """Takes what a handler writes piece by piece, up to KEPT_BYTES_MAX: a log may have a hundred of
    the largest requests, and a daemon alone sends them one after the other."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.buffer_size = self.output_size = 0
        self.length = None

    async def write(self, chunk: Any, *_: Any) -> None:
        """Raises: HookbundleError if it is too much."""
        if len(self.body) + len(chunk) > KEPT_BYTES_MAX:
            raise HookbundleError.of(Code.NOT_IN_A_CLUSTER, what=WHAT)
        self.body += chunk

    async def write_eof(self, chunk: bytes = b"") -> None:
        await self.write(chunk)

    async def drain(self) -> None:
        pass

    def enable_compression(self, *_: Any) -> None:
        pass

    def enable_chunking(self) -> None:
        pass

    async def write_headers(self, status_line: str, headers: Any) -> None:
        pass


class _NoConnection:
    """Stands for the connection, which another node has."""

    ssl_context = peername = sockname = None

    def __init__(self) -> None:
        self.transport = _NoTransport()
        self._reading_paused = False

    def pause_reading(self, *_: Any, **__: Any) -> None:
        pass

    def resume_reading(self, *_: Any, **__: Any) -> None:
        pass


class _NoTransport:
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_protocol(self) -> None:
        return None

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass
