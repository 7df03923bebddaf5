"""The bytes of a request, made here and nowhere else: nothing that isn't meant can get into them.

What a URL has in common for all its requests is made once: how to connect, and the head as far as
the fields that differ.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from aiohttp.client_reqrep import ClientRequest, ConnectionKey
from yarl import URL

from hookbundle.engine.delivery.targets import Target

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
NAMES_REMEMBERED = 1_024
METHOD = re.compile(r"[A-Z]{1,16}")
PATH = re.compile(r"/[!-~]*")
AUTHORITY = re.compile(r"[0-9A-Za-z._:\[\]-]+")


class UnsendableError(ValueError):
    """What should be sent holds what no head of a request may hold. A fault of this program."""


@dataclass(frozen=True, slots=True)
class Route:
    """`head`: the request line, Host, and the fields of all requests. `key`: the connections that
    may be used.
    """

    target: Target
    head: bytes
    key: ConnectionKey

    def request(self) -> ClientRequest:
        return _request(self.target)


def route_to(
    target: Target, headers: Mapping[str, str], method: str = "POST", *, whole_url: bool = False
) -> Route:
    """`whole_url`: in the request line, as a proxy has to see it. Raises: UnsendableError."""
    if not METHOD.fullmatch(method):
        raise UnsendableError("the method can't be written into a request")
    if not PATH.fullmatch(target.path) or not AUTHORITY.fullmatch(target.authority):
        raise UnsendableError("the URL can't be written into a request")
    named = target.url if whole_url else target.path
    start = f"{method} {named} HTTP/1.1\r\nHost: {target.authority}\r\n".encode("ascii")
    return Route(target, start + fields(headers), _request(target).connection_key)


def fields(headers: Mapping[str, str]) -> bytes:
    """Raises: UnsendableError."""
    for name, value in headers.items():
        if not (_is_name(name) and is_value(value)):
            raise UnsendableError("a header can't be written into a request")
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("ascii")


@lru_cache(NAMES_REMEMBERED)
def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def is_value(value: str) -> bool:
    """Visible characters of ASCII, and spaces inside: no end of a line, and no byte that may be
    read as one. Asked in this way because a regular expression is ten times as slow."""
    return value.isascii() and value.isprintable() and value.strip(" ") == value != ""


def head_of(route: Route, headers: Mapping[str, str], body: bytes) -> bytes:
    """The whole head. Raises: UnsendableError."""
    return b"%b%bContent-Length: %d\r\n\r\n" % (route.head, fields(headers), len(body))


def _request(target: Target) -> ClientRequest:
    """For aiohttp's connector, which asks it for scheme, host and port: as they were read here."""
    url = URL.build(
        scheme="https" if target.is_tls else "http",
        host=f"[{target.host}]" if ":" in target.host else target.host,
        port=target.port,
        path="/",
        encoded=True,
    )
    return ClientRequest("POST", url)
