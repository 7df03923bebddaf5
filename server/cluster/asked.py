"""A request as one node asks it of another, and its answer: values, without a connection."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from aiohttp import web
from multidict import CIMultiDict

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import BadRequest, HookbundleError
from hookbundle.server.http.authentication import CALLER, Caller
from hookbundle.server.http.bodies import body_bytes, read_away
from hookbundle.server.http.requests import header_lines_of
from hookbundle.server.http.resources.sources.intake import READ_AWAY_BYTES_MAX

IN_PARTS = "Hb-In-Parts"  # says that who asks takes a long answer part by part
OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-encoding",  # the body is sent on unpacked
        "content-length",
        "expect",
        "hb-in-parts",  # only nodes may say that
        "hb-partition",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


Headers = tuple[tuple[str, str], ...]
"""Names and values, as they came; a name may come more than once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`target`: path and query. `caller`: None if the node that asks does not know who calls."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    caller: Caller | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """`rest`: by which name the node that has answered knows what follows; empty if that is all.
    `node`: which that is; empty for this one, and where there is no rest."""

    status: int
    headers: Headers
    body: bytes
    rest: str = ""
    node: str = ""


Ask = Callable[[int, Asked], Awaitable[Answered]]
"""Asks the owner of a partition, be it this node or another. Raises: NotOwner; AnswerLost."""


class NotAsked(HookbundleError):
    """The node was not there: it has not got the request."""

    other = Code.NO_OWNER


class AnswerLost(HookbundleError):
    """The node may have got the request, and done it."""

    other = Code.ANSWER_LOST


OF_THE_CALLER = frozenset({"authorization"})
"""Proves who calls, which the other node is told: no token is sent to where others may read it."""
TOO_LARGE = (
    ("Content-Encoding", "identity"),
    ("Content-Length", f"{limits.REQUEST_BYTES_MAX + 1}"),
)
"""Of a body that was read away, by which its owner sees that it was too large."""


async def asked_of(request: web.Request) -> Asked:
    """Raises: as `body_bytes`."""
    asked = await _whole(request)
    headers = tuple(each for each in asked.headers if each[0].lower() not in OF_THE_CALLER)
    return replace(asked, headers=headers)


async def asked_of_source(request: web.Request) -> Asked:
    """As `asked_of`; of a body that is too large only that it is, once all of it has come: a source
    is told that it was taken, or would send it again.

    Raises: as `body_bytes`; BadRequest if it does not end.
    """
    try:
        return await _whole(request)
    except BadRequest as exc:
        if exc.code != Code.BODY_TOO_LARGE:
            raise
    if not await read_away(request, READ_AWAY_BYTES_MAX):
        raise BadRequest.of(Code.BODY_TOO_LARGE, most=READ_AWAY_BYTES_MAX)
    asked = _asked(request, b" ")
    return replace(asked, headers=(*asked.headers, *TOO_LARGE))


async def _whole(request: web.Request) -> Asked:
    body = await body_bytes(request, limits.REQUEST_BYTES_MAX) if request.can_read_body else b""
    return _asked(request, body)


def _asked(request: web.Request, body: bytes) -> Asked:
    headers = passed_on(header_lines_of(request))
    return Asked(request.method, request.raw_path, headers, body, request.get(CALLER))


def in_parts(asked: Asked) -> Asked:
    """The same, of one who can take a long answer part by part."""
    return replace(asked, headers=(*asked.headers, (IN_PARTS, "1")))


def takes_parts(asked: Asked) -> bool:
    return (IN_PARTS, "1") in asked.headers


def may_be_repeated(asked: Asked) -> bool:
    """Whether it does no harm if it is done twice: messages are known by their ids, and a key says
    so of the rest. Of a change nobody could say what the second answer means."""
    if asked.method in ("GET", "HEAD"):
        return True
    if any(name.lower() == "idempotency-key" for name, _ in asked.headers):
        return True
    path = asked.target.partition("?")[0]
    is_intake = path.endswith("/messages") or path.startswith("/v1/sources/")
    return asked.method == "POST" and is_intake


def answered_of(response: web.Response) -> Answered:
    body = response.body
    assert body is None or isinstance(body, bytes)
    cookies = (("Set-Cookie", each.OutputString()) for each in response.cookies.values())
    return Answered(response.status, (*passed_on(response.headers.items()), *cookies), body or b"")


def response_of(answered: Answered) -> web.Response:
    headers = CIMultiDict(passed_on(answered.headers))
    return web.Response(status=answered.status, headers=headers, body=answered.body)


def passed_on(headers: Iterable[tuple[str, str]]) -> Headers:
    # Names of aiohttp's are of a kind of their own.
    return tuple(
        (str(name), value) for name, value in headers if name.lower() not in OF_THE_CONNECTION
    )
