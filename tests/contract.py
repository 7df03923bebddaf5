"""What the API's own document says a path may answer with, held against every answer of a test.

A fuzzer that runs for seconds finds a refusal nobody wrote down only on a lucky day; the tests of
the refusals themselves meet each one every time.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from hookbundle.server.http.authentication import CONTRACT_PATH
from hookbundle.server.http.contract.document import CODES
from hookbundle.server.http.listeners import Listeners

PARAMETER = re.compile(r"{\w+}")


@dataclass(frozen=True, slots=True)
class Contract:
    """The statuses of each operation, with their codes, by method and a pattern of its path."""

    operations: tuple[tuple[str, re.Pattern[str], dict[int, list[str]]], ...]

    def check(self, method: str, path: str, status: int, code: str = "") -> None:
        """Raises: AssertionError for a status that the operation's document does not have, or for
        a problem's code that it does not have with this status."""
        target = path.partition("?")[0]
        for operation, pattern, statuses in self.operations:
            if operation == method and pattern.fullmatch(target):
                assert status in statuses, f"{method} {path}: {status} is not in its document"
                known = statuses[status]
                assert not code or code in known, f"{method} {path}: {code} is not in its document"


_known: dict[frozenset[tuple[str, str]], Contract] = {}


async def contract_of(listeners: Listeners) -> Contract:
    """The daemon's own document, asked of its handler: nothing it counts has seen a request.

    Daemons with the same paths have the same: only the first of a process is asked.
    """
    paths = frozenset((route.method, _canonical(route)) for route in listeners.routes)
    if paths not in _known:
        _known[paths] = await _asked(listeners)
    return _known[paths]


async def _asked(listeners: Listeners) -> Contract:
    (own,) = [route for route in listeners.routes if _is_own(route)]
    answer = await own.handler(make_mocked_request("GET", CONTRACT_PATH))
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    return _read(answer.body)


def _canonical(route: web.AbstractRoute) -> str:
    return route.resource.canonical if route.resource is not None else ""


def _is_own(route: web.AbstractRoute) -> bool:
    return route.method == "GET" and _canonical(route) == CONTRACT_PATH


def _read(body: bytes) -> Contract:
    paths: dict[str, dict[str, Any]] = msgspec.json.decode(body)["paths"]
    return Contract(
        tuple(
            (method.upper(), _pattern(path), _codes(operation["responses"]))
            for path, item in paths.items()
            for method, operation in item.items()
            if method != "parameters"
        )
    )


def _codes(responses: dict[str, Any]) -> dict[int, list[str]]:
    return {int(status): answer.get(CODES, []) for status, answer in responses.items()}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, PARAMETER.split(path))))
