"""The client of a running daemon: HTTP over its control socket.

It is made of the standard library's, because a command asks once or twice and ends: what it would
take to import an event loop and a pool of connections is more than all the rest of a command.
"""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from hookbundle.commands.terminal.failures import (
    CONFLICT,
    FAILED,
    NOT_FOUND,
    REFUSED,
    UNREACHABLE,
    USAGE,
    CommandFailure,
    invalid_input,
    unreachable,
)

EXIT_CODES = {
    401: REFUSED,
    403: REFUSED,
    404: NOT_FOUND,
    409: CONFLICT,
    410: NOT_FOUND,
    412: CONFLICT,
    422: USAGE,
    428: CONFLICT,
}
BUSY = (429, 503, 507)
HOST = "hookbundle"
CONNECT_S = 5.0
LEAST_S = 0.001
ANSWER_S = 120.0  # without a byte of it
PAGE = 1_000
PIECE_BYTES = 256 * 1024
NO_HEADERS: Mapping[str, str] = {}


def at(*segments: str) -> str:
    """The path of an API resource; ids among the segments may contain any character, even `/`."""
    # Argument bytes that are not UTF-8 are sent unchanged; the daemon then answers 404.
    quoted = (quote(part, safe="", errors="surrogateescape") for part in segments)
    # Dots are quoted too: a segment `..` would otherwise be resolved as a path.
    return "/".join(["/v1", *(part.replace(".", "%2E") for part in quoted)])


def with_query(path: str, /, **query: object) -> str:
    """The path with the query after it. Of an argument, bytes that are not UTF-8 are left out."""
    return f"{path}?{urlencode(query, errors='ignore')}" if query else path


class Control:
    """Asks the daemon at the socket, over a new connection each time.

    So a pipe that pauses for an hour, or a daemon that starts again meanwhile, ends no command.
    `most_s`: how long all that is asked may take together; None for any time.
    """

    def __init__(self, path: Path, most_s: float | None = None) -> None:
        self._path = path
        self._until_s = None if most_s is None else time.monotonic() + most_s

    @contextmanager
    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        *,
        within_s: float | None = ANSWER_S,
    ) -> Iterator[HTTPResponse]:
        """The response, if its status is below 400, with nothing of its body read. Raises: Failure.

        `within_s`: how long the daemon may be silent; None for any time.
        """
        connection = HTTPConnection(HOST)
        try:
            connection.sock = self._connected(self._left_s(within_s))
            response = _answer(connection, method, path, body, headers)
            if response.status >= 400:
                raise failure_of(response.status, response.read())
            yield response
        except TimeoutError as exc:
            raise CommandFailure("the daemon has not answered in time", UNREACHABLE) from exc
        except (HTTPException, ConnectionError) as exc:
            raise CommandFailure(
                "the daemon closed the connection before it had answered; repeat this", UNREACHABLE
            ) from exc
        finally:
            connection.close()

    def get(self, path: str, /, **query: str) -> Any:
        with self.ask("GET", with_query(path, **query)) as response:
            return decoded(response.read())

    def gather(
        self,
        path: str,
        name: str,
        most: int,
        looked: Callable[[str], None] | None = None,
        /,
        **query: str,
    ) -> list[Any]:
        """Up to `most` items of the list `name`, fetched page by page.

        `looked` is called for each page that was cut, with how far it had been searched.
        """
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None and len(found) < most:
            limit = str(min(most - len(found), PAGE))
            page = self.get(path, limit=limit, cursor=cursor, **query)
            found += page[name]
            if looked is not None and page.get("searched_to"):
                looked(page["searched_to"])
            cursor = page["cursor"]
        return found

    def send(
        self,
        method: str,
        path: str,
        document: object = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Any:
        body = None if document is None else _written(document)
        sent = {"Content-Type": "application/json", **headers}
        with self.ask(method, path, body, sent) as response:
            answer = response.read()
            return decoded(answer) if answer else None

    def _connected(self, within_s: float | None) -> socket.socket:
        """Raises: Failure; TimeoutError if the daemon takes no connection in time."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # By the system's own limit, which waits for a place in the daemon's queue; Python's
            # would fail at once.
            _limit_sending(sock, CONNECT_S if within_s is None else min(CONNECT_S, within_s))
            sock.connect(str(self._path))
            _limit_sending(sock, 0)
        except BlockingIOError as exc:
            sock.close()
            raise TimeoutError from exc
        except OSError as exc:
            sock.close()
            raise unreachable(self._path, exc) from exc
        sock.settimeout(within_s)
        return sock

    def _left_s(self, within_s: float | None) -> float | None:
        if self._until_s is None:
            return within_s
        left_s = max(self._until_s - time.monotonic(), LEAST_S)
        return left_s if within_s is None else min(left_s, within_s)


def pieces_of(response: HTTPResponse) -> Iterator[bytes]:
    """The body as it comes. Raises: IncompleteRead if it ends early."""
    while piece := response.read(PIECE_BYTES):
        yield piece
    if response.length:  # the library says so of a body only that is read as a whole
        raise IncompleteRead(b"", response.length)


def decoded(answer: bytes) -> Any:
    """The answer's document. Raises: Failure."""
    try:
        return _read(answer)
    except ValueError as exc:
        raise CommandFailure(
            "the answer is not JSON: what answers there is not hookbundle", UNREACHABLE
        ) from exc


def failure_of(status: int, body: bytes) -> CommandFailure:
    """A Failure with the problem document's text and the exit code for the status."""
    try:
        problem = _read(body)
        detail = str(problem["detail"])
        faults = tuple((fault["path"], fault["detail"]) for fault in problem.get("errors", ()))
    except (ValueError, KeyError, TypeError, AttributeError):
        detail, faults = f"the daemon answered with status {status}", ()
    message = invalid_input([f"{path or 'input'}: {text}" for path, text in faults])
    return CommandFailure(
        message if faults else detail,
        EXIT_CODES.get(status, FAILED),
        is_busy=status in BUSY,
        faults=faults,
    )


def _answer(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
) -> HTTPResponse:
    # A daemon that refuses what it is told answers before it has all of it.
    with suppress(ConnectionError):
        connection.request(method, path, body, dict(headers))
    return connection.getresponse()


def _written(document: object) -> bytes:
    """As JSON in UTF-8. What is no text in it goes as it is; the daemon says where it is."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _read(text: bytes) -> Any:
    """Raises: ValueError if it is not JSON in UTF-8."""
    return json.loads(text.decode(), parse_constant=_no_number)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _limit_sending(sock: socket.socket, most_s: float) -> None:
    """The socket waits at most so long for the other side to take something; 0: without end."""
    limit = struct.pack("ll", int(most_s), int(most_s % 1 * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
