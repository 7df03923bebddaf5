"""The check reports damage to what is known of when messages arrived, and to the meter."""

import re

import msgspec
import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import Arrivals, ChatRecord
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import Usage, WebhookState
from hookbundle.storage.tables.arrivals import rows as arrival_rows
from hookbundle.tests.storage.populated import Damage, change, drop, due, first, put, report
from hookbundle.tests.storage.scratch import ScratchDatabase

USAGE = keyspace.owned(keyspace.USAGES, 1)
ROW = arrival_rows.key_of(1, 5, b"c", 9)
NAME = r"arrivals at \d+ of chat 'gone' on day \d+ for webhook 1: "


@pytest.fixture
def db(populated_db: ScratchDatabase) -> ScratchDatabase:
    return populated_db


def arrivals(db: ScratchDatabase) -> bytes:
    return first(db, keyspace.ARRIVALS)


def in_record(db: ScratchDatabase, packed: bytes) -> None:
    record = db.chat()
    assert record is not None
    collecting = [msgspec.structs.replace(each, arrivals=packed) for each in record.collecting]
    change(db, keyspace.owned(keyspace.CHATS, 1, b"c"), ChatRecord, collecting=collecting)


DAMAGE: Damage = {
    "a row that is gone": (
        lambda db: drop(db, arrivals(db)),
        "usage of workspace 1: says arrival_bytes ",
    ),
    "a row that nothing counts": (
        lambda db: put(db, ROW, Arrivals(packed=b"\0\0\0\0")),
        "usage of workspace 1: says arrival_bytes ",
    ),
    "a row of a webhook that never was": (
        lambda db: put(db, arrival_rows.key_of(99, 5, b"c", 9), Arrivals(packed=b"\0\0\0\0")),
        "arrivals at 9 of chat 'c' on day 5 for webhook 99: belongs to no webhook",
    ),
    "an empty row": (
        lambda db: change(db, arrivals(db), Arrivals, packed=b""),
        NAME + "has no arrivals",
    ),
    "half an arrival": (
        lambda db: change(db, arrivals(db), Arrivals, packed=b"\0\0\0\0\0"),
        NAME + "has 5 bytes of arrivals, which is no whole number of them",
    ),
    "an arrival after the end of the day": (
        lambda db: change(db, arrivals(db), Arrivals, packed=b"\xff\xff\xff\xff"),
        NAME + "has an arrival at second 131071 of a day",
    ),
    "a damaged row": (
        lambda db: put(db, arrivals(db), b"\x01damage"),
        NAME + "record .* checksum does not match",
    ),
    "a key that ends too early": (
        lambda db: put(db, ROW[:-3], Arrivals(packed=b"\0\0\0\0")),
        "key 74[0-9a-f]*: malformed key",
    ),
    "half an arrival in a chat's record": (
        lambda db: in_record(db, b"\0"),
        "chat 'c' of workspace 1: has 1 bytes of arrivals",
    ),
    "no row to trim them": (
        lambda db: drop(db, due(db, DueKind.ARRIVALS)),
        "usage of workspace 1: has no row in the due index to trim its arrivals at",
    ),
    "no time to trim them": (
        lambda db: change(db, USAGE, Usage, arrivals_due_ms=-1),
        "usage of workspace 1: has [0-9]+ bytes of arrivals, and no time to trim them",
    ),
    "a row of the due index at another time": (
        lambda db: change(db, USAGE, Usage, arrivals_due_ms=0),
        "due row ARRIVALS at [0-9]+ of workspace 1: no record requires it",
    ),
    "a meter that is none": (
        lambda db: change(db, keyspace.owned(keyspace.STATES, 1), WebhookState, meter=b"\0"),
        "state of webhook 1: has 00 as the messages and calls of its last days",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_check_finds_the_damage(db: ScratchDatabase, damage: str) -> None:
    do_damage, expected = DAMAGE[damage]

    do_damage(db)

    assert re.search(expected, report(db)), report(db)
