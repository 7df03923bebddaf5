"""The check reports damage to deliveries, to their rows of the indexes, and to the two logs."""

import re

import pytest

from hookbundle.engine import limits
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Action, Attempt, Chunk, Delivery, LogRow
from hookbundle.storage.database.records import Meta
from hookbundle.storage.tables import contacts, history
from hookbundle.tests.storage.populated import (
    Damage,
    change,
    drop,
    findings,
    first,
    put,
    report,
)
from hookbundle.tests.storage.scratch import ScratchDatabase, failed

LATE = 10**6  # a number that was never assigned
DELIVERED, DEAD_LETTER, QUEUED, LARGE = (history.key_of(1, number) for number in range(1, 5))
SENT = keyspace.chat_delivery(1, b"sent", 1, 1)
PHONE = keyspace.of_chat(keyspace.CHAT_PHONES, 1, b"sent", b"123")
CHAT_OF_PHONE = keyspace.phone_chat(1, b"123", b"sent")
ENDED = keyspace.owned(keyspace.ENDED, 1)


def chunk(number: int, delivery: int = 4) -> bytes:
    return keyspace.of_delivery(keyspace.BODIES, 1, delivery, number)


def attempt(number: int, delivery: int = 2) -> bytes:
    return keyspace.of_delivery(keyspace.ATTEMPTS, 1, delivery, number)


def row(prefix: bytes, number: int) -> bytes:
    return keyspace.owned_numbered(prefix, 1, number)


def copy(db: ScratchDatabase, source: bytes, key: bytes, kind: type[Attempt | Action]) -> None:
    """The record is also under the other key."""
    put(db, key, codec.unpack(source, db.dump()[source], kind))


@pytest.fixture
def db(populated_db: ScratchDatabase) -> ScratchDatabase:
    return populated_db


