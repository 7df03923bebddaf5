"""Errors as answers: RFC 9457 problem documents, one table from our errors to status codes."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from aiohttp import web

from hookbundle.engine.errors import (
    Changed,
    Conflict,
    HookbundleError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Overloaded,
    PreconditionRequired,
    QuotaReached,
    Refused,
    StorageError,
    StoreFull,
    TooManyRequests,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Request too slow",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    417: "Expectation failed",
    421: "Wrong host",
    422: "Invalid input",
    428: "Say which version",
    429: "Over a limit",
    431: "Head too large",
    500: "Internal error",
    503: "Not now",
    507: "Out of storage",
}
# After how many seconds a caller may try again, of the answers that say so; where nothing is known.
RETRY_AFTER_S = {429: 1, 503: 5, 507: 30}
STATUS: tuple[tuple[type[HookbundleError], int], ...] = (
    (InvalidInput, 422),
    (NotAllowed, 403),
    (NotFound, 404),
    (Changed, 412),
    (PreconditionRequired, 428),
    (Conflict, 409),
    (QuotaReached, 429),
    (TooManyRequests, 429),
    (Overloaded, 503),
    (Refused, 503),
    (StoreFull, 507),
    (StorageError, 503),
)

log = structlog.get_logger(__name__)


def as_bytes(status: int, detail: str, *headers: str) -> bytes:
    """The same as the bytes of an answer that ends its connection, where there is no request."""
    body = msgspec.json.encode(_document(status, detail))
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Server: hookbundle",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        *headers,
        "Connection: close",
    )
    return "\r\n".join((*lines, "\r\n")).encode() + body


def problem(status: int, detail: str, **members: Any) -> web.Response:
    """The answer that says what is wrong."""
    document = {**_document(status, detail), **members}
    response = web.Response(
        status=status, body=msgspec.json.encode(document), content_type=CONTENT_TYPE
    )
    if status in RETRY_AFTER_S:
        response.headers["Retry-After"] = str(RETRY_AFTER_S[status])
    return response


def _document(status: int, detail: str) -> dict[str, Any]:
    title = TITLES.get(status, "Error")
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def answer_for(error: HookbundleError) -> web.Response:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    members: dict[str, Any] = {}
    if isinstance(error, InvalidInput):
        members["errors"] = [{"path": fault.path, "detail": fault.detail} for fault in error.faults]
    response = problem(status, str(error), **members)
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def as_problem(request: web.Request, error: Exception) -> web.StreamResponse:
    """What went wrong in a handler, as a problem document; a redirect is the answer it is."""
    match error:
        case HookbundleError():
            return answer_for(error)
        case web.HTTPException() if error.status < 400:
            return error
        case web.HTTPException():
            response = problem(error.status, error.text or error.reason)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response
    log.error("request failed", method=request.method, path=request.path, exc_info=error)
    return problem(500, "the daemon failed over this request; its log says why")
