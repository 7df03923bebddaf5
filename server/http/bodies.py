"""The body of a request: read by ourselves, in pieces, under a deadline and within a budget.

Nothing of it is read or unpacked before the handler asks for it, and the handler asks once it knows
who calls. What arrives is counted against a budget that all callers share (FairLimit), piece by
piece, so that who announces much and sends little holds little; and it stays counted until the
request is answered, because what is made of a body lives as long. A body of up to `UNCOUNTED_BYTES`
is not counted: those are bounded by the number of connections. Who sends faster than the messages
of large bodies can be read at all has to keep a pace.
"""

import asyncio
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import BadRequest
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.engine.fairness.loop_share import Pace
from hookbundle.engine.limits import REQUEST_BYTES_MAX
from hookbundle.server.http.authentication import CALLER
from hookbundle.server.http.sockets.connections import waited_s
from hookbundle.server.http.wire import EXPECTED, SmallChunks, holds

UNCOUNTED_BYTES = 16 * 1024
# Beside the body itself: its messages as they are stored, which are about as large.
BYTES_HELD_FOR_ONE = 2
UNPACKED_AT_ONCE = 64 * 1024
# From one owner: what is valid is read more slowly than this, and to refuse the rest takes no time.
BYTES_A_SECOND = 64 * 1024 * 1024
BYTES_AHEAD = 2 * REQUEST_BYTES_MAX
MEMBERS_MAX = 64  # of a gzip stream; each may be empty, and costs some work nevertheless
WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
DEFLATE = 8  # in the low bits of a zlib stream's first byte
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """`within_s`: how long a body may take to arrive. `budget`: of bytes, by workspace. `pace`: at
    which the bodies of a workspace are received."""

    within_s: float
    budget: FairLimit[str]
    pace: Pace = field(default_factory=lambda: Pace(BYTES_A_SECOND, BYTES_AHEAD))


BODY_LIMITS = web.AppKey("body_limits", BodyLimits)


@dataclass(slots=True)
class Held:
    """What a request holds of the budget."""

    budget: FairLimit[str]
    owner: str
    amount: int = 0

    def more(self, size: int) -> None:
        """Raises: TooManyRequests, Overloaded."""
        self.budget.take(self.owner, size)
        self.amount += size

    def let_go(self) -> None:
        if self.amount:
            self.budget.give_back(self.owner, self.amount)
            self.amount = 0


HELD = web.RequestKey("held", Held)


async def body_bytes(request: web.Request, bytes_max: int) -> bytes:
    """The body, unpacked; empty if there is none. Its bytes are held until `let_go`.

    Raises: TooManyRequests, Overloaded if there is no room for it; BadRequest if it is garbled
        (400), slow (408), too large (413) or packed in a way that is not known (415).
    """
    packing = request.headers.get("Content-Encoding")
    if packing is None and request.content.is_eof():  # it came with the head, as short ones do
        body = request.content.read_nowait()
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        if len(body) > UNCOUNTED_BYTES:
            _holding(request).more(len(body) * BYTES_HELD_FOR_ONE)
        return body
    if (request.content_length or 0) > bytes_max:
        raise _too_large(bytes_max)
    unpacking = _unpacking(packing)
    try:
        async with asyncio.timeout(request.app[BODY_LIMITS].within_s - waited_s(request)):
            return await _arriving(request, unpacking, bytes_max)
    except TimeoutError:
        raise BadRequest.of(Code.BODY_TOO_SLOW) from None
    except (ConnectionError, RuntimeError, web.RequestPayloadError, zlib.error) as exc:
        if isinstance(exc, RuntimeError) and request.transport is not None:
            raise  # else it is aiohttp's word for a connection that was closed before
        exc.__traceback__ = None  # the stream keeps the error, which would keep what has come
        raise _meaning(exc) from None


async def read_away(request: web.Request, bytes_max: int) -> bool:
    """Receives the rest of a body that is too large, and keeps none of it.

    False if it is not over after so many bytes or `within_s`: then the connection has to end. For
    those who would send it again, whatever they are told, until it was taken.
    """
    content, owner = request.content, owner_of(request)
    bounds, arrived, held = request.app[BODY_LIMITS], 0, _holding(request)
    held.let_go()  # what has come is not kept
    held.more(UNPACKED_AT_ONCE)
    try:
        async with asyncio.timeout(bounds.within_s):
            await _say_go_on(request)
            while piece := await content.readany():
                arrived += len(piece)
                if arrived > bytes_max:
                    return False
                await asyncio.sleep(bounds.pace.rest_s(owner, len(piece)))
    except (TimeoutError, ConnectionError, web.RequestPayloadError):
        return False
    return True


