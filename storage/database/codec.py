"""Records as bytes: a version, a checksum, MessagePack.

    byte 0      version of the record's shape
    bytes 1-4   CRC-32 of key and body, big-endian
    bytes 5-    the record as a MessagePack array, fields in their declared order

LMDB does not notice a flipped bit in a value, nor a page that stands in another's place; the
checksum covers the key as well, so it notices both. A field added to the end of a record, with a
default, reads older records as they are; any other change raises the version.
"""

import struct
from functools import cache
from typing import Any, TypeVar
from zlib import crc32

import msgpack
import msgspec

from hookbundle.engine.errors import CorruptRecord

VERSION = 1
HEAD = struct.Struct(">BI")

R = TypeVar("R", bound=msgspec.Struct)

_encoder = msgspec.msgpack.Encoder()
_raw = msgspec.msgpack.Decoder(list[msgspec.Raw])


def pack(key: bytes, record: msgspec.Struct) -> bytes:
    body = _encoder.encode(record)
    return HEAD.pack(VERSION, crc32(body, crc32(key))) + body


def unpack(key: bytes, value: bytes, kind: type[R]) -> R:
    """The record under `key`.

    Raises: CorruptRecord if it is cut, damaged, of another version or not of this kind.
    """
    if len(value) < HEAD.size:
        raise CorruptRecord(f"record {key!r}: {len(value)} bytes, want at least {HEAD.size}")
    version, checksum = HEAD.unpack_from(value)
    if version != VERSION:
        raise CorruptRecord(f"record {key!r}: version {version}, this program reads {VERSION}")
    body = value[HEAD.size :]
    if crc32(body, crc32(key)) != checksum:
        raise CorruptRecord(f"record {key!r}: its checksum does not match; the file is damaged")
    try:
        record: R = _decoder(kind).decode(body)
        return record
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise CorruptRecord(f"record {key!r}: is no {kind.__name__}: {exc}") from exc


def pack_events(events: list[dict[str, Any]]) -> bytes:
    """The facts of one commit, in the form in which feed readers get them."""
    return _encoder.encode(events)


def unpack_events(packed: bytes) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = msgpack.unpackb(packed)
    return events


class Fact(msgspec.Struct, frozen=True):
    """One of the facts of a commit."""

    type: str
    time: int
    workspace: str
    chat: str
    data: dict[str, Any]


def unpack_facts(packed: bytes, first: int, most: int) -> list[Fact]:
    """Up to `most` facts from the one at index `first` on; the others are not even made."""
    return [_fact.decode(raw) for raw in _raw.decode(packed)[first : first + most]]


_fact = msgspec.msgpack.Decoder(Fact)


@cache
def _decoder(kind: type[msgspec.Struct]) -> Any:
    return msgspec.msgpack.Decoder(kind)
