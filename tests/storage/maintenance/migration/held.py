"""What a database of schema 2 holds, in the terms of the fixtures' held.json.

schema-1-busy/made_by.py.txt describes a database of schema 1 in the same terms, with the code of
0.1.0. Everything that 0.1.0 held must be found here, under its new keys and in its new records.
"""

import json
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

import lmdb
import msgspec

from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Erasure, Part, SeenPart
from hookbundle.storage.database.delivery_records import Action, Delivery, Exchange
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.records import (
    Identity,
    Meta,
    Usage,
    WebhookState,
)
from hookbundle.storage.database.settings import Token, Webhook, Workspace
from hookbundle.storage.reads import requests_made
from hookbundle.storage.tables import bodies, queue, seen_ids
from hookbundle.storage.tables.requests import RequestRecord
from hookbundle.tests.storage.fixtures.released import RETOLD, once_named

R = TypeVar("R", bound=msgspec.Struct)

TOTALS = 9  # that 0.1 counted; what is counted since is 0 in its database
META = [
    *("workspace_next", "delivery_next"),
    "mail_next",
    "feed_next",
    "feed_oldest",
    "feed_oldest_ms",
    "last_ms",
    "windows",
    "queued",
    "dead_letters",
    "mails",
]
STATE = [
    "enabled",
    "disabled_reason",
    "disabled_ms",
    "consecutive_errors",
    "last_error",
    "next_attempt_ms",
    "epoch",
    "ready",
    "retry_ms",
    "queued",
    "queued_messages",
    "dead_letters",
    "windows",
    "buffered_messages",
    "log_next",
]
FLIGHT = ["delivery", "attempt", "began_ms", "epoch", "url"]
WORKSPACE = ["id", "number", "version", "created_ms", "name", "owner_email"]
WEBHOOK = ["url", "aggregation_ms", "success"]
DELIVERY = [
    "number",
    "chat_id",
    "messages",
    "sealed_ms",
    "reason",
    "bundle",
    "epoch",
    "opened_ms",
    "attempts",
    "rejections",
    "last_error",
]
WINDOW = [
    "opened_ms",
    "due_ms",
    "count",
    "weight",
    "is_new_chat",
    "newest_ms",
    "first_ms",
    "permalink",
]
MAIL = [
    "number",
    "workspace",
    "to",
    "created_ms",
    "workspace_id",
    "workspace_name",
    "tries",
    "next_ms",
    "last_failure",
]
TOKEN = ["id", "scope", "workspace_id", "created_ms"]
ACTION = ["at_ms", "action", "chat_id", "messages", "outcome", "detail", "logged"]


def held_in(env: Environment) -> dict[str, Any]:
    with env.read() as txn:
        meta, identity = one(txn, keyspace.META, Meta), one(txn, keyspace.IDENTITY, Identity)
        workspaces = [each for _, each in all_of(txn, keyspace.WORKSPACES, Workspace)]
        return {
            "epoch": identity.epoch,
            "created_ms": identity.created_ms,
            "meta": {**fields(meta, META), "totals": None},
            "totals": list(msgspec.structs.astuple(meta.totals))[:TOTALS],
            "workspaces": [
                workspace_in(txn, each) for each in sorted(workspaces, key=lambda w: w.number)
            ],
            "erasing": {
                str(key_fields.owner(key)): [each.workspace_id, each.at_ms, each.before]
                for key, each in all_of(txn, keyspace.ERASURES, Erasure)
                if not key_fields.subject(key)
            },
            "mails": [mailed(each) for _, each in all_of(txn, keyspace.MAILS, Mail)],
            "tokens": {
                key[1:].hex(): fields(each, TOKEN)
                for key, each in all_of(txn, keyspace.TOKENS, Token)
            },
            "feed": [
                [key_fields.number(key), row.at_ms, row.count, events(row)]
                for key, row in all_of(txn, keyspace.FEED, FeedRow)
            ],
            "dues": sorted(
                [row.kind.name, row.at_ms, row.number, row.subject.hex()]
                for row in (key_fields.due(key) for key, _ in rows.rows(txn, keyspace.DUES))
                if row.kind is not DueKind.TRIM  # there was no history to trim
            ),
        }


def events(row: FeedRow) -> str:
    """The events of the row, if they are as they were but for the names of today."""
    is_anew = any(part in row.events for part in (b"(set)", b"?...", b"mail."))
    return RETOLD if is_anew else sha(once_named(row.events))


def mailed(mail: Mail) -> dict[str, Any]:
    (disabling,) = mail.disablings
    return {
        **fields(mail, MAIL),
        "host": disabling.host,
        "last_error": disabling.error,
        "held_messages": disabling.held_messages,
        "held_deliveries": disabling.held_deliveries,
    }