def let_go(request: web.Request) -> None:
    """The request is answered, and holds nothing any more, nor what nobody wanted to read."""
    if request.can_read_body and request.content.exception() is None:
        request.content.read_nowait()
    if holds(request, HELD):
        request[HELD].let_go()


def _meaning(error: Exception) -> Exception:
    match error:
        case SmallChunks():
            return BadRequest.of(Code.SMALL_CHUNKS)
        case web.RequestPayloadError() | zlib.error():
            return _garbled()
        case _:
            return ConnectionResetError("the client has left, or had to make room")


async def _say_go_on(request: web.Request) -> None:
    """A client that asks first sends the body, and is told so once."""
    if request.get(EXPECTED, "").lower() == "100-continue":
        request[EXPECTED] = ""
        await request.writer.write(CONTINUE)
        request.writer.output_size = 0  # the answer has not begun


async def _arriving(request: web.Request, unpacking: "Unpacking | None", bytes_max: int) -> bytes:
    await _say_go_on(request)
    content, body = request.content, bytearray()
    pace, owner = request.app[BODY_LIMITS].pace, owner_of(request)
    counted, arrived = 0, 0
    while piece := await content.readany():
        arrived += len(piece)
        if arrived > bytes_max:
            raise _too_large(bytes_max)
        for part in unpacking.parts(piece) if unpacking else (piece,):
            body += part
            if len(body) > bytes_max:
                raise _too_large(bytes_max)
            if len(body) > UNCOUNTED_BYTES:
                _holding(request).more((len(body) - counted) * BYTES_HELD_FOR_ONE)
                counted = len(body)
            if unpacking:
                await asyncio.sleep(0)  # a few packed bytes may be many: others have their turn
        rest_s = pace.rest_s(owner, len(piece))
        if rest_s:
            await asyncio.sleep(rest_s)
    if unpacking and not unpacking.complete:
        raise _garbled()
    return bytes(body)


@dataclass(slots=True)
class Unpacking:
    """A packed body, unpacked in parts of bounded size. `complete`: its end was seen."""

    packing: str
    members: int = 0
    complete: bool = False
    _stream: "zlib._Decompress | None" = field(default=None)

    def parts(self, packed: bytes) -> Iterator[bytes]:
        """Raises: zlib.error if it is not what it should be."""
        while packed:
            stream = self._stream or self._begun(packed[0])
            yield stream.decompress(packed, UNPACKED_AT_ONCE)
            packed = stream.unconsumed_tail
            self.complete = stream.eof
            if stream.eof:
                self._stream, packed = None, stream.unused_data

    def _begun(self, first: int) -> "zlib._Decompress":
        """What may begin anew: only gzip has several members, one after the other."""
        self.members += 1
        if self.members > (MEMBERS_MAX if self.packing.endswith("gzip") else 1):
            raise zlib.error("more follows the end")
        bits = WINDOW_BITS[self.packing]
        if self.packing == "deflate" and first & 0xF != DEFLATE:
            bits = -bits  # without zlib's frame, as some clients send it
        self._stream = zlib.decompressobj(bits)
        return self._stream


def _unpacking(packing: str | None) -> Unpacking | None:
    name = "identity" if packing is None else packing.strip().lower()
    if name in ("identity", ""):
        return None
    if name not in WINDOW_BITS:
        raise BadRequest.of(Code.UNKNOWN_ENCODING, encoding=name)
    return Unpacking(name)


def _holding(request: web.Request) -> Held:
    held = request.get(HELD)
    if held is None:
        held = request[HELD] = Held(request.app[BODY_LIMITS].budget, owner_of(request))
    return held


def owner_of(request: web.Request) -> str:
    """Who pays for the body: the workspace of the caller's token, or the one that an operator asks
    about. Empty if nobody knows who sends it."""
    caller = request.get(CALLER)
    return "" if caller is None else caller.workspace_id or request.match_info.get("ws", "")


def _too_large(bytes_max: int) -> BadRequest:
    return BadRequest.of(Code.BODY_TOO_LARGE, most=bytes_max)


def _garbled() -> BadRequest:
    return BadRequest.of(Code.BODY_GARBLED)
