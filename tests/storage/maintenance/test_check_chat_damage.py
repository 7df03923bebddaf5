"""The check reports damage to chats: to their windows, their parts, and the ids they have seen."""

import re
from typing import Any

import msgspec
import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Erasure, Part, SeenPart
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import seen_ids
from hookbundle.tests.storage.populated import (
    Damage,
    change,
    drop,
    due,
    findings,
    first,
    put,
    report,
)
from hookbundle.tests.storage.scratch import ScratchDatabase

CHAT = keyspace.owned(keyspace.CHATS, 1, b"c")
ERASURE = keyspace.owned(keyspace.ERASURES, 1, b"gone")


@pytest.fixture
def db(populated_db: ScratchDatabase) -> ScratchDatabase:
    return populated_db


def windows(db: ScratchDatabase, copies: int = 1, webhook: int = 1, **changes: Any) -> None:
    """The window of the chat is another."""
    record = db.chat()
    assert record is not None
    (each,) = record.collecting
    assert each.window is not None
    window = msgspec.structs.replace(each.window, **changes)
    each = msgspec.structs.replace(each, window=window, webhook=webhook)
    put(db, CHAT, msgspec.structs.replace(record, collecting=[each] * copies))


def part(db: ScratchDatabase) -> SeenPart:
    """The first part of the chat's seen ids."""
    key = keyspace.seen_part(1, b"c", 0)
    return codec.unpack(key, db.dump()[key], SeenPart)


