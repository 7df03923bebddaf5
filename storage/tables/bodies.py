"""The bodies of deliveries: written once, when a delivery is sealed, and never changed.

One of a webhook with a format has a second body, the rendered one, which is what its receiver gets.
It is written in the transaction that begins its first attempt, and never changed either.

A large body is cut into chunks. LMDB gives a value of more than about 2,000 bytes pages of its own
that have to lie side by side, and a file in use for long has few long stretches of free pages.

Beside the first chunk stands when each message of a bundle arrived: 4 bytes a message, in the order
of the body, in milliseconds after the window was opened. So no attempt pays for them, and they are
read and deleted with the body. A single message needs none: it came when its delivery was opened.
Nor does a bundle of one message that opened its window; others of the window may have been deleted.
"""

import struct
from collections.abc import Callable, Sequence

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import Member
from hookbundle.storage.database.delivery_records import Chunk, Delivery
from hookbundle.storage.database.unit import Unit

SEALED, RENDERED = keyspace.BODIES, keyspace.RENDERED
BOTH = (SEALED, RENDERED)
CHUNK_BYTES = 60_000
NOT_KNOWN = 2**32 - 1  # of a message whose window an earlier version opened
LATEST = NOT_KNOWN - 1  # 49 days


class InBody(msgspec.Struct, frozen=True, gc=False):
    """A message of a body, without its text."""

    message_id: str = ""
    timestamp: str = ""
    direction: str = ""


class _Body(msgspec.Struct, frozen=True, gc=False):
    """Of a bundle, or of a single message."""

    messages: list[InBody] | None = None
    message: InBody | None = None


_bodies = msgspec.json.Decoder(_Body)


def put(
    unit: Unit,
    webhook: int,
    delivery: int,
    body: bytes,
    arrivals: bytes = b"",
    prefix: bytes = SEALED,
) -> None:
    """The body is stored, and beside the sealed one when its messages arrived."""
    for number, start in enumerate(range(0, len(body), CHUNK_BYTES)):
        key = keyspace.of_delivery(prefix, webhook, delivery, number)
        chunk = Chunk(body[start : start + CHUNK_BYTES], b"" if start else arrivals)
        unit.put(key, chunk)


def read(
    get: Callable[[bytes], bytes | None],
    webhook: int,
    delivery: int,
    body_bytes: int,
    prefix: bytes = SEALED,
) -> bytes:
    """The body, of `body_bytes` bytes. `get` reads a raw record by its key.

    Raises: CorruptRecord if a part of it is missing or damaged.
    """
    return read_all(get, webhook, delivery, body_bytes, prefix)[0]


def sent(get: Callable[[bytes], bytes | None], webhook: int, head: Delivery) -> bytes:
    """The body that its receiver gets, or got: until one was rendered it is the sealed one.

    Raises: as `read`.
    """
    if head.rendered_bytes:
        return read(get, webhook, head.number, head.rendered_bytes, RENDERED)
    return read(get, webhook, head.number, head.body_bytes)


def read_all(
    get: Callable[[bytes], bytes | None],
    webhook: int,
    delivery: int,
    body_bytes: int,
    prefix: bytes = SEALED,
) -> tuple[bytes, bytes]:
    """As `read`, and what is stored beside it of the arrivals."""
    chunks: list[bytes] = []
    arrivals = b""
    for number in range(chunks_of(body_bytes)):
        key = keyspace.of_delivery(prefix, webhook, delivery, number)
        value = get(key)
        if value is None:
            raise CorruptRecord(f"record {key!r}: this part of a body is missing")
        chunk = codec.unpack(key, value, Chunk)
        chunks.append(chunk.body)
        arrivals = arrivals or chunk.arrivals
    return (chunks[0] if len(chunks) == 1 else b"".join(chunks)), arrivals


def messages_in(body: bytes) -> list[InBody]:
    """The messages of the body in their order; none if it can't be read."""
    try:
        read = _bodies.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # 0.1 may have stored such a one
        return []
    return read.messages or ([read.message] if read.message else [])


def delete(
    unit: Unit, webhook: int, delivery: int, body_bytes: int, prefix: bytes = SEALED
) -> None:
    for number in range(chunks_of(body_bytes)):
        unit.delete(keyspace.of_delivery(prefix, webhook, delivery, number))


def chunks_of(body_bytes: int) -> int:
    """How many chunks a body of that size has."""
    return -(-body_bytes // CHUNK_BYTES)


def packed_arrivals(members: Sequence[Member], opened_ms: int) -> bytes:
    """The arrivals of a bundle's messages, to be stored."""
    if len(members) < 2 and all(member.arrived_ms in (0, opened_ms) for member in members):
        return b""
    after = [member.arrived_ms - opened_ms for member in members]
    if min(after) < 0 or max(after) > LATEST:  # hardly ever; to look at each costs as much again
        known = [member.arrived_ms for member in members]
        after = [min(max(at - opened_ms, 0), LATEST) if at else NOT_KNOWN for at in known]
    return struct.pack(f">{len(after)}I", *after)


def arrivals_of(delivery: Delivery, arrivals: bytes) -> list[int]:
    """When each message of the body arrived; 0 where it is not known."""
    if delivery.messages == 1 and not arrivals:
        return [delivery.opened_ms]
    if len(arrivals) != 4 * delivery.messages:  # sealed by an earlier version
        return [0] * delivery.messages
    after = struct.unpack(f">{delivery.messages}I", arrivals)
    return [0 if each == NOT_KNOWN else delivery.opened_ms + each for each in after]
