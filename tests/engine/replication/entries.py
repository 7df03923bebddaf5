"""Entries of a log, written in a line."""

from zlib import crc32

from hookbundle.engine.replication.entries import (
    Begin,
    Claim,
    End,
    Entry,
    Header,
    Kind,
    Release,
    pack,
)

BODIES = {
    Kind.BASE: b"\x90",
    Kind.GROUP: b"\x90",
    Kind.BEGIN: pack(Begin(0)),
    Kind.CLAIM: pack(Claim("a", "1", 2)),
    Kind.RELEASE: pack(Release("b")),
    Kind.END: pack(End("2x1", 7)),
}


def entry(
    seq: int,
    kind: Kind = Kind.GROUP,
    *,
    epoch: int = 1,
    prev: int | None = None,
    id_: str = "a.1",
    part: tuple[int, int] = (1, 1),
    body: bytes | None = None,
) -> Entry:
    """One that stands where it wants to stand, unless `prev` says otherwise."""
    body = BODIES[kind] if body is None else body
    header = Header(
        kind=kind,
        epoch=epoch,
        prev=seq - 1 if prev is None else prev,
        id=id_,
        part=part[0],
        parts=part[1],
        checksum=crc32(body),
    )
    return Entry(seq, header, body)
