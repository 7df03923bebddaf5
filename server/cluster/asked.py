"""A request as one node asks it of another, and its answer: values, without a connection."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from hookbundle.engine import limits
from hookbundle.server.http.authentication import CALLER, Caller
from hookbundle.server.http.bodies import body_bytes

OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-encoding",  # the body is sent on unpacked
        "content-length",
        "expect",
        "hb-partition",  # only nodes may say that
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """`target`: path and query. `caller`: None if the node that asks does not know who calls."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    caller: Caller | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


async def asked_of(request: web.Request) -> Asked:
    """Raises: as `body_bytes`."""
    body = await body_bytes(request, limits.REQUEST_BYTES_MAX) if request.can_read_body else b""
    return Asked(request.method, request.raw_path, headers_of(request), body, caller_of(request))


def headers_of(request: web.Request) -> dict[str, str]:
    return _passed_on(request.headers)


def caller_of(request: web.Request) -> Caller | None:
    return request.get(CALLER)


def may_be_repeated(asked: Asked) -> bool:
    """Whether it does no harm if it is done twice: messages are known by their ids, and a key says
    so of the rest. Of a change nobody could say what the second answer means."""
    if asked.method in ("GET", "HEAD"):
        return True
    if any(name.lower() == "idempotency-key" for name in asked.headers):
        return True
    path = asked.target.partition("?")[0]
    is_intake = path.endswith("/messages") or path.startswith("/v1/sources/")
    return asked.method == "POST" and is_intake


def answered_of(response: web.Response) -> Answered:
    body = response.body
    assert body is None or isinstance(body, bytes)
    headers = {**response.headers}
    if response.content_type:
        headers["Content-Type"] = response.headers["Content-Type"]
    return Answered(response.status, headers, body or b"")


def response_of(answered: Answered) -> web.Response:
    headers = _passed_on(answered.headers)
    return web.Response(status=answered.status, headers=headers, body=answered.body)


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in OF_THE_CONNECTION}
