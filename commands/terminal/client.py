"""The client of a running daemon: HTTP over its control socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

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

T = TypeVar("T")

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
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120)
BASE = "http://hookbundle"
PAGE = 1_000
NO_HEADERS: Mapping[str, str] = {}


def at(*segments: str) -> URL:
    """The URL of an API resource; ids among the segments may contain any character, even `/`."""
    # Argument bytes that are not UTF-8 are sent unchanged; the daemon then answers 404.
    quoted = (quote(part, safe="", errors="surrogateescape") for part in segments)
    # Dots are quoted too: a segment `..` would otherwise be resolved as a path.
    path = "/".join(part.replace(".", "%2E") for part in quoted)
    return URL(f"{BASE}/v1/{path}", encoded=True)


class Control:
    """An open connection to the daemon."""

    def __init__(self, session: aiohttp.ClientSession, path: Path) -> None:
        self._session = session
        self._path = path

    @asynccontextmanager
    async def ask(
        self, method: str, path: str | URL, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response, if its status is below 400. Raises: Failure."""
        try:
            url = path if isinstance(path, URL) else f"{BASE}{path}"
            async with self._session.request(method, url, **options) as r:
                if r.status >= 400:
                    raise failure_of(r.status, await r.read())
                yield r
        except aiohttp.ClientConnectorError as exc:
            raise unreachable(self._path, exc.os_error) from exc
        except TimeoutError as exc:
            raise CommandFailure("the daemon has not answered in time", UNREACHABLE) from exc
        except (aiohttp.ClientError, ConnectionError) as exc:
            raise CommandFailure(
                "the daemon closed the connection before it had answered; repeat this", UNREACHABLE
            ) from exc

    async def get(self, path: str | URL, **query: str) -> Any:
        async with self.ask("GET", path, params=query) as response:
            return decoded(await response.read())

    async def gather(
        self,
        url: URL,
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
            page = await self.get(url, limit=limit, cursor=cursor, **query)
            found += page[name]
            if looked is not None and page.get("searched_to"):
                looked(page["searched_to"])
            cursor = page["cursor"]
        return found

    async def send(
        self,
        method: str,
        path: str | URL,
        document: object = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Any:
        body = None if document is None else msgspec.json.encode(document)
        sent = {"Content-Type": "application/json", **headers}
        async with self.ask(method, path, data=body, headers=sent) as response:
            answer = await response.read()
            return decoded(answer) if answer else None


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[Control]:
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as session:
        yield Control(session, path)


def run(path: Path, work: Callable[[Control], Awaitable[T]]) -> T:
    """Runs `work` over a new connection and returns its result. Raises: Failure."""

    async def ask() -> T:
        async with connected(path) as control:
            return await work(control)

    return asyncio.run(ask())


def decoded(answer: bytes) -> Any:
    """The answer's document. Raises: Failure."""
    try:
        return msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise CommandFailure(
            "the answer is not JSON: what answers there is not hookbundle", UNREACHABLE
        ) from exc


def failure_of(status: int, body: bytes) -> CommandFailure:
    """A Failure with the problem document's text and the exit code for the status."""
    try:
        problem = msgspec.json.decode(body)
        detail = str(problem["detail"])
        faults = tuple((fault["path"], fault["detail"]) for fault in problem.get("errors", ()))
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        detail, faults = f"the daemon answered with status {status}", ()
    message = invalid_input([f"{path or 'input'}: {text}" for path, text in faults])
    return CommandFailure(
        message if faults else detail,
        EXIT_CODES.get(status, FAILED),
        is_busy=status in BUSY,
        faults=faults,
    )
