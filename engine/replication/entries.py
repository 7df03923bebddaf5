"""An entry of a partition's log: its headers, its body, and how both are written.

    Hb-Kind     what it is                           Hb-Part    `i/n`, if the body was cut
    Hb-Epoch    of the owner that wrote it           Hb-At      the engine's time, in ms
    Hb-Prev     the number it wants to stand behind  Hb-Schema  of the rows
    Hb-Id       `<life>.<n>`                         Hb-Sum     CRC-32 of the body

A life is random for each start of a process, and n counts its publications: by `Hb-Id` alone a
writer knows its own entries. Bodies are MessagePack: of `base` and `group` an array of
[key, value, or nil for deleted] in the order of keys, of the others one of the records below.

An entry whose headers can't be read was not written by hookbundle. It has no `Header`, and counts
for nobody (chain.py). A later version that writes other headers, or lets others count, calls that
a `format` and writes its number as `Hb-Format`: who does not know the format must not take such an
entry for void, which others count, and reads no further.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar
from zlib import crc32

import msgspec
from msgspec.structs import replace

from hookbundle.engine.errors import CorruptRecord, LogDamaged
from hookbundle.engine.replication.cluster import FORMAT

PARTS_MAX = 1_024
NUMBER_MAX = 1 << 63
NAME_OF_ID = re.compile(r"[0-9a-z]{1,40}\.[0-9]{1,19}")
NUMBER = re.compile(r"[0-9]{1,19}")
NUMBERS = re.compile(r"[0-9]{1,19}( [0-9]{1,19}){4}")
PART = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")
GENERATION = re.compile(r"([0-9]{1,19})x([0-9]{1,19})")

Row = tuple[bytes, bytes | None]
Rows = Mapping[bytes, bytes | None]
"""What a group wrote, by key; None: it was deleted."""


class Kind(StrEnum):
    """What an entry is."""

    BASE = "base"  # some records of the database, with which a generation begins
    BEGIN = "begin"  # the base is complete, and the generation can be used
    CLAIM = "claim"  # a node takes the partition, under a new epoch
    GROUP = "group"  # the rows that a group of transitions wrote
    RELEASE = "release"  # the owner gives the partition away
    END = "end"  # the log goes on in another generation


class Generation(NamedTuple):
    """The stretch of a log between two bases. `epoch`: in which it was begun."""

    number: int
    epoch: int

    def __str__(self) -> str:
        return f"{self.number}x{self.epoch}"

    @classmethod
    def read(cls, text: str) -> "Generation":
        """Raises: CorruptRecord."""
        found = GENERATION.fullmatch(text)
        if found is None:
            raise CorruptRecord(f"{text!r} is not the name of a generation, such as 3x12")
        return cls(int(found[1]), int(found[2]))


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of an entry say; `part` of `parts` begins at 1."""

    kind: Kind
    epoch: int
    prev: int
    id: str
    part: int = 1
    parts: int = 1
    at_ms: int = 0
    schema: int = 0
    checksum: int = 0

    @property
    def life(self) -> str:
        """Of the process that wrote it."""
        return self.id.partition(".")[0]


class Entry(msgspec.Struct, frozen=True):
    """What stands in the log under a number. `header` is None if it can't be read.

    `format`: of the log, as far as the entry says it.
    """

    seq: int
    header: Header | None
    body: bytes
    format: int = FORMAT


class Claim(msgspec.Struct, frozen=True):
    """`schema`: which the node writes."""

    node: str
    version: str
    schema: int


class Begin(msgspec.Struct, frozen=True):
    """`records`: how many the base has. `owner`, `claim`: of the chain in which it was written.
    `erased_ms`: when something was first deleted that may stand in it."""

    records: int
    owner: str = ""
    claim: str = ""
    erased_ms: int | None = None


class Release(msgspec.Struct, frozen=True):
    """`to`: the node that may claim the partition at once."""

    to: str


