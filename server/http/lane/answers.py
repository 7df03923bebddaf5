"""The answers of the lane, byte for byte those of aiohttp: without a response that is prepared."""

from collections.abc import Iterable

from aiohttp import web
from aiohttp.helpers import rfc822_formatted_time

from hookbundle.server.http.responses import add_common_headers

ACCEPTED = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nServer: hookbundle\r\n"
    b"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
    b"Content-Length: %d\r\nDate: %b\r\n%b\r\n%b"
)
LAST = b"Connection: close\r\n"


def accepted(document: bytes, *, is_last: bool) -> bytes:
    """`is_last`: the connection ends with it, and says so."""
    date, last = rfc822_formatted_time().encode(), LAST if is_last else b""
    return ACCEPTED % (len(document), date, last, document)


def refused(response: web.Response, *, is_last: bool) -> bytes:
    """The answer that says why."""
    add_common_headers(response)
    body = response.body
    assert isinstance(body, bytes)
    headers = {
        **response.headers,
        "Content-Length": str(len(body)),
        "Date": rfc822_formatted_time(),
        **({"Connection": "close"} if is_last else {}),
    }
    lines = [f"HTTP/1.1 {response.status} {response.reason}", *_lines(headers.items())]
    return "\r\n".join((*lines, "\r\n")).encode() + body


def _lines(headers: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"{name}: {value}" for name, value in headers)
