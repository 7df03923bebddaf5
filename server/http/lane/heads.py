"""The head of a plain request with messages: read once by aiohttp's parser, then known again.

What a client sends in front of one message and of the next is the same, but for the workspace and
the length. So nothing here reads HTTP. aiohttp's parser reads a head; what it has read is written
back the one way in which a client writes it that does nothing odd; and only if that is what came,
byte for byte, is it known where the head ends, and is the head one that can be known again:

    POST /v1/workspaces/ acme /messages HTTP/1.1 ⏎ … ⏎ Content-Length: 512 ⏎ … ⏎ ⏎
    ╰─────── begin ────╯      ╰────────────── middle ────────────────╯   ╰─ end ─╯

The next head is the same if its begin, middle and end are, and its two gaps have nothing but the
letters of an id, and digits. Those leave the parser in the state in which the bytes that followed
them found it before: it would read the same again, with another workspace and another length.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import msgspec
from aiohttp import HttpVersion11
from aiohttp.http_parser import RawRequestMessage

from hookbundle.engine import limits
from hookbundle.server.http.authentication import bearer_in
from hookbundle.server.http.bodies import UNCOUNTED_BYTES
from hookbundle.server.http.requests import media_in, number_of
from hookbundle.server.http.resources.messages import NDJSON
from hookbundle.storage.transitions.tokens import digest_of

BEGIN = b"POST /v1/workspaces/"
ID_AT, ID_ENDS = len(BEGIN), len(BEGIN) + limits.WORKSPACE_ID_CHARS_MAX + 1
PATH = re.compile(r"/v1/workspaces/[A-Za-z0-9_-]{1,64}/messages")
WORKSPACE = re.compile(b"[A-Za-z0-9_-]{1,64}")
LENGTH = re.compile(b"[1-9][0-9]*")
VALUE = re.compile(b"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
LENGTH_DIGITS_MAX = len(str(UNCOUNTED_BYTES))
HEAD_BYTES_MAX = 2_048  # one is kept for each connection
JSON = "application/json"
# Those that say nothing which the lane would have to heed, and those that it heeds.
PLAIN = frozenset(
    (
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"authorization",
        b"connection",
        b"content-length",
        b"content-type",
        b"forwarded",
        b"host",
        b"user-agent",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
    )
)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What a plain head says: how long it is, and its body. A msgspec Struct because one is made
    for each request."""

    workspace_id: str
    head: int
    length: int


@dataclass(frozen=True, slots=True)
class KnownHead:
    """See above. `host`: of its Host header; `digest`: of its token, None without one."""

    middle: bytes
    end: bytes
    ndjson: bool
    host: str
    digest: bytes | None

    def read(self, data: bytes) -> Asked | None:
        """What the bytes ask for, if they begin with this head; None for all others, and where the
        body is so large that it counts in its sender's share."""
        slash = data.find(b"/", ID_AT, ID_ENDS)
        if not (data.startswith(BEGIN) and data.startswith(self.middle, slash)):
            return None
        first = slash + len(self.middle)
        after = data.find(b"\r", first, first + LENGTH_DIGITS_MAX + 1)
        if not data.startswith(self.end, after):
            return None
        workspace_id, length = _workspace_in(data[ID_AT:slash]), _length_in(data[first:after])
        if workspace_id is None or length is None:
            return None
        return Asked(workspace_id, after + len(self.end), length)


# The gaps of most heads are those of heads before them, and to look them up takes less.
@lru_cache(maxsize=1_024)
def _workspace_in(letters: bytes) -> str | None:
    """The id that fills the gap; None if it is none."""
    return letters.decode() if WORKSPACE.fullmatch(letters) else None


@lru_cache(maxsize=4_096)
def _length_in(digits: bytes) -> int | None:
    """The length that fills the gap; None if it is none, or counts in its sender's share."""
    return number_of(digits.decode(), UNCOUNTED_BYTES) if LENGTH.fullmatch(digits) else None


def size_of(message: RawRequestMessage, data: bytes) -> int:
    """How many of the bytes are the head that was read of them; 0 if it is written in an odd way.

    `data`: from the first byte of a request on.
    """
    head = b"\r\n".join((*_lines(message), b"\r\n"))
    return len(head) if data.startswith(head) else 0


def length_of(message: RawRequestMessage) -> int:
    """The bytes of the body; -1 if the head does not say it, or if nothing is plain after it."""
    if message.should_close or message.upgrade or message.chunked:
        return -1
    length = 0
    for name, value in message.raw_headers:
        if name.lower() == b"transfer-encoding":
            return -1
        if name.lower() == b"content-length":
            found = number_of(value.decode("latin-1"), limits.REQUEST_BYTES_MAX)
            if found is None:
                return -1
            length = found
    return length


def known_of(message: RawRequestMessage) -> KnownHead | None:
    """By what the head will be known again; None if there is something about it to be judged.

    It is written as `size_of` wants it.
    """
    if message.method != "POST" or message.version != HttpVersion11:
        return None
    if not PATH.fullmatch(message.path):
        return None
    given: dict[bytes, bytes] = {}
    for name, value in message.raw_headers:
        lower = name.lower()
        if lower not in PLAIN or lower in given or not VALUE.fullmatch(value):
            return None
        given[lower] = value
    media = media_in(given.get(b"content-type", b"").decode())
    if media != JSON and media not in NDJSON:
        return None
    if not LENGTH.fullmatch(given.get(b"content-length", b"")):
        return None
    if given.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    request, *lines = _lines(message)
    at = next(i for i, line in enumerate(lines) if line.lower().startswith(b"content-length:"))
    before = [
        request[request.index(b"/messages") :],
        *lines[:at],
        lines[at][: len("Content-Length: ")],
    ]
    token = bearer_in(given.get(b"authorization", b"").decode())
    known = KnownHead(
        middle=b"\r\n".join(before),
        end=b"\r\n".join((b"", *lines[at + 1 :], b"\r\n")),
        ndjson=media in NDJSON,
        host=given[b"host"].decode(),
        digest=digest_of(token) if token else None,
    )
    return known if len(known.middle) + len(known.end) <= HEAD_BYTES_MAX else None


def _lines(message: RawRequestMessage) -> list[bytes]:
    """The lines of the head, as most clients write them."""
    major, minor = message.version
    asked = f"{message.method} {message.path} HTTP/{major}.{minor}"
    lines = [b"%b: %b" % header for header in message.raw_headers]
    return [asked.encode("utf-8", "surrogateescape"), *lines]
