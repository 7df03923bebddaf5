"""Errors as answers: RFC 9457 problem documents, made from the table of codes.

Each has a `code` for programs, a `type` that leads to the code's entry in the list of all, and a
`request_id`: who asks about an answer names it, and the daemon's log has it (other than of a 500
at level debug).
"""

import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from aiohttp import web

from hookbundle.engine.error_codes import Code, Value
from hookbundle.engine.error_table import TITLES
from hookbundle.engine.errors import Fault, HookbundleError, InvalidInput

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_TYPE = "application/problem+json"
# After how many seconds a caller may try again, of the answers that say so; where nothing is known.
RETRY_AFTER_S = {429: 1, 503: 5, 507: 30}
ERRORS_PATH = "/docs/errors"
SOURCES_PATH = "/v1/sources/"  # the token of a source follows, which is a secret
REQUEST_ID = "X-Request-Id"
ID_BYTES = 8
# What aiohttp itself refuses, by the status it does so with.
OF_AIOHTTP = {
    403: Code.NOT_ALLOWED,
    404: Code.NO_PATH,
    405: Code.METHOD_NOT_ALLOWED,
    408: Code.BODY_TOO_SLOW,
    413: Code.BODY_TOO_LARGE,
    415: Code.UNKNOWN_ENCODING,
    417: Code.UNKNOWN_EXPECTATION,
}

log = structlog.get_logger(__name__)


def as_bytes(code: Code, *headers: str) -> bytes:
    """The same as the bytes of an answer that ends its connection, where there is no request."""
    error, request_id = HookbundleError.of(code), new_request_id()
    body = msgspec.json.encode(_document(error, request_id))
    lines = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        "Server: hookbundle",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        f"{REQUEST_ID}: {request_id}",
        *headers,
        "Connection: close",
    )
    return "\r\n".join((*lines, "\r\n")).encode() + body


def problem(code: Code, **values: Value) -> web.Response:
    """The answer that says what is wrong."""
    return answer_for(HookbundleError.of(code, **values))


def answer_for(error: HookbundleError, **members: Any) -> web.Response:
    """The answer that says so; `members` stand in its document beside those of every problem."""
    request_id = new_request_id()
    response = web.Response(
        status=error.status,
        body=msgspec.json.encode({**_document(error, request_id), **members}),
        content_type=CONTENT_TYPE,
        headers={REQUEST_ID: request_id},
    )
    retry_after_s = getattr(error, "retry_after_s", RETRY_AFTER_S.get(error.status))
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    log.debug("request refused", code=error.code, request_id=request_id)
    return response


def shown_path(request: web.BaseRequest) -> str:
    """The path for a log: that of a source ends where its token begins."""
    path = request.path
    return f"{SOURCES_PATH}…" if path.startswith(SOURCES_PATH) else path


def as_problem(request: web.Request, error: Exception) -> web.StreamResponse:
    """What went wrong in a handler, as a problem document; a redirect is the answer it is."""
    match error:
        case HookbundleError():
            return answer_for(error)
        case web.HTTPException() if error.status < 400:
            return error
        case web.HTTPException():
            response = answer_for(of_aiohttp(error))
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response
    return failed(request.method, shown_path(request), error)


def failed(method: str, path: str, error: Exception) -> web.Response:
    """The answer to a request over which the daemon failed. The log says why."""
    response = problem(Code.INTERNAL_ERROR)
    request_id = response.headers[REQUEST_ID]
    log.error("request failed", method=method, path=path, request_id=request_id, exc_info=error)
    return response


def of_aiohttp(error: web.HTTPException) -> HookbundleError:
    """What the library refused, in our words."""
    code = OF_AIOHTTP.get(error.status, Code.BAD_REQUEST)
    if code in (Code.NO_PATH, Code.METHOD_NOT_ALLOWED):
        return HookbundleError.of(code)
    return HookbundleError(error.text or error.reason, code)


def fault_out(fault: Fault) -> dict[str, str]:
    """A fault of the input, as it stands in `errors`."""
    return {"path": fault.path, "detail": fault.detail, "code": fault.code}


def new_request_id() -> str:
    return secrets.token_hex(ID_BYTES)


def _document(error: HookbundleError, request_id: str) -> dict[str, Any]:
    document = {
        "type": f"{ERRORS_PATH}#{error.code}",
        "title": TITLES[error.status],
        "status": error.status,
        "detail": str(error),
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, InvalidInput):
        document["errors"] = [fault_out(fault) for fault in error.faults]
    return document