DAMAGE: Damage = {
    "a chat without a workspace": (
        lambda db: put(db, keyspace.owned(keyspace.CHATS, 9, b"c"), ChatRecord()),
        "chat 'c' of workspace 9: belongs to no workspace",
    ),
    "a window due at another time": (
        lambda db: windows(db, due_ms=5),
        "chat 'c' .*: has no row WINDOW in the due index at 5",
    ),
    "two windows for a webhook": (
        lambda db: windows(db, copies=2),
        "chat 'c' .*: has two entries for webhook 1",
    ),
    "a window for another's webhook": (
        lambda db: windows(db, webhook=3),
        "chat 'c' .*: has a window for webhook 3, which is not of this workspace",
    ),
    "a window with a message more": (
        lambda db: windows(db, count=201),
        "chat 'c' .*: its window says 201 messages, counted 200",
    ),
    "an empty window that no message left behind": (
        lambda db: windows(db, count=0),
        "chat 'c' .*: its window is empty, and was not opened by a message that left at once",
    ),
    "a window of more bytes": (
        lambda db: windows(db, tail_bytes=7),
        "chat 'c' .*: its window says tail_bytes 7, which is wrong",
    ),
    "a window of other times": (
        lambda db: windows(db, first_ms=7),
        "chat 'c' .*: its window says 7 to .*, which is wrong",
    ),
    "a chat to be forgotten with a window": (
        lambda db: change(db, CHAT, ChatRecord, forget_ms=5),
        "chat 'c' .*: is to be forgotten at 5, though a window of it is open",
    ),
    "a silent chat without its row": (
        lambda db: drop(db, due(db, DueKind.FORGET)),
        "chat '.*' .*: has no row FORGET in the due index",
    ),
    "a silent chat that is never forgotten": (
        lambda db: change(db, keyspace.owned(keyspace.CHATS, 1, b"long"), ChatRecord, forget_ms=0),
        "chat 'long' .*: has no row FORGET in the due index at 0",
    ),
    "a missing part of a window": (
        lambda db: drop(db, first(db, keyspace.PARTS)),
        "chat 'c' .*: part 0 of its window is missing",
    ),
    "a part of no window": (
        lambda db: put(db, keyspace.part(1, b"x", 1, 0), Part(members=[])),
        "window part 0 for webhook 1 of chat 'x' of workspace 1: belongs to no window",
    ),
    "a part of another webhook": (
        lambda db: put(db, keyspace.part(1, b"c", 3, 0), Part(members=[])),
        "window part 0 for webhook 3 of chat 'c' of workspace 1: belongs to no window",
    ),
    "a part with a message less": (
        lambda db: change(db, first(db, keyspace.PARTS), Part, members=[]),
        "chat 'c' .*: its window says 200 messages, counted",
    ),
    "a missing part of the seen ids": (
        lambda db: drop(db, first(db, keyspace.SEEN_PARTS)),
        "chat 'c' .*: part 0 of its seen ids is missing",
    ),
    "half an id in the chat": (
        lambda db: change(db, CHAT, ChatRecord, seen=b"half"),
        "chat 'c' .*: has 4 bytes of seen ids, should be a multiple of 8",
    ),
    "half a text of an id in the chat": (
        lambda db: change(db, CHAT, ChatRecord, texts=b"odd"),
        "chat 'c' .*: has 3 bytes of the texts of seen ids, should be a multiple of 4",
    ),
    "more texts than ids in a part": (
        lambda db: put(
            db, keyspace.seen_part(1, b"x", 0), SeenPart(last_ms=1, seen=b"", texts=b"text")
        ),
        "part of seen ids 0 of chat 'x' .*: has 4 bytes of the texts of seen ids.* at most 0",
    ),
    "half an id in a part": (
        lambda db: put(db, keyspace.seen_part(1, b"x", 0), SeenPart(last_ms=1, seen=b"odd")),
        "part of seen ids 0 of chat 'x' .*: has 3 bytes of seen ids",
    ),
    "seen ids of no chat": (
        lambda db: put(db, keyspace.seen_part(1, b"x", 0), SeenPart(last_ms=1, seen=b"")),
        "part of seen ids 0 of chat 'x' .*: belongs to no chat",
    ),
    "a part that its chat does not count": (
        lambda db: put(db, keyspace.seen_part(1, b"c", 7), SeenPart(last_ms=1, seen=b"")),
        "part of seen ids 7 of chat 'c' .*: is not among the parts 0 to 2 of its chat",
    ),
    "an id without its row": (
        lambda db: drop(db, first(db, keyspace.SEEN_IDS)),
        "part of seen ids . of chat 'c' .*: has the id .*, which has no row",
    ),
    "a row without its id": (
        lambda db: put(db, seen_ids.rows_of(1, b"c", 0) + bytes(8), b""),
        "seen id 0{16} of chat 'c' .*: is one of 193 rows with base 0, which .* of the 192 ids",
    ),
    "a row of another base": (
        lambda db: put(db, seen_ids.rows_of(1, b"c", 7) + bytes(8), b""),
        "seen id 0{16} of chat 'c' .*: is one of 1 rows with base 7, which .* of the 0 ids",
    ),
    "a row of no workspace": (
        lambda db: put(db, seen_ids.rows_of(9, b"c", 0) + bytes(8), b""),
        "seen id 0{16} of chat 'c' of workspace 9: belongs to no workspace",
    ),
    "an id in two parts": (
        lambda db: change(db, keyspace.seen_part(1, b"c", 1), SeenPart, seen=part(db).seen),
        "seen id .* of chat 'c' .*: is one of 192 rows with base 0, which",
    ),
    "a part of another base": (
        lambda db: change(db, CHAT, ChatRecord, seen_base=2),
        "part of seen ids 0 of chat 'c' .*: has rows with base 0, its chat looks for those with 2",
    ),
    "a part of a base that no key can hold": (
        lambda db: change(db, keyspace.seen_part(1, b"c", 0), SeenPart, base=-1),
        "part of seen ids 0 of chat 'c' .*: has a number or a chat that no key can hold",
    ),
    "ids that an erasure does not take": (
        lambda db: change(db, ERASURE, Erasure, seen_before=0),
        "part of seen ids 0 of chat 'gone' .*: belongs to no chat",
    ),
    "an erasure without its row": (
        lambda db: drop(db, due(db, DueKind.ERASE)),
        "erasure 'gone' of workspace 1: has no row in the due index",
    ),
    "an erasure of deliveries to come": (
        lambda db: change(db, ERASURE, Erasure, before=99),
        "erasure 'gone' of workspace 1: is of deliveries before 99, which was never assigned",
    ),
    "an erasure of a workspace that is there": (
        lambda db: put(db, keyspace.owned(keyspace.ERASURES, 1), Erasure("acme", 1, 1)),
        "erasure of workspace 1: is of a workspace that still exists",
    ),
    "an erasure of a chat of no workspace": (
        lambda db: put(db, keyspace.owned(keyspace.ERASURES, 9, b"c"), Erasure("x", 1, 1)),
        "erasure 'c' of workspace 9: is of a chat whose workspace does not exist",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_check_finds_the_damage(db: ScratchDatabase, damage: str) -> None:
    do_damage, expected = DAMAGE[damage]

    do_damage(db)

    assert re.search(expected, report(db)), report(db)


def test_ids_that_are_being_erased_may_be_known_again(db: ScratchDatabase) -> None:
    db.accept(*(f"g{number}" for number in range(70)), chat="gone")

    record = db.chat("gone")
    assert record is not None
    assert (record.seen_base, record.seen_next) == (1, 2)
    assert findings(db) == []


def test_of_a_damaged_part_the_rows_are_not_reported_too(db: ScratchDatabase) -> None:
    put(db, keyspace.seen_part(1, b"c", 0), b"")

    assert {finding.where for finding in findings(db)} == {
        "part of seen ids 0 of chat 'c' of workspace 1",
        "usage of workspace 1",  # its seen_bytes
    }