def workspace_in(txn: lmdb.Transaction, workspace: Workspace) -> dict[str, Any]:
    number = workspace.number
    ((_, webhook),) = all_of(txn, keyspace.owned(keyspace.WEBHOOKS, number), Webhook)
    state = one(txn, keyspace.owned(keyspace.STATES, number), WebhookState)
    usage = one(txn, keyspace.owned(keyspace.USAGES, number), Usage)
    assert (webhook.id, webhook.number, webhook.workspace) == ("outbound", number, number)
    assert (workspace.language, workspace.time_zone, state.workspace) == ("en", "UTC", number)
    return {
        **fields(workspace, WORKSPACE),
        **fields(webhook, WEBHOOK),
        "secrets": [list(msgspec.structs.astuple(secret)) for secret in webhook.secrets],
        "state": {
            **fields(state, STATE),
            "flight": fields(state.flight, FLIGHT) if state.flight else None,
            "retime_after": None if state.retime_after is None else state.retime_after.hex(),
            "erasures": usage.erasures,
        },
        "is_ready": txn.get(keyspace.owned(keyspace.READY, number)) is not None,
        "is_disabled": txn.get(keyspace.owned(keyspace.DISABLED, number)) is not None,
        "queued": waiting(txn, keyspace.QUEUED, number, "queued"),
        "dead_letters": waiting(txn, keyspace.DEAD_LETTERS, number, "dead_letter"),
        "chats": {
            key_fields.subject(key).decode(): chat(txn, number, key, record)
            for key, record in all_of(txn, keyspace.owned(keyspace.CHATS, number), ChatRecord)
        },
        "log": [logged(key, made) for key, made in exchanges(txn, number)],
        "activity": [
            fields(action, ACTION)
            for _, action in all_of(txn, keyspace.owned(keyspace.ACTIONS, number), Action)
        ],
        "requests": {
            key_fields.subject(key).hex(): plain(each)
            for key, each in all_of(txn, keyspace.owned(keyspace.REQUESTS, number), RequestRecord)
        },
        "erasing": {
            key_fields.subject(key).decode(): [each.at_ms, each.before]
            for key, each in all_of(txn, keyspace.owned(keyspace.ERASURES, number), Erasure)
        },
    }


def waiting(txn: lmdb.Transaction, prefix: bytes, webhook: int, state: str) -> list[dict[str, Any]]:
    found = []
    for key, _ in rows.rows(txn, keyspace.owned(prefix, webhook)):
        number = key_fields.number(key)
        head = one(txn, keyspace.owned_numbered(keyspace.DELIVERIES, webhook, number), Delivery)
        assert head.state == state
        body = bodies.read(partial(rows.get_raw, txn), webhook, number, head.body_bytes)
        described = {**fields(head, DELIVERY), "body": sha(body)}
        found.append({"id": queue.delivery_id(webhook, head), **described})
    return found


def exchanges(txn: lmdb.Transaction, webhook: int) -> list[tuple[bytes, Exchange]]:
    """The detailed log, as it is read."""
    found = []
    for key, value in rows.rows(txn, keyspace.owned(keyspace.LOG, webhook)):
        made = requests_made.entry(txn, webhook, key, value)
        assert made is not None
        found.append((key, made))
    return found


def logged(key: bytes, made: Exchange) -> list[Any]:
    outcome = made.result.outcome
    return [key_fields.number(key), made.delivery_id, made.attempt, outcome, digest(made)]


def digest(made: Exchange) -> str:
    result = plain(made.result)
    described = {
        **result,
        "delivery_id": made.delivery_id,
        "attempt": made.attempt,
        "chat_id": None,
        "request_body": sha(made.request_body),
    }
    assert described.pop("method") == "POST"  # was not stored, as there was no other
    return sha(json.dumps(described, sort_keys=True).encode())


def chat(txn: lmdb.Transaction, number: int, key: bytes, record: ChatRecord) -> dict[str, Any]:
    name, seen, members = key_fields.subject(key), record.seen, []
    for part in range(record.seen_first, record.seen_next):
        found = one(txn, keyspace.seen_part(number, name, part), SeenPart).seen
        for each in seen_ids.digests_in(found):
            assert txn.get(seen_ids.rows_of(number, name, record.seen_base) + each) == b""
        seen += found
    digests = sorted(seen_ids.digests_in(seen))
    (collecting,) = record.collecting
    assert (collecting.webhook, collecting.arrived_ms) == (number, record.last_ms)
    window = collecting.window
    for part in range(window.parts if window else 0):
        members += one(txn, keyspace.part(number, name, number, part), Part).members
    members += window.tail if window else []
    return {
        "last_ms": record.last_ms,
        "seen": [len(digests), sha(b"".join(digests))],
        "window": {
            **fields(window, WINDOW),
            "account": sha(window.account),
            "chat": sha(window.chat),
        }
        if window
        else {},
        "members": [
            len(members),
            sha(b"".join(b"%d %b\n" % (each.sent_ms, each.message) for each in members)),
        ],
    }


def fields(record: msgspec.Struct, names: list[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def plain(record: msgspec.Struct) -> dict[str, Any]:
    """The fields by name; bytes that may be long as their SHA-256."""
    found = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if name in ("response_body", "answer"):
            value = sha(value)
        elif isinstance(value, bytes):
            value = value.hex()
        found[name] = msgspec.to_builtins(value)
    return found


def one(txn: lmdb.Transaction, key: bytes, kind: type[R]) -> R:
    found = rows.get(txn, key, kind)
    assert found is not None, key
    return found


def all_of(txn: lmdb.Transaction, prefix: bytes, kind: type[R]) -> list[tuple[bytes, R]]:
    return [(key, codec.unpack(key, value, kind)) for key, value in rows.rows(txn, prefix)]


def sha(value: bytes) -> str:
    return sha256(value).hexdigest()[:32]
