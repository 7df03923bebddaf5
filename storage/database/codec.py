"""The encoding of records: a version, a checksum, MessagePack.

    byte 0      version of the encoding
    bytes 1-4   CRC-32 of key and body, big-endian
    bytes 5-    the record as a MessagePack array, fields in their declared order

LMDB does not detect a flipped bit in a value, nor a page written to the wrong place. The checksum
detects both, because it covers the key as well. Older records can still be read after a field with
a default is added at the end of a record; any other change of fields raises the version.
"""

import struct
from collections.abc import Callable
from typing import Any, TypeVar
from zlib import crc32

import msgpack
import msgspec

from hookbundle.engine.errors import CorruptRecord

VERSION = 1
HEAD = struct.Struct(">BI")

R = TypeVar("R", bound=msgspec.Struct)

_encode = msgspec.msgpack.Encoder().encode
_pack_head, _unpack_head, HEAD_BYTES = HEAD.pack, HEAD.unpack_from, HEAD.size
_raw = msgspec.msgpack.Decoder(list[msgspec.Raw])


def pack(key: bytes, record: msgspec.Struct) -> bytes:
    body = _encode(record)
    return _pack_head(VERSION, crc32(body, crc32(key))) + body


def unpack(key: bytes, value: bytes, kind: type[R]) -> R:
    """The record under `key`.

    Raises: CorruptRecord if it is truncated, damaged, or of another version or kind.
    """
    if len(value) < HEAD_BYTES:
        raise CorruptRecord(f"record {key!r}: {len(value)} bytes, want at least {HEAD_BYTES}")
    version, checksum = _unpack_head(value)
    if version != VERSION:
        raise CorruptRecord(f"record {key!r}: version {version}, this program reads {VERSION}")
    body = value[HEAD_BYTES:]
    if crc32(body, crc32(key)) != checksum:
        raise CorruptRecord(f"record {key!r}: its checksum does not match; the file is damaged")
    try:
        record: R = _decode[kind](body)
        return record
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise CorruptRecord(f"record {key!r}: not a {kind.__name__}: {exc}") from exc


def readable(key: bytes, value: bytes, kind: type[R]) -> R | None:
    """The record under `key`; None if it is damaged, where that must not stop the others."""
    try:
        return unpack(key, value, kind)
    except CorruptRecord:
        return None


def pack_array(packed: list[bytes]) -> bytes:
    """A MessagePack array of values that are packed already."""
    return _encode([msgspec.Raw(each) for each in packed])


def unpack_array(array: bytes) -> list[bytes]:
    """The values of the array, each as it is packed. Raises: CorruptRecord."""
    try:
        return [bytes(each) for each in _raw.decode(array)]
    except msgspec.DecodeError as exc:
        raise CorruptRecord(f"events of the feed: no array: {exc}") from exc


def unpack_events(packed: bytes) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = msgpack.unpackb(packed)
    return events


class StoredFact(msgspec.Struct, frozen=True):
    """An event as it is stored. `time` is UTC milliseconds. `webhook`: its id, if it is of one;
    empty also in one from before there were several."""

    type: str
    time: int
    workspace: str
    chat: str
    data: dict[str, Any]
    webhook: str = ""


def unpack_facts(packed: bytes, first: int, most: int) -> list[StoredFact]:
    """Up to `most` events from index `first` on. The others are not decoded, which saves time."""
    return [_fact.decode(raw) for raw in _raw.decode(packed)[first : first + most]]


_fact = msgspec.msgpack.Decoder(StoredFact)


class _Decoders(dict[type[msgspec.Struct], Callable[[bytes], Any]]):
    """The decoder of each kind of record, made when it is first needed."""

    def __missing__(self, kind: type[msgspec.Struct]) -> Callable[[bytes], Any]:
        decode = self[kind] = msgspec.msgpack.Decoder(kind).decode
        return decode


_decode = _Decoders()
