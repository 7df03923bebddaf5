"""A request as it comes from a socket, within bounds: HTTP/1.1, one for each connection.

This is a receiver for trying things out, on loopback. So it reads what a sender of webhooks sends,
and refuses all else with a status.
"""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass
from http import HTTPStatus

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 8 * 1024 * 1024
TRAILERS_MAX = 100

LENGTH = re.compile(r"[0-9]{1,12}")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\r\n]*)?\r?\n")
START = re.compile(r"([A-Z]{1,32}) (\S{1,8192}) HTTP/1\.[01]")
NO_BODY = (204, 304)


@dataclass(frozen=True, slots=True)
class Request:
    """`headers`: by their names in lower case; of several of a name, all with commas between."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Refused(Exception):
    """It is no request that this receiver reads; `status` says so to its sender."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


async def read_request(reader: StreamReader, writer: StreamWriter) -> Request | None:
    """None if the other side closed the connection before it had sent anything. Raises: Refused.

    `reader` must have HEAD_BYTES_MAX as its limit.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as exc:
        raise Refused(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"a head of over {HEAD_BYTES_MAX} bytes"
        ) from exc
    except asyncio.IncompleteReadError as exc:
        if exc.partial:
            raise Refused(HTTPStatus.BAD_REQUEST, "a request that breaks off") from exc
        return None
    start, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    match = START.fullmatch(start)
    if match is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "what is no HTTP/1.1")
    headers = _headers(lines)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await _body(reader, headers)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as exc:
        raise Refused(HTTPStatus.BAD_REQUEST, "a body that breaks off") from exc
    return Request(match[1], match[2], headers, body)


def answer_bytes(status: int) -> bytes:
    """An answer without a body; the connection ends after it."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    length = "" if status in NO_BODY else "Content-Length: 0\r\n"
    return f"HTTP/1.1 {status} {phrase}\r\n{length}Connection: close\r\n\r\n".encode()


def _headers(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Refused(HTTPStatus.BAD_REQUEST, "a header that is none")
        name, value = name.lower(), value.strip()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


async def _body(reader: StreamReader, headers: dict[str, str]) -> bytes:
    length, coding = headers.get("content-length"), headers.get("transfer-encoding", "").lower()
    if coding and (coding != "chunked" or length is not None):
        raise Refused(HTTPStatus.BAD_REQUEST, "a body whose length is not known")
    if coding:
        return await _chunks(reader)
    if length is None:
        return b""
    if not LENGTH.fullmatch(length):
        raise Refused(HTTPStatus.BAD_REQUEST, "a length that is none")
    return await reader.readexactly(_bounded(int(length)))


async def _chunks(reader: StreamReader) -> bytes:
    body = bytearray()
    while True:
        match = CHUNK.fullmatch(await reader.readline())
        if match is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "a chunk that is none")
        size = int(match[1], 16)
        if not size:
            break
        _bounded(len(body) + size)
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    for _ in range(TRAILERS_MAX):
        if not (await reader.readline()).strip():
            return bytes(body)
    raise Refused(HTTPStatus.BAD_REQUEST, f"over {TRAILERS_MAX} lines after its body")


def _bounded(size: int) -> int:
    if size > BODY_BYTES_MAX:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body of over {BODY_BYTES_MAX} bytes")
    return size
