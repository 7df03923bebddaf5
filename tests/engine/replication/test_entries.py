"""Entries are read as they were written, whatever stands in the headers of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.replication.entries import (
    Claim,
    End,
    Entry,
    Generation,
    Header,
    Kind,
    cut,
    entry_of,
    headers_of,
    in_order,
    pack,
    pack_rows,
    unpack,
    unpack_rows,
)

HEADER = Header(kind=Kind.GROUP, epoch=3, prev=7, id="0f.12", at_ms=5, schema=2)


def test_headers_are_read_as_they_were_written() -> None:
    for header, body in cut(HEADER, b"12345", 2):
        assert entry_of(8, headers_of(header), body) == Entry(8, header, body)


def test_a_body_that_is_too_large_is_cut_into_parts_that_follow_one_another() -> None:
    parts = cut(HEADER, b"12345", 2)

    assert [(header.prev, header.part, body) for header, body in parts] == [
        (7, 1, b"12"),
        (8, 2, b"34"),
        (9, 3, b"5"),
    ]
    assert {header.parts for header, _ in parts} == {3}
    assert len(cut(HEADER, b"", 2)) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Hb-Kind", "other"),
        ("Hb-Kind", None),
        ("Hb-Epoch", "-1"),
        ("Hb-Epoch", "٣"),
        ("Hb-Prev", "1" * 20),
        ("Hb-Prev", " 7"),
        ("Hb-Id", "12"),
        ("Hb-Id", "a.1\n"),
        ("Hb-Part", "2/1"),
        ("Hb-Part", "0/1"),
        ("Hb-Part", "1/9999"),
        ("Hb-Sum", None),
    ],
)
def test_headers_that_cannot_be_read_give_an_entry_that_counts_for_nobody(
    name: str, value: str | None
) -> None:
    headers = headers_of(HEADER)
    headers.pop(name, None)
    if value is not None:
        headers[name] = value

    assert entry_of(8, headers, b"x") == Entry(8, None, b"x")


@given(st.dictionaries(st.binary(), st.none() | st.binary()))
def test_rows_are_read_as_they_were_written_in_the_order_of_their_keys(
    rows: dict[bytes, bytes | None],
) -> None:
    assert unpack_rows(pack_rows(in_order(rows))) == sorted(rows.items())


def test_bodies_are_read_as_they_were_written_and_others_are_errors() -> None:
    assert unpack(Claim, pack(Claim("node", "1.2", 3))) == Claim("node", "1.2", 3)
    assert unpack(End, pack(End("3x12", 9))) == End("3x12", 9)
    for body in (b"", b"\xc1", b"\x01", b"\x80"):
        with pytest.raises(CorruptRecord):
            unpack(Claim, body)
        with pytest.raises(CorruptRecord):
            unpack_rows(body)


def test_a_generation_has_a_name_of_which_it_can_be_read() -> None:
    assert str(Generation(3, 12)) == "3x12"
    assert Generation.read("3x12") == (3, 12)
    with pytest.raises(CorruptRecord, match="not the name of a generation"):
        Generation.read("3x")