DAMAGE: Damage = {
    "a damaged head": (
        lambda db: put(db, QUEUED, db.dump()[DEAD_LETTER]),
        "delivery 3 of webhook 1: .* checksum does not match",
    ),
    "a delivery with another's number": (
        lambda db: change(db, QUEUED, Delivery, number=99),
        "delivery 3 of webhook 1: says it is number 99",
    ),
    "a delivery with a number to come": (
        lambda db: change(db, keyspace.META, Meta, delivery_next=3),
        "delivery 3 of webhook 1: has a number that was never assigned",
    ),
    "a delivery of nothing": (
        lambda db: change(db, QUEUED, Delivery, messages=0),
        "delivery 3 of webhook 1: has 0 messages in .* bytes",
    ),
    "a delivery without a webhook": (
        lambda db: put(db, history.key_of(9, 9), Delivery(9, "c", 1, 1, "time", True, "e")),
        "delivery 9 of webhook 9: belongs to no webhook",
    ),
    "a delivery in no state": (
        lambda db: change(db, QUEUED, Delivery, state="sending"),
        "delivery 3 of webhook 1: is stored as 'sending', which is no state",
    ),
    "a queued delivery that is not in the queue": (
        lambda db: drop(db, row(keyspace.QUEUED, 3)),
        "delivery 3 of webhook 1: is stored as 'queued', but is not in the queue",
    ),
    "a dead letter that is not among them": (
        lambda db: drop(db, row(keyspace.DEAD_LETTERS, 2)),
        "delivery 2 of webhook 1: is stored as 'dead_letter', but is not among the dead letters",
    ),
    "an ended delivery that is not among them": (
        lambda db: drop(db, first(db, ENDED)),
        "delivery 1 of webhook 1: is not among those that ended at",
    ),
    "a queued delivery that ended": (
        lambda db: change(db, QUEUED, Delivery, ended_ms=5),
        "delivery 3 of webhook 1: is stored as 'queued', but says that it ended at 5",
    ),
    "a missing chunk": (
        lambda db: drop(db, chunk(0)),
        "delivery 4 of webhook 1: chunk 0 of its body is missing",
    ),
    "a body without its end": (
        lambda db: drop(db, chunk(1)),
        "delivery 4 of webhook 1: chunk 1 of its body is missing",
    ),
    "a chunk too short": (
        lambda db: put(db, chunk(0), Chunk(body=b"short")),
        "chunk 0 of delivery 4 of webhook 1: has 5 of 60000 bytes",
    ),
    "a last chunk too long": (
        lambda db: change(db, LARGE, Delivery, body_bytes=60_001),
        "chunk 1 of delivery 4 of webhook 1: has .* of 1 bytes",
    ),
    "a chunk too many": (
        lambda db: put(db, chunk(2), Chunk(body=b"more")),
        "chunk 2 of delivery 4 of webhook 1: is beyond the end of a body of .* bytes",
    ),
    "a chunk of no delivery": (
        lambda db: put(db, chunk(0, 99), Chunk(body=b"more")),
        "chunk 0 of delivery 99 of webhook 1: belongs to no delivery",
    ),
    "a missing attempt": (
        lambda db: drop(db, attempt(2)),
        "delivery 2 of webhook 1: says attempt_bytes .*, counted",
    ),
    "an attempt too many": (
        lambda db: copy(db, attempt(3), attempt(4), Attempt),
        "attempt 4 of delivery 2 of webhook 1: is not among the last 100 of 3",
    ),
    "an attempt too old": (
        lambda db: change(db, DEAD_LETTER, Delivery, attempts=102),
        "attempt 2 of delivery 2 of webhook 1: is not among the last 100 of 102",
    ),
    "an attempt of no delivery": (
        lambda db: copy(db, attempt(3), attempt(1, 99), Attempt),
        "attempt 1 of delivery 99 of webhook 1: belongs to no delivery",
    ),
    "a delivery that its chat has not": (
        lambda db: drop(db, SENT),
        "delivery 1 of webhook 1: is not among the deliveries of chat 'sent'",
    ),
    "a merged delivery whose id finds nothing": (
        lambda db: drop(db, keyspace.place(1, 11, 9)),
        "delivery 9 of webhook 1: is not found by number 11, which is in its id",
    ),
    "a place of another id": (
        lambda db: put(db, keyspace.place(1, 10, 9), b""),
        "place of delivery 10 of webhook 1: its delivery has number 11 in its id",
    ),
    "a delivery of another chat": (
        lambda db: put(db, keyspace.chat_delivery(1, b"x", 1, 1), b""),
        "delivery 1 of webhook 1 in the index of chat 'x' of workspace 1: its delivery is of chat",
    ),
    "a chat's delivery without a head": (
        lambda db: put(db, keyspace.chat_delivery(1, b"x", 99, 1), b""),
        "delivery 99 of webhook 1 in the index of chat 'x' .*: belongs to no delivery",
    ),
    "a chat's delivery of another workspace": (
        lambda db: put(db, keyspace.chat_delivery(1, b"c", 6, 3), b""),
        "delivery 6 of webhook 3 in the index of chat 'c' of workspace 1: is of webhook 3, which",
    ),
    "a chat's delivery of no workspace": (
        lambda db: put(db, keyspace.chat_delivery(9, b"c", 6, 3), b""),
        "delivery 6 of webhook 3 in the index of chat 'c' of workspace 9: belongs to no workspace",
    ),
    "a dead letter in the queue": (
        lambda db: put(db, row(keyspace.QUEUED, 2), b""),
        "queued delivery 2 of webhook 1: its delivery is stored as 'dead_letter'",
    ),
    "a queued delivery without a head": (
        lambda db: put(db, row(keyspace.QUEUED, 99), b""),
        "queued delivery 99 of webhook 1: belongs to no delivery",
    ),
    "a queued delivery among the dead letters": (
        lambda db: put(db, row(keyspace.DEAD_LETTERS, 3), b""),
        "dead letter 3 of webhook 1: its delivery is stored as 'queued'",
    ),
    "a queued delivery among the ended ones": (
        lambda db: put(db, keyspace.ended(1, 0, 3, 1), b""),
        "end of delivery 3 of webhook 1 of workspace 1: its delivery is stored as 'queued'",
    ),
    "an end at another time": (
        lambda db: put(db, keyspace.ended(1, 5, 1, 1), b""),
        "end of delivery 1 of webhook 1 .*: is at 5, but its delivery ended at",
    ),
    "an end of no delivery": (
        lambda db: put(db, keyspace.ended(1, 5, 99, 1), b""),
        "end of delivery 99 of webhook 1 of workspace 1: belongs to no delivery",
    ),
    "a chat that is not found by its phone": (
        lambda db: drop(db, PHONE),
        r"delivery 1 of webhook 1: its chat is not found by its phone '\+1 \(23\)'",
    ),
    "a phone that has not the chat": (
        lambda db: drop(db, CHAT_OF_PHONE),
        "phone '123' of chat 'sent' of workspace 1: has no row among the chats of the phone",
    ),
    "a chat that has not the phone": (
        lambda db: drop(db, PHONE),
        "chat 'sent' of phone '123' of workspace 1: has no row among the phones of the chat",
    ),
    "a phone of letters": (
        lambda db: put(db, keyspace.of_chat(keyspace.CHAT_PHONES, 1, b"sent", b"1x"), b""),
        "phone '1x' of chat 'sent' of workspace 1: is not made of digits",
    ),
    "a phone of a chat without a delivery": (
        lambda db: put(db, keyspace.of_chat(keyspace.CHAT_PHONES, 1, b"c", b"1"), b""),
        "phone '1' of chat 'c' of workspace 1: is of a chat without a delivery",
    ),
    "a phone of no workspace": (
        lambda db: put(db, keyspace.phone_chat(9, b"1", b"c"), b""),
        "chat 'c' of phone '1' of workspace 9: belongs to no workspace",
    ),
    "a log entry out of turn": (
        lambda db: put(db, row(keyspace.LOG, 5_000), LogRow(delivery=1, attempt=1)),
        "log entry 5000 of webhook 1: is not among the last 100 of 13",
    ),
    "a log entry of no delivery": (
        lambda db: change(db, row(keyspace.LOG, 0), LogRow, delivery=99),
        "log entry 0 of webhook 1: names delivery 99, which does not exist",
    ),
    "a log entry of no attempt": (
        lambda db: change(db, row(keyspace.LOG, 0), LogRow, attempt=9),
        "log entry 0 of webhook 1: names attempt 9 of delivery 1, which does not exist",
    ),
    "an activity line out of turn": (
        lambda db: copy(db, row(keyspace.ACTIONS, 15), row(keyspace.ACTIONS, 5), Action),
        "activity line 5 of webhook 1: is not among the last 10 of 25",
    ),
    "an activity line of an entry to come": (
        lambda db: change(db, row(keyspace.ACTIONS, 15), Action, logged=LATE + 1),
        f"activity line 15 of webhook 1: names entry {LATE} of the detailed log, which",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_check_finds_the_damage(db: ScratchDatabase, damage: str) -> None:
    do_damage, expected = DAMAGE[damage]

    do_damage(db)

    assert re.search(expected, report(db)), report(db)


def test_a_damaged_head_is_reported_once_and_not_for_each_of_its_rows(
    db: ScratchDatabase,
) -> None:
    put(db, QUEUED, b"")

    assert "belongs to no delivery" not in report(db)
    assert "which does not exist" not in report(db)


def test_an_attempt_under_way_is_of_a_queued_delivery(db: ScratchDatabase) -> None:
    db.begun(3)

    assert findings(db) == []


def test_a_chat_with_too_many_phones_is_not_found_by_its_newest(db: ScratchDatabase) -> None:
    drop(db, PHONE)
    drop(db, CHAT_OF_PHONE)
    for number in range(contacts.PHONES_MAX):
        other = b"9%d" % number
        put(db, keyspace.of_chat(keyspace.CHAT_PHONES, 1, b"sent", other), b"")
        put(db, keyspace.phone_chat(1, other, b"sent"), b"")

    assert findings(db) == []


def test_only_the_newest_hundred_attempts_of_a_delivery_are_kept(db: ScratchDatabase) -> None:
    for _ in range(limits.LOG_ENTRIES + 2):
        db.enable()
        db.attempt(failed())

    assert findings(db) == []
    assert attempt(1) not in db.dump()
