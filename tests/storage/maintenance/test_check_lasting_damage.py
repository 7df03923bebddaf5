"""The check reports damage to the feed, and to what is kept until its time: requests, mails, rows
of the due index.
"""

import re

import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.records import Meta
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.settings import Token
from hookbundle.storage.tables.postponed import Postponed
from hookbundle.storage.tables.requests import RequestRecord
from hookbundle.storage.transitions.timed.postponing import Postpone
from hookbundle.storage.transitions.tokens import index_key, token_id
from hookbundle.tests.storage.populated import (
    DIGEST,
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

LATE = 10**6  # a number that was never assigned
KEY = b"key"
REQUEST = keyspace.owned(keyspace.REQUESTS, 1, KEY)


def postponed(inner: bytes, number: int = 1) -> bytes:
    return keyspace.due(Due(7, DueKind.POSTPONED, number, inner))


def feed_row(db: ScratchDatabase, number: int) -> bytes:
    return sorted(key for key in db.dump() if key.startswith(keyspace.FEED))[number]


@pytest.fixture
def db(populated_db: ScratchDatabase) -> ScratchDatabase:
    return populated_db


DAMAGE: Damage = {
    "a gap in the feed": (
        lambda db: drop(db, feed_row(db, 3)),
        "feed row .*: ends with event .* came before it",
    ),
    "a row that overlaps": (
        lambda db: change(db, feed_row(db, 3), FeedRow, count=3),
        "feed row .*: ends with event .* and has 3, but .* came before it",
    ),
    "a feed that begins late": (
        lambda db: drop(db, feed_row(db, 0)),
        "feed row .*: begins with event 2, but the oldest is 1",
    ),
    "a feed that began at another time": (
        lambda db: change(db, keyspace.META, Meta, feed_oldest_ms=5),
        "feed row 1: is of .*, but the oldest is of 5",
    ),
    "a feed that ends early": (
        lambda db: drop(db, feed_row(db, -1)),
        "counters: say that the feed ends with event",
    ),
    "a feed that is thinned beyond its end": (
        lambda db: change(db, keyspace.META, Meta, feed_thinned=LATE),
        f"counters: say that the feed is thinned up to event {LATE}, which is to come",
    ),
    "a feed row with fewer events": (
        lambda db: change(db, feed_row(db, 0), FeedRow, events=codec.pack_array([])),
        "feed row 1: says 1 events of 1 owners, counted 0",
    ),
    "a feed row with more owners": (
        lambda db: change(db, feed_row(db, 0), FeedRow, owners=(1, 1)),
        "feed row 1: says 1 events of 2 owners, counted 1",
    ),
    "a feed row of no array": (
        lambda db: change(db, feed_row(db, 0), FeedRow, events=b"\x01"),
        "feed row 1: its events can't be decoded",
    ),
    "a feed row of other things than events": (
        lambda db: change(db, feed_row(db, 0), FeedRow, events=b"\x91\x01"),
        "feed row 1: its events can't be decoded",
    ),
    "an event of a workspace to come": (
        lambda db: change(db, feed_row(db, 0), FeedRow, owners=(99,)),
        "feed row 1: has an event of workspace 99, which was never assigned",
    ),
    "an event of another workspace": (
        lambda db: change(db, feed_row(db, 0), FeedRow, owners=(3,)),
        "usage of workspace 1: says events .*, counted",
    ),
    "a row that is thinned where the feed is not": (
        lambda db: change(db, feed_row(db, 0), FeedRow, positions=(0,)),
        "feed row 1: lacks events, but the feed is thinned up to 0 only",
    ),
    "an event out of its row": (
        lambda db: change(db, feed_row(db, 0), FeedRow, positions=(1,)),
        r"feed row 1: has events at \(1,\), which are no places of 1 in order",
    ),
    "a mail of another number": (
        lambda db: change(db, first(db, keyspace.MAILS), Mail, number=7),
        "mail 1: says it is number 7 of 2",
    ),
    "a mail without its row": (
        lambda db: drop(db, due(db, DueKind.MAIL)),
        "mail 1: has no row in the due index",
    ),
    "a mail about an unknown workspace": (
        lambda db: change(db, first(db, keyspace.MAILS), Mail, workspace=9),
        "mail 1: is about workspace 9, which does not exist",
    ),
    "a token of another name": (
        lambda db: change(db, first(db, keyspace.TOKENS), Token, id="tok_1"),
        f"token {token_id(DIGEST)}: says it is tok_1",
    ),
    "a token without its workspace": (
        lambda db: drop(db, keyspace.workspace("acme")),
        f"token {token_id(DIGEST)}: is for workspace 'acme', which does not exist",
    ),
    "a token that its workspace does not know": (
        lambda db: drop(db, first(db, keyspace.WORKSPACE_TOKENS)),
        f"token {token_id(DIGEST)}: is not in the index of its workspace",
    ),
    "a token in the index that is not there": (
        lambda db: put(db, index_key(1, b"x" * 32), b""),
        f"token {token_id(b'x' * 32)} in the index of workspace 1: does not exist",
    ),
    "a token in the index of another workspace": (
        lambda db: put(db, index_key(9, DIGEST), b""),
        f"token {token_id(DIGEST)} in the index of workspace 9: is for workspace 'acme'",
    ),
    "a token in the index whose key is too short": (
        lambda db: put(db, index_key(1, b"x"), b""),
        "key 690000000178: malformed key",
    ),
    "a request without its due row": (
        lambda db: drop(db, due(db, DueKind.REQUEST)),
        f"request {KEY.hex()} of workspace 1: has no row in the due index",
    ),
    "a request without its time": (
        lambda db: drop(db, first(db, keyspace.REQUEST_TIMES)),
        f"request {KEY.hex()} of workspace 1: has no row among the requests by time at",
    ),
    "a request without a workspace": (
        lambda db: put(
            db, keyspace.owned(keyspace.REQUESTS, 9, b"k"), RequestRecord(digest=b"", at_ms=1)
        ),
        "request 6b of workspace 9: belongs to no workspace",
    ),
    "a time of no request": (
        lambda db: put(db, keyspace.request_time(1, 5, b"k"), b""),
        "time 5 of request 6b of workspace 1: belongs to no request",
    ),
    "another time of the request": (
        lambda db: put(db, keyspace.request_time(1, 5, KEY), b""),
        f"time 5 of request {KEY.hex()} of workspace 1: should be at .*, the time of its request",
    ),
    "a window without its row": (
        lambda db: drop(db, due(db, DueKind.WINDOW)),
        "chat 'c' .*: has no row WINDOW in the due index",
    ),
    "a row of a window at another time": (
        lambda db: put(db, keyspace.due(Due(7, DueKind.WINDOW, 1, b"c")), b""),
        "due row WINDOW at 7 of 'c' webhook 1: no record requires it",
    ),
    "a row of a webhook without a workspace": (
        lambda db: put(db, keyspace.due(Due(7, DueKind.WINDOW, 9, b"c")), b""),
        "due row WINDOW at 7 of 'c' webhook 9: no record requires it",
    ),
    "a row to forget a chat with a window": (
        lambda db: put(db, keyspace.due(Due(0, DueKind.FORGET, 1, b"c")), b""),
        "due row FORGET at 0 of 'c' workspace 1: no record requires it",
    ),
    "a postponed row of no row": (
        lambda db: put(db, postponed(b"Q"), Postponed(tries=1)),
        "key .*: malformed key",
    ),
    "a postponed row of a short key": (
        lambda db: put(db, postponed(keyspace.DUES), Postponed(tries=1)),
        "key .*: malformed key",
    ),
    "a postponed row that is cut": (
        lambda db: put(db, keyspace.due_of(DueKind.POSTPONED), Postponed(tries=1)),
        "key .*: malformed key",
    ),
    "a postponed row of a postponed one": (
        lambda db: put(db, postponed(postponed(due(db, DueKind.MAIL))), Postponed(tries=1)),
        "due row POSTPONED at 7 of the due row POSTPONED .*: is of a row that was postponed itself",
    ),
    "a postponed row of another owner": (
        lambda db: put(db, postponed(due(db, DueKind.WINDOW), 3), Postponed(tries=1)),
        "due row POSTPONED at 7 of the due row WINDOW .*: is of 3, but its own row of 1",
    ),
    "a postponed row that was never tried": (
        lambda db: put(db, postponed(due(db, DueKind.WINDOW)), Postponed(tries=0)),
        "due row POSTPONED .*: says that it was tried 0 times",
    ),
    "a postponed row that is damaged": (
        lambda db: put(db, postponed(due(db, DueKind.WINDOW)), b""),
        "due row POSTPONED .*: record .* 0 bytes, want at least",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_check_finds_the_damage(db: ScratchDatabase, damage: str) -> None:
    do_damage, expected = DAMAGE[damage]

    do_damage(db)

    assert re.search(expected, report(db)), report(db)


@pytest.mark.parametrize("kind", [kind for kind in DueKind if kind is not DueKind.POSTPONED])
def test_a_row_that_nothing_requires_is_reported(db: ScratchDatabase, kind: DueKind) -> None:
    put(db, keyspace.due(Due(7, kind, 1)), b"")

    assert re.search(f"due row {kind.name} at 7 of .* ?1: no record requires it", report(db))


def test_a_postponed_row_is_there_for_the_record_that_requires_it(db: ScratchDatabase) -> None:
    rows = tuple(db.dues())

    db.group(Postpone(rows, db.now_ms))

    assert {row.kind for row in db.dues()} == {DueKind.POSTPONED}
    assert findings(db) == []


def test_a_feed_that_lost_some_events_of_a_row_is_sound(db: ScratchDatabase) -> None:
    db.retention = Retention(feed_events=20)
    for number in range(12):
        of_both = (db.accepting(f"m {number}", chat="long"), db.accepting(f"m {number}", ws=3))
        db.group(*of_both[number >= 4 :])
        assert findings(db) == []

    rows = [codec.unpack(k, v, FeedRow) for k, v in db.dump().items() if k[:1] == keyspace.FEED]
    assert any(row.positions for row in rows)
