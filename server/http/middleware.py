"""What every request meets on its way in and out, in this order:

    the guard hears of it → meant for us? → who calls, and may they? → known parameters?
    → its handler
    → a large answer is sent in pieces, within a share
    ← what went wrong, as a problem ← counted and timed ← headers of every answer ← the guard

One middleware, because aiohttp spends a coroutine or two of every request on each: as four of them
and a signal for the headers this took 15 µs of a small request that took 41 µs without.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from hookbundle.engine.error_codes import Code
from hookbundle.server.http.authentication import refusal
from hookbundle.server.http.bodies import let_go, owner_of
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.server.http.connection_guard import Guard, guarded_connection_of
from hookbundle.server.http.hosts import misdirected
from hookbundle.server.http.large_answers import LARGE_ANSWERS, is_large
from hookbundle.server.http.parameters.queries import Parameters
from hookbundle.server.http.problems import Handler, as_problem, problem
from hookbundle.server.http.responses import add_common_headers
from hookbundle.server.http.sockets.connections import end_if_unread, waited_s
from hookbundle.server.http.wire import EXPECTED, holds
from hookbundle.server.metrics.meters import Meters

NO_ROUTE = "(none)"


def request_middleware(
    guard: Guard,
    meters: Meters,
    tokens: TokenCheck,
    open_paths: frozenset[str],
    parameters: Parameters,
    now_s: Callable[[], float],
) -> Middleware:
    @web.middleware
    async def receive(request: web.Request, handler: Handler) -> web.StreamResponse:
        began_s = now_s() - waited_s(request)
        connection = guarded_connection_of(request)
        if connection is not None:
            guard.began(connection)
        response: web.StreamResponse | None = None
        try:
            if connection is not None:
                response = misdirected(request, guard.limits.hosts)
            response = response or _senseless(request) or refusal(request, tokens, open_paths)
            if response is None:
                parameters.check(request)
                response = await handler(request)
            if is_large(response):
                response = await request.app[LARGE_ANSWERS].whole(request, response)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as exc:  # noqa: BLE001 - whatever it is, the caller gets an answer
            response = as_problem(request, exc)
        finally:
            let_go(request)
            if connection is not None:
                guard.ended(connection)
        if connection is not None and connection.refused:
            response.force_close()
        end_if_unread(request, response, owner_of)
        status = response.status
        if status == 401 and "Authorization" in request.headers:
            meters.wrong_token("api")
        _count(meters, request, status, now_s() - began_s)
        if not response.prepared:
            add_common_headers(response)
        return response

    return receive


def _senseless(request: web.Request) -> web.Response | None:
    """The refusal of what no handler could make sense of."""
    if holds(request, EXPECTED) and request[EXPECTED].lower() != "100-continue":
        return problem(Code.UNKNOWN_EXPECTATION)
    if not request.raw_path.isascii():
        try:
            request.raw_path.encode()
        except UnicodeEncodeError:
            return problem(Code.PATH_NOT_UTF8)
    return None


def _count(meters: Meters, request: web.Request, status: int, took_s: float) -> None:
    # Unknown paths and methods are anybody's invention: they share one name each.
    resource = request.match_info.route.resource
    if resource is None:
        meters.request(NO_ROUTE, NO_ROUTE, status, took_s)
    else:
        meters.request(request.method, resource.canonical, status, took_s)