class End(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The log goes on in `generation`, after the number `from`, of which the rest tells what who
    reads it from its beginning knows (`Chain`)."""

    generation: str
    from_: int
    base_bytes: int = 0
    begun_ms: int = 0
    erased_ms: int | None = None
    mark: str = ""


Body = TypeVar("Body", Claim, Begin, Release, End)


def headers_of(header: Header) -> dict[str, str]:
    written = {
        "Hb-Kind": header.kind.value,
        "Hb-Epoch": str(header.epoch),
        "Hb-Prev": str(header.prev),
        "Hb-Id": header.id,
        "Hb-At": str(header.at_ms),
        "Hb-Schema": str(header.schema),
        "Hb-Sum": str(header.checksum),
    }
    if header.parts > 1:
        written["Hb-Part"] = f"{header.part}/{header.parts}"
    return written


def entry_of(seq: int, headers: Mapping[str, str], body: bytes) -> Entry:
    """The entry as it was read, whatever stands in its headers."""
    format_ = headers.get("Hb-Format", "")
    if NUMBER.fullmatch(format_) and int(format_) > FORMAT:
        return Entry(seq, None, body, int(format_))
    kind, id_ = headers.get("Hb-Kind", ""), headers.get("Hb-Id", "")
    part = PART.fullmatch(headers.get("Hb-Part", "1/1"))
    names = ("Hb-Epoch", "Hb-Prev", "Hb-At", "Hb-Schema", "Hb-Sum")
    written = " ".join([headers.get(name, "") for name in names])
    if kind not in KINDS or not NAME_OF_ID.fullmatch(id_) or part is None:
        return Entry(seq, None, body)
    if not NUMBERS.fullmatch(written):
        return Entry(seq, None, body)
    epoch, prev, at_ms, schema, checksum = numbers = [int(number) for number in written.split(" ")]
    if max(numbers) >= NUMBER_MAX:
        return Entry(seq, None, body)
    number, count = int(part[1]), int(part[2])
    if not 1 <= number <= count <= PARTS_MAX:
        return Entry(seq, None, body)
    header = Header(
        kind=Kind(kind),
        epoch=epoch,
        prev=prev,
        id=id_,
        part=number,
        parts=count,
        at_ms=at_ms,
        schema=schema,
        checksum=checksum,
    )
    return Entry(seq, header, body)


def cut(header: Header, body: bytes, most: int) -> list[tuple[Header, bytes]]:
    """The entry, or its parts of up to `most` bytes, each of which wants to stand behind the one
    before; `header` is that of the first."""
    pieces = [body[at : at + most] for at in range(0, len(body), most)] or [b""]
    assert len(pieces) <= PARTS_MAX, f"{len(body)} bytes are more than an entry may have"
    return [
        (
            replace(
                header,
                prev=header.prev + index,
                part=index + 1,
                parts=len(pieces),
                checksum=crc32(piece),
            ),
            piece,
        )
        for index, piece in enumerate(pieces)
    ]


def pack(body: Claim | Begin | Release | End) -> bytes:
    return _encode(body)


def unpack(kind: type[Body], body: bytes) -> Body:
    """Raises: LogDamaged. What a later version has added is passed over."""
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise LogDamaged(f"an entry of the log is not a {kind.__name__}: {exc}") from exc


def in_order(rows: Rows) -> list[Row]:
    return sorted(rows.items())


def pack_rows(rows: Sequence[Row]) -> bytes:
    """`rows`: in the order of their keys."""
    return _encode(rows)


def unpack_rows(body: bytes) -> list[Row]:
    """Raises: LogDamaged."""
    try:
        return _rows.decode(body)
    except msgspec.DecodeError as exc:
        raise LogDamaged(f"an entry of the log has no rows: {exc}") from exc


KINDS = frozenset(Kind)
_encode = msgspec.msgpack.Encoder().encode
_rows = msgspec.msgpack.Decoder(list[Row])
