"""Damage of every kind, planted in a sound database: the check says what it is, and where."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import (
    Activity,
    ChatRecord,
    Delivery,
    Exchange,
    FeedRow,
    Mail,
    Meta,
    Part,
    RequestRecord,
    SeenPart,
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
    full_house,
    put,
)
from hookbundle.tests.storage.scratch import House

CHAT = keyspace.owned(keyspace.CHATS, 1, b"c")
STATE = keyspace.owned(keyspace.STATES, 1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = full_house(tmp_path / "data")
    yield house
    house.close()


PLANTED: dict[str, tuple[Callable[[House], None], str]] = {
    "a flipped bit": (
        lambda h: put(h, CHAT, h.dump()[CHAT][:-1] + b"\xff"),
        "chat 'c' of workspace 1: record .* checksum does not match",
    ),
    "a record in another's place": (
        lambda h: put(h, first(h, keyspace.PENDING), h.dump()[first(h, keyspace.PARKED)]),
        "pending delivery .*: its checksum does not match",
    ),
    "a record of another shape": (
        lambda h: put(h, CHAT, Activity(actions=[])),
        "chat 'c' .*: is no ChatRecord",
    ),
    "a cut record": (lambda h: put(h, CHAT, b"\x01"), "chat 'c' .*: 1 bytes, want at least"),
    "an unknown kind": (lambda h: put(h, b"?x", b""), "key b'\\?x': is of no known kind"),
    "a key too short": (lambda h: put(h, b"Q\x00", b""), "key .*: is no key of its kind"),
    "a due row of no kind": (
        lambda h: put(h, b"D" + bytes(8) + b"\x63" + bytes(4), b""),
        "key .*: is no key of its kind",
    ),
    "a value in a flag": (
        lambda h: put(h, keyspace.owned(keyspace.DISABLED, 1), b"x"),
        "disabled flag of workspace 1: has a value of 1 bytes",
    ),
    "no counters": (lambda h: drop(h, keyspace.META), "counters: say windows 0, counted 1"),
    "no identity": (lambda h: drop(h, keyspace.IDENTITY), "counters: the identity is missing"),
    "a wrong counter of the house": (
        lambda h: change(h, keyspace.META, Meta, windows=7),
        "counters: say windows 7, counted 1",
    ),
    "a wrong number of mails": (
        lambda h: change(h, keyspace.META, Meta, mails=0),
        "counters: say mails 0, counted 1",
    ),
    "totals that don't add up": (
        lambda h: change(h, keyspace.META, Meta, pending=5),
        "counters: .* were sealed, .* but 6 wait, not 3",
    ),
    "a wrong counter of a workspace": (
        lambda h: change(h, STATE, WebhookState, buffered_messages=1),
        "state of workspace 1: says buffered_messages 1, counted 200",
    ),
    "a wrong number of erasures": (
        lambda h: change(h, STATE, WebhookState, erasures=0),
        "state of workspace 1: says erasures 0, counted 1",
    ),
    "a workspace without a state": (
        lambda h: drop(h, STATE),
        "workspace 'acme': has no state",
    ),
    "a workspace without a name": (
        lambda h: drop(h, keyspace.owned(keyspace.NAMES, 1)),
        "workspace 'acme': has number 1, which is not its own",
    ),
    "a name without a workspace": (
        lambda h: put(h, keyspace.owned(keyspace.NAMES, 9), WorkspaceName(id="nobody")),
        "name of workspace 9: names workspace 'nobody', which has not this number",
    ),
    "a workspace of a number to come": (
        lambda h: change(h, keyspace.workspace("acme"), Workspace, number=40),
        "workspace 'acme': has number 40, which was never given",
    ),
    "a state that is not settled": (
        lambda h: change(h, STATE, WebhookState, enabled=True),
        "state of workspace 1: is not settled",
    ),
    "a flag too many": (
        lambda h: put(h, keyspace.owned(keyspace.READY, 1), b""),
        "state of workspace 1: says ready False, its flag says otherwise",
    ),
    "a flag too few": (
        lambda h: drop(h, keyspace.owned(keyspace.DISABLED, 1)),
        "state of workspace 1: says enabled False, its flag says otherwise",
    ),
    "a flag of nobody": (
        lambda h: put(h, keyspace.owned(keyspace.READY, 9), b""),
        "ready flag of workspace 9: belongs to no workspace",
    ),
    "a missing part of a window": (
        lambda h: drop(h, first(h, keyspace.PARTS)),
        "chat 'c' .*: lacks part 0 of its window",
    ),
    "a part of no window": (
        lambda h: put(h, keyspace.part(keyspace.PARTS, 1, b"x", 0), Part(members=[])),
        "window part 0 of chat 'x' of workspace 1: is of no window",
    ),
    "a part with a message less": (
        lambda h: change(h, first(h, keyspace.PARTS), Part, members=[]),
        "chat 'c' .*: has .* messages in its window, says 200",
    ),
    "a missing part of the known ids": (
        lambda h: drop(h, first(h, keyspace.SEEN_PARTS)),
        "chat 'c' .*: lacks part 0 of its known ids",
    ),
    "known ids of no chat": (
        lambda h: put(
            h, keyspace.part(keyspace.SEEN_PARTS, 1, b"x", 0), SeenPart(last_ms=1, seen=b"odd")
        ),
        "part of known ids 0 of chat 'x' .*: has 3 bytes",
    ),
    "a window that wakes at another time": (
        lambda h: change(h, CHAT, ChatRecord, wake_ms=5),
        "chat 'c' .*: has no row WINDOW in the due index at 5",
    ),
    "a window without its row": (
        lambda h: drop(h, due(h, DueKind.WINDOW)),
        "chat 'c' .*: has no row WINDOW in the due index",
    ),
    "a silent chat without its row": (
        lambda h: drop(h, due(h, DueKind.FORGET)),
        "chat '.*' .*: has no row FORGET in the due index",
    ),
    "a row too many": (
        lambda h: put(h, keyspace.due(Due(7, DueKind.WINDOW, 1, b"c")), b""),
        "due row WINDOW at 7 of 'c' workspace 1: is called for by no record",
    ),
    "a row for a retry that nobody waits for": (
        lambda h: put(h, keyspace.due(Due(7, DueKind.RETRY, 1)), b""),
        "due row RETRY at 7 of workspace 1: is called for by no record",
    ),
    "a chat of nobody": (
        lambda h: put(h, keyspace.owned(keyspace.CHATS, 9, b"c"), ChatRecord()),
        "chat 'c' of workspace 9: belongs to no workspace",
    ),
    "a delivery with another's number": (
        lambda h: change(h, first(h, keyspace.PENDING), Delivery, number=99),
        "pending delivery .*: says it is number 99",
    ),
    "a delivery of nothing": (
        lambda h: change(h, first(h, keyspace.PENDING), Delivery, body=b""),
        "pending delivery .*: has 1 messages in 0 bytes",
    ),
    "a log entry out of turn": (
        lambda h: put(
            h,
            keyspace.owned_numbered(keyspace.LOG, 1, 5_000),
            codec.unpack(first(h, keyspace.LOG), h.dump()[first(h, keyspace.LOG)], Exchange),
        ),
        "log entry 5000 of workspace 1: is not among the last 100",
    ),
    "a mail without its row": (
        lambda h: drop(h, due(h, DueKind.MAIL)),
        "mail 1: has no row in the due index",
    ),
    "a mail about nobody": (
        lambda h: change(h, first(h, keyspace.MAILS), Mail, workspace=9),
        "mail 1: is about workspace 9, which is not there",
    ),
    "a gap in the feed": (
        lambda h: drop(h, sorted(k for k in h.dump() if k.startswith(keyspace.FEED))[3]),
        "feed row .*: ends with event .* came before it",
    ),
    "a feed that ends early": (
        lambda h: drop(h, max(k for k in h.dump() if k.startswith(keyspace.FEED))),
        "counters: say that the feed ends with event",
    ),
    "a feed row with fewer events": (
        lambda h: change(h, first(h, keyspace.FEED), FeedRow, events=codec.pack_events([])),
        "feed row 1: says it has 1 events, it has 0",
    ),
    "a token of nobody": (
        lambda h: drop(h, keyspace.workspace("acme")),
        f"token {token_id(DIGEST)}: is for workspace 'acme', which is not there",
    ),
    "a request without its row": (
        lambda h: drop(h, due(h, DueKind.REQUEST)),
        f"request {b'key'.hex()} of workspace 1: has no row in the due index",
    ),
    "a request of nobody": (
        lambda h: put(
            h, keyspace.owned(keyspace.REQUESTS, 9, b"k"), RequestRecord(digest=b"", at_ms=1)
        ),
        "request 6b of workspace 9: belongs to no workspace",
    ),
    "an erasure that nobody goes on with": (
        lambda h: drop(h, due(h, DueKind.ERASE)),
        "erasure 'gone' of workspace 1: has no row in the due index",
    ),
}


@pytest.mark.parametrize("damage", PLANTED)
def test_what_is_planted_is_found(house: House, damage: str) -> None:
    plant, expected = PLANTED[damage]

    plant(house)

    found = "\n".join(f"{finding.where}: {finding.what}" for finding in findings(house))
    assert re.search(expected, found), found
