"""The check reports every kind of damage that is put into a sound database, and where it is.

Here is damage to the database as a whole, to workspaces and to webhooks; there are modules for
damage to chats, to deliveries, and to what lasts for a time.
"""

import re
from dataclasses import fields

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import (
    Flight,
    Identity,
    Meta,
    Usage,
    WebhookState,
    WorkspaceName,
)
from hookbundle.storage.database.settings import Webhook, Workspace
from hookbundle.storage.maintenance.check_ledger import WebhookTally, WorkspaceTally
from hookbundle.tests.storage.populated import (
    Damage,
    change,
    drop,
    due,
    findings,
    put,
    report,
)
from hookbundle.tests.storage.scratch import ScratchDatabase

CHAT = keyspace.owned(keyspace.CHATS, 1, b"c")
STATE = keyspace.owned(keyspace.STATES, 1)
USAGE = keyspace.owned(keyspace.USAGES, 1)
WEBHOOK = keyspace.webhook(1, 1)
LATE = 10**6  # a number that was never assigned
OF_META = (
    "windows",
    "queued",
    "dead_letters",
    "mails",
    "history_bytes",
    "feed_owners",
    "feed_events",
    "feed_bytes",
    "feed_own_events",
    "feed_own_bytes",
)


@pytest.fixture
def db(populated_db: ScratchDatabase) -> ScratchDatabase:
    return populated_db


