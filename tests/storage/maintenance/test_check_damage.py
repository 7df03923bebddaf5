"""The check reports every kind of damage that is put into a sound database, and where it is."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Part, SeenPart
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import (
    Activity,
    Delivery,
    Exchange,
    FeedRow,
    Mail,
    Meta,
    RequestRecord,
    WebhookState,
    Workspace,
    WorkspaceName,
)
from hookbundle.storage.transitions.tokens import token_id
from hookbundle.tests.storage.populated import (
    DIGEST,
    change,
    drop,
    due,
    findings,
    first,
    populated,
    put,
)
from hookbundle.tests.storage.scratch import ScratchDatabase

CHAT = keyspace.owned(keyspace.CHATS, 1, b"c")
STATE = keyspace.owned(keyspace.STATES, 1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[ScratchDatabase]:
    db = populated(tmp_path / "data")
    yield db
    db.close()


DAMAGE: dict[str, tuple[Callable[[ScratchDatabase], None], str]] = {
    "a flipped bit": (
        lambda db: put(db, CHAT, db.dump()[CHAT][:-1] + b"\xff"),
        "chat 'c' of workspace 1: record .* checksum does not match",
    ),
    "a record in another's place": (
        lambda db: put(db, first(db, keyspace.QUEUED), db.dump()[first(db, keyspace.DEAD_LETTERS)]),
        "queued delivery .*: its checksum does not match",
    ),
    "a record of another shape": (
        lambda db: put(db, CHAT, Activity(actions=[])),
        "chat 'c' .*: not a ChatRecord",
    ),
    "a cut record": (lambda db: put(db, CHAT, b"\x01"), "chat 'c' .*: 1 bytes, want at least"),
    "an unknown kind": (lambda db: put(db, b"?x", b""), "key b'\\?x': unknown kind of record"),
    "a key too short": (lambda db: put(db, b"Q\x00", b""), "key .*: malformed key"),
    "a due row of no kind": (
        lambda db: put(db, b"D" + bytes(8) + b"\x63" + bytes(4), b""),
        "key .*: malformed key",
    ),
    "a value in a flag": (
        lambda db: put(db, keyspace.owned(keyspace.DISABLED, 1), b"x"),
        "disabled flag of workspace 1: has a value of 1 bytes",
    ),
    "no counters": (lambda db: drop(db, keyspace.META), "counters: say windows 0, counted 1"),
    "no identity": (lambda db: drop(db, keyspace.IDENTITY), "counters: the identity is missing"),
    "a wrong counter of the database": (
        lambda db: change(db, keyspace.META, Meta, windows=7),
        "counters: say windows 7, counted 1",
    ),
    "a wrong number of mails": (
        lambda db: change(db, keyspace.META, Meta, mails=0),
        "counters: say mails 0, counted 1",
    ),
    "totals that don't add up": (
        lambda db: change(db, keyspace.META, Meta, queued=5),
        "counters: .* were sealed, .* but 6 are left, not 3",
    ),
    "a wrong counter of a workspace": (
        lambda db: change(db, STATE, WebhookState, buffered_messages=1),
        "state of workspace 1: says buffered_messages 1, counted 200",
    ),
    "a wrong number of erasures": (
        lambda db: change(db, STATE, WebhookState, erasures=0),
        "state of workspace 1: says erasures 0, counted 1",
    ),
    "a workspace without a state": (
        lambda db: drop(db, STATE),
        "workspace 'acme': has no state",
    ),
    "a workspace without a name": (
        lambda db: drop(db, keyspace.owned(keyspace.NAMES, 1)),
        "workspace 'acme': has number 1, but the name record of that number disagrees",
    ),
    "a name without a workspace": (
        lambda db: put(db, keyspace.owned(keyspace.NAMES, 9), WorkspaceName(id="nobody")),
        "name of workspace 9: names workspace 'nobody', which does not have this number",
    ),
    "a workspace of a number to come": (
        lambda db: change(db, keyspace.workspace("acme"), Workspace, number=40),
        "workspace 'acme': has number 40, which was never assigned",
    ),
    "a state that contradicts its flags": (
        lambda db: change(db, STATE, WebhookState, enabled=True),
        "state of workspace 1: ready False or retry at 0 contradicts",
    ),
    "a flag too many": (
        lambda db: put(db, keyspace.owned(keyspace.READY, 1), b""),
        "state of workspace 1: says ready False, but the ready flag disagrees",
    ),
    "a flag too few": (
        lambda db: drop(db, keyspace.owned(keyspace.DISABLED, 1)),
        "state of workspace 1: says enabled False, but the disabled flag disagrees",
    ),
    "a flag without a workspace": (
        lambda db: put(db, keyspace.owned(keyspace.READY, 9), b""),
        "ready flag of workspace 9: belongs to no workspace",
    ),
    "a missing part of a window": (
        lambda db: drop(db, first(db, keyspace.PARTS)),
        "chat 'c' .*: part 0 of its window is missing",
    ),
    "a part of no window": (
        lambda db: put(db, keyspace.part(keyspace.PARTS, 1, b"x", 0), Part(members=[])),
        "window part 0 of chat 'x' of workspace 1: belongs to no window",
    ),
    "a part with a message less": (
        lambda db: change(db, first(db, keyspace.PARTS), Part, members=[]),
        "chat 'c' .*: its window says 200 messages, counted",
    ),
    "a missing part of the seen ids": (
        lambda db: drop(db, first(db, keyspace.SEEN_PARTS)),
        "chat 'c' .*: part 0 of its seen ids is missing",
    ),
    "seen ids of no chat": (
        lambda db: put(
            db, keyspace.part(keyspace.SEEN_PARTS, 1, b"x", 0), SeenPart(last_ms=1, seen=b"odd")
        ),
        "part of seen ids 0 of chat 'x' .*: has 3 bytes",
    ),
    "a window that wakes at another time": (
        lambda db: change(db, CHAT, ChatRecord, wake_ms=5),
        "chat 'c' .*: has no row WINDOW in the due index at 5",
    ),
    "a window without its row": (
        lambda db: drop(db, due(db, DueKind.WINDOW)),
        "chat 'c' .*: has no row WINDOW in the due index",
    ),
    "a silent chat without its row": (
        lambda db: drop(db, due(db, DueKind.FORGET)),
        "chat '.*' .*: has no row FORGET in the due index",
    ),
    "a row too many": (
        lambda db: put(db, keyspace.due(Due(7, DueKind.WINDOW, 1, b"c")), b""),
        "due row WINDOW at 7 of 'c' workspace 1: no record requires it",
    ),
    "a retry row of a webhook that does not wait": (
        lambda db: put(db, keyspace.due(Due(7, DueKind.RETRY, 1)), b""),
        "due row RETRY at 7 of workspace 1: no record requires it",
    ),
    "a chat without a workspace": (
        lambda db: put(db, keyspace.owned(keyspace.CHATS, 9, b"c"), ChatRecord()),
        "chat 'c' of workspace 9: belongs to no workspace",
    ),
    "a delivery with another's number": (
        lambda db: change(db, first(db, keyspace.QUEUED), Delivery, number=99),
        "queued delivery .*: says it is number 99",
    ),
    "a delivery of nothing": (
        lambda db: change(db, first(db, keyspace.QUEUED), Delivery, body=b""),
        "queued delivery .*: has 1 messages in 0 bytes",
    ),
    "a log entry out of turn": (
        lambda db: put(
            db,
            keyspace.owned_numbered(keyspace.LOG, 1, 5_000),
            codec.unpack(first(db, keyspace.LOG), db.dump()[first(db, keyspace.LOG)], Exchange),
        ),
        "log entry 5000 of workspace 1: is not among the last 100",
    ),
    "a mail without its row": (
        lambda db: drop(db, due(db, DueKind.MAIL)),
        "mail 1: has no row in the due index",
    ),
    "a mail about an unknown workspace": (
        lambda db: change(db, first(db, keyspace.MAILS), Mail, workspace=9),
        "mail 1: is about workspace 9, which does not exist",
    ),
    "a gap in the feed": (
        lambda db: drop(db, sorted(k for k in db.dump() if k.startswith(keyspace.FEED))[3]),
        "feed row .*: ends with event .* came before it",
    ),
    "a feed that ends early": (
        lambda db: drop(db, max(k for k in db.dump() if k.startswith(keyspace.FEED))),
        "counters: say that the feed ends with event",
    ),
    "a feed row with fewer events": (
        lambda db: change(db, first(db, keyspace.FEED), FeedRow, events=codec.pack_events([])),
        "feed row 1: says 1 events, counted 0",
    ),
    "a token without its workspace": (
        lambda db: drop(db, keyspace.workspace("acme")),
        f"token {token_id(DIGEST)}: is for workspace 'acme', which does not exist",
    ),
    "a request without its row": (
        lambda db: drop(db, due(db, DueKind.REQUEST)),
        f"request {b'key'.hex()} of workspace 1: has no row in the due index",
    ),
    "a request without a workspace": (
        lambda db: put(
            db, keyspace.owned(keyspace.REQUESTS, 9, b"k"), RequestRecord(digest=b"", at_ms=1)
        ),
        "request 6b of workspace 9: belongs to no workspace",
    ),
    "an erasure without its row": (
        lambda db: drop(db, due(db, DueKind.ERASE)),
        "erasure 'gone' of workspace 1: has no row in the due index",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_check_finds_the_damage(db: ScratchDatabase, damage: str) -> None:
    do_damage, expected = DAMAGE[damage]

    do_damage(db)

    found = "\n".join(f"{finding.where}: {finding.what}" for finding in findings(db))
    assert re.search(expected, found), found