DAMAGE: Damage = {
    "a flipped bit": (
        lambda db: put(db, CHAT, db.dump()[CHAT][:-1] + b"\xff"),
        "chat 'c' of workspace 1: record .* checksum does not match",
    ),
    "a record in another's place": (
        lambda db: put(db, STATE, db.dump()[keyspace.owned(keyspace.STATES, 3)]),
        "state of webhook 1: .* checksum does not match",
    ),
    "a record of another shape": (
        lambda db: put(db, CHAT, WorkspaceName(id="c")),
        "chat 'c' .*: not a ChatRecord",
    ),
    "a cut record": (lambda db: put(db, CHAT, b"\x01"), "chat 'c' .*: 1 bytes, want at least"),
    "an unknown kind": (lambda db: put(db, b"?x", b""), "key 3f78: unknown kind of record"),
    "a key too short": (lambda db: put(db, b"Q\x00", b""), "key .*: malformed key"),
    "a key too long": (lambda db: put(db, STATE + b"x", b""), "key .*: malformed key"),
    "a key that ends within the chat": (
        lambda db: put(db, keyspace.seen_part(1, b"chat", 1)[:-5], b""),
        "key .*: malformed key",
    ),
    "a key with more than a chat": (
        lambda db: put(db, keyspace.seen_part(1, b"chat", 1) + b"x", b""),
        "key .*: malformed key",
    ),
    "a key that ends before the owner": (
        lambda db: put(db, keyspace.ERASURES, b""),
        "key .*: malformed key",
    ),
    "a key that ends before the chat": (
        lambda db: put(db, keyspace.owned(keyspace.CHAT_PHONES, 1), b""),
        "key .*: malformed key",
    ),
    "a chat that is no text": (
        lambda db: put(db, keyspace.owned(keyspace.CHATS, 1, b"\xff"), ChatRecord()),
        "key .*: malformed key",
    ),
    "a due row of no kind": (
        lambda db: put(db, b"D\x63" + bytes(12), b""),
        "key .*: malformed key",
    ),
    "a value in a flag": (
        lambda db: put(db, keyspace.owned(keyspace.DISABLED, 1), b"x"),
        "disabled flag of webhook 1: has a value of 1 bytes",
    ),
    "a webhook that is full and got all": (
        lambda db: change(db, STATE, WebhookState, full_ms=5),
        "state of webhook 1: is full since 5, and got every message",
    ),
    "more messages that did not get in than there are": (
        lambda db: change(db, STATE, WebhookState, overflowed=5),
        "state of webhook 1: did not get 5 messages, more than all webhooks together",
    ),
    "a limit of too many messages": (
        lambda db: change(db, WEBHOOK, Webhook, messages_max=1_001),
        "has a limit of 1001 messages",
    ),
    "a limit of too few bytes": (
        lambda db: change(db, WEBHOOK, Webhook, bytes_max=1_023),
        "has a limit of 1023 bytes",
    ),
    "no counters": (lambda db: drop(db, keyspace.META), "counters: say windows 0, counted 1"),
    "no identity": (lambda db: drop(db, keyspace.IDENTITY), "counters: the identity is missing"),
    "a schema to come": (
        lambda db: change(db, keyspace.IDENTITY, Identity, schema=99),
        "identity: has schema 99, this program reads",
    ),
    "totals that don't add up": (
        lambda db: change(db, keyspace.META, Meta, queued=9),
        "counters: .* were sealed, .* but 12 are left, not 8",
    ),
    "a workspace of another id": (
        lambda db: change(db, keyspace.workspace("acme"), Workspace, id="emca"),
        "workspace 'acme': says it is 'emca'",
    ),
    "a workspace without a webhook": (
        lambda db: drop(db, WEBHOOK),
        "workspace 'acme': has no webhook",
    ),
    "a workspace without a usage": (
        lambda db: drop(db, USAGE),
        "workspace 'acme': has no record of its usage",
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
    "a usage without a workspace": (
        lambda db: put(db, keyspace.owned(keyspace.USAGES, 9), Usage()),
        "usage of workspace 9: belongs to no workspace",
    ),
    "a usage that lost events to come": (
        lambda db: change(db, USAGE, Usage, thinned_to=LATE),
        f"usage of workspace 1: lost events up to {LATE}, which was never assigned",
    ),
    "a history without its row": (
        lambda db: drop(db, due(db, DueKind.TRIM)),
        "usage of workspace 1: has no row in the due index to trim its history at",
    ),
    "a webhook of another number": (
        lambda db: change(db, WEBHOOK, Webhook, number=9),
        "webhook 1 of workspace 1: says it is webhook 9 of workspace 1",
    ),
    "a webhook of a number to come": (
        lambda db: change(db, keyspace.META, Meta, workspace_next=1),
        "webhook 1 of workspace 1: has a number that was never assigned",
    ),
    "a webhook without a workspace": (
        lambda db: put(db, keyspace.webhook(9, 9), Webhook(id="x", number=9, workspace=9)),
        "webhook 9 of workspace 9: belongs to no workspace",
    ),
    "a webhook without a state": (
        lambda db: drop(db, STATE),
        "webhook 1 of workspace 1: has no state",
    ),
    "a state without a webhook": (
        lambda db: drop(db, WEBHOOK),
        "state of webhook 1: is of workspace 1, which has no such webhook",
    ),
    "a state without a workspace": (
        lambda db: change(db, STATE, WebhookState, workspace=9),
        "state of webhook 1: belongs to no workspace",
    ),
    "a state that contradicts its flags": (
        lambda db: change(db, STATE, WebhookState, enabled=True),
        "state of webhook 1: ready False or retry at 0 contradicts",
    ),
    "a flag too many": (
        lambda db: put(db, keyspace.owned(keyspace.READY, 1), b""),
        "state of webhook 1: says ready False, but the ready flag disagrees",
    ),
    "a flag too few": (
        lambda db: drop(db, keyspace.owned(keyspace.DISABLED, 1)),
        "state of webhook 1: says enabled False, but the disabled flag disagrees",
    ),
    "a flag without a webhook": (
        lambda db: put(db, keyspace.owned(keyspace.READY, 9), b""),
        "ready flag of webhook 9: belongs to no webhook",
    ),
    "a retry without its row": (
        lambda db: change(db, STATE, WebhookState, retry_ms=5),
        "state of webhook 1: has no row in the due index for its retry",
    ),
    "a re-timing without its row": (
        lambda db: change(db, STATE, WebhookState, retime_after=b""),
        "state of webhook 1: has no row in the due index to continue re-timing",
    ),
    "an attempt at a delivery to come": (
        lambda db: change(db, STATE, WebhookState, flight=Flight(LATE, 1, 1, 0)),
        f"state of webhook 1: has an attempt at delivery {LATE}, which was never sealed",
    ),
    "an attempt at a delivered delivery": (
        lambda db: change(db, STATE, WebhookState, flight=Flight(1, 2, 1, 0)),
        "state of webhook 1: has an attempt at delivery 1, which is 'delivered'",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_check_finds_the_damage(db: ScratchDatabase, damage: str) -> None:
    do_damage, expected = DAMAGE[damage]

    do_damage(db)

    assert re.search(expected, report(db)), report(db)


@pytest.mark.parametrize("counter", OF_META)
def test_a_counter_of_the_database_is_compared(db: ScratchDatabase, counter: str) -> None:
    change(db, keyspace.META, Meta, **{counter: 1_234})

    assert re.search(f"counters: say {counter} 1234, counted ", report(db))


@pytest.mark.parametrize("counter", [field.name for field in fields(WebhookTally)])
def test_a_counter_of_a_webhook_is_compared(db: ScratchDatabase, counter: str) -> None:
    change(db, STATE, WebhookState, **{counter: 1_234})

    assert re.search(f"state of webhook 1: says {counter} 1234, counted ", report(db))


@pytest.mark.parametrize("counter", [field.name for field in fields(WorkspaceTally)])
def test_a_counter_of_a_workspace_is_compared(db: ScratchDatabase, counter: str) -> None:
    change(db, USAGE, Usage, **{counter: 1_234})

    assert re.search(f"usage of workspace 1: says {counter} 1234, counted ", report(db))


def test_a_damaged_state_is_reported_once_and_not_for_each_of_its_records(
    db: ScratchDatabase,
) -> None:
    put(db, STATE, b"")

    assert "belongs to no" not in report(db)


def test_of_an_erased_workspace_records_only_have_to_be_readable(db: ScratchDatabase) -> None:
    put(db, keyspace.owned_numbered(keyspace.QUEUED, 2, 5), b"")
    put(db, keyspace.owned(keyspace.READY, 2), b"")
    drop(db, keyspace.due(next(row for row in db.dues(DueKind.WINDOW) if row.number == 2)))
    put(db, keyspace.due(Due(5, DueKind.RETRY, 2)), b"")
    assert findings(db) == []

    put(db, keyspace.owned(keyspace.CHATS, 2, b"c"), b"")

    assert re.fullmatch("chat 'c' of workspace 2: record .* 0 bytes.*", report(db))
