"""The rules for each kind of record; check.py applies them.

A rule yields a sentence for each problem of a record that could be decoded. Records of a deleted
workspace are being erased, so they only have to be readable.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Part, SeenPart
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import (
    SCHEMA,
    Activity,
    Delivery,
    Erasure,
    Exchange,
    FeedRow,
    Identity,
    Mail,
    Meta,
    RequestRecord,
    Token,
    WebhookState,
    Workspace,
    WorkspaceName,
)
from hookbundle.storage.maintenance.check_chats import check_chat, check_part, check_seen_part
from hookbundle.storage.maintenance.check_dues import check_due
from hookbundle.storage.maintenance.check_ledger import Ledger
from hookbundle.storage.transitions import tokens

Problems = Iterator[str]


def check_identity(ledger: Ledger, key: bytes, identity: Identity) -> Problems:
    if identity.schema > SCHEMA:
        yield f"has schema {identity.schema}, this program reads {SCHEMA}"


def check_meta(ledger: Ledger, key: bytes, meta: Meta) -> Problems:
    totals = meta.totals
    waiting = totals.sealed - totals.delivered - totals.discarded
    counted = meta.queued + meta.dead_letters
    if waiting != counted:
        yield (
            f"{totals.sealed} deliveries were sealed, {totals.delivered} delivered and "
            f"{totals.discarded} discarded, but {counted} are left, not {waiting}"
        )


def check_workspace(ledger: Ledger, key: bytes, workspace: Workspace) -> Problems:
    if key != keyspace.workspace(workspace.id):
        yield f"says it is {workspace.id!r}"
    if workspace.number >= ledger.meta.workspace_next:
        yield f"has number {workspace.number}, which was never assigned"
    name = ledger.get(keyspace.owned(keyspace.NAMES, workspace.number), WorkspaceName)
    if name is None or name.id != workspace.id:
        yield f"has number {workspace.number}, but the name record of that number disagrees"
    if not ledger.has(keyspace.owned(keyspace.STATES, workspace.number)):
        yield "has no state"


def check_name(ledger: Ledger, key: bytes, name: WorkspaceName) -> Problems:
    workspace = ledger.get(keyspace.workspace(name.id), Workspace)
    if workspace is None or workspace.number != keyspace.parse_owner(key):
        yield f"names workspace {name.id!r}, which does not have this number"


def check_state(ledger: Ledger, key: bytes, state: WebhookState) -> Problems:
    number = keyspace.parse_owner(key)
    if ledger.owner(number) != "live":
        yield "belongs to no workspace"
        return
    tally = ledger.tally(number)
    tally.erasures = sum(
        1 for _ in rows.rows(ledger.txn, keyspace.owned(keyspace.ERASURES, number))
    )
    for counter in tally.__dataclass_fields__:
        counted, said = getattr(tally, counter), getattr(state, counter)
        if counted != said:
            yield f"says {counter} {said}, counted {counted}"
    name = ledger.get(keyspace.owned(keyspace.NAMES, number), WorkspaceName)
    workspace = ledger.get(keyspace.workspace(name.id), Workspace) if name else None
    if workspace is not None:
        may_send = state.enabled and bool(workspace.url) and state.queued > 0
        retry_ms = state.next_attempt_ms if may_send else 0
        if (state.ready, state.retry_ms) != (may_send and not retry_ms, retry_ms):
            yield f"ready {state.ready} or retry at {state.retry_ms} contradicts the rest of it"
    if state.ready != ledger.has(keyspace.owned(keyspace.READY, number)):
        yield f"says ready {state.ready}, but the ready flag disagrees"
    if state.enabled == ledger.has(keyspace.owned(keyspace.DISABLED, number)):
        yield f"says enabled {state.enabled}, but the disabled flag disagrees"
    if state.retry_ms and not ledger.has_due(state.retry_ms, DueKind.RETRY, number):
        yield "has no row in the due index for its retry"
    if state.retime_after is not None and not ledger.has_due(0, DueKind.RETIME, number):
        yield "has no row in the due index to continue re-timing"
    if state.flight is not None and state.flight.delivery >= ledger.meta.delivery_next:
        yield f"has an attempt at delivery {state.flight.delivery}, which was never sealed"


def check_flag(ledger: Ledger, key: bytes) -> Problems:
    """For READY and DISABLED. `check_state` compares them with the state."""
    number = keyspace.parse_owner(key)
    if not ledger.has(keyspace.owned(keyspace.STATES, number)):
        yield "belongs to no workspace"


def check_delivery(ledger: Ledger, key: bytes, delivery: Delivery) -> Problems:
    number, dead_letters = keyspace.parse_owner(key), key.startswith(keyspace.DEAD_LETTERS)
    if delivery.number != keyspace.parse_number(key):
        yield f"says it is number {delivery.number}"
    if delivery.number >= ledger.meta.delivery_next:
        yield "has a number that was never assigned"
    if not delivery.body or delivery.messages < 1:
        yield f"has {delivery.messages} messages in {len(delivery.body)} bytes"
    if dead_letters and ledger.has(
        keyspace.owned_numbered(keyspace.QUEUED, number, delivery.number)
    ):
        yield "is also in the queue"
    yield from _check_owner(ledger, number)
    tally = ledger.tally(number)
    if dead_letters:
        tally.dead_letters += 1
    else:
        tally.queued += 1
        tally.queued_messages += delivery.messages


def check_exchange(ledger: Ledger, key: bytes, exchange: Exchange) -> Problems:
    number = keyspace.parse_owner(key)
    yield from _check_owner(ledger, number)
    state = ledger.get(keyspace.owned(keyspace.STATES, number), WebhookState)
    entry = keyspace.parse_number(key)
    if state and not state.log_next - limits.LOG_ENTRIES <= entry < state.log_next:
        yield f"is not among the last {limits.LOG_ENTRIES} of {state.log_next}"


def check_activity(ledger: Ledger, key: bytes, activity: Activity) -> Problems:
    yield from _check_owner(ledger, keyspace.parse_owner(key))
    if len(activity.actions) > limits.ACTIVITY_ENTRIES:
        yield f"has {len(activity.actions)} lines, should have at most {limits.ACTIVITY_ENTRIES}"


def check_mail(ledger: Ledger, key: bytes, mail: Mail) -> Problems:
    ledger.mails += 1
    if mail.number != keyspace.parse_number(key) or mail.number >= ledger.meta.mail_next:
        yield f"says it is number {mail.number} of {ledger.meta.mail_next - 1}"
    if ledger.owner(mail.workspace) != "live":
        yield f"is about workspace {mail.workspace}, which does not exist"
    if not ledger.has_due(mail.next_ms, DueKind.MAIL, mail.number):
        yield "has no row in the due index"


def check_feed_row(ledger: Ledger, key: bytes, row: FeedRow) -> Problems:
    last = keyspace.parse_number(key)
    before = ledger.meta.feed_oldest - 1 if ledger.feed_last is None else ledger.feed_last
    if last - row.count != before:
        yield f"ends with event {last} and has {row.count}, but {before} came before it"
    ledger.feed_last = last
    try:
        count = len(codec.unpack_events(row.events))
    except (ValueError, TypeError) as exc:
        yield f"its events can't be decoded: {exc}"
        return
    if count != row.count:
        yield f"says {row.count} events, counted {count}"


def check_token(ledger: Ledger, key: bytes, token: Token) -> Problems:
    if token.id != tokens.token_id(key[1:]):
        yield f"says it is {token.id}"
    if token.workspace_id and not ledger.has(keyspace.workspace(token.workspace_id)):
        yield f"is for workspace {token.workspace_id!r}, which does not exist"


def check_request(ledger: Ledger, key: bytes, request: RequestRecord) -> Problems:
    number, subject = keyspace.parse_owner(key), keyspace.parse_subject(key)
    yield from _check_owner(ledger, number)
    if not ledger.has_due(request.at_ms + limits.REMEMBERED_MS, DueKind.REQUEST, number, subject):
        yield "has no row in the due index"


def check_erasure(ledger: Ledger, key: bytes, erasure: Erasure) -> Problems:
    number, chat = keyspace.parse_owner(key), keyspace.parse_subject(key)
    live = ledger.has(keyspace.owned(keyspace.NAMES, number))
    if live != bool(chat):
        yield (
            "is of a chat whose workspace does not exist"
            if chat
            else "is of a workspace that still exists"
        )
    if not ledger.has_due(0, DueKind.ERASE, number, chat):
        yield "has no row in the due index"


def check_counters(ledger: Ledger) -> Problems:
    """The rule for the counters of the whole database, after all records were counted."""
    if not ledger.has(keyspace.IDENTITY):
        yield "the identity is missing"
    meta = ledger.meta
    live = [tally for n, tally in ledger.tallies.items() if ledger.owner(n) == "live"]
    for name in ("windows", "queued", "dead_letters"):
        counted = sum(getattr(tally, name) for tally in live)
        if counted != getattr(meta, name):
            yield f"say {name} {getattr(meta, name)}, counted {counted}"
    if ledger.mails != meta.mails:
        yield f"say mails {meta.mails}, counted {ledger.mails}"
    last = meta.feed_oldest - 1 if ledger.feed_last is None else ledger.feed_last
    if last != meta.feed_next - 1:
        yield f"say that the feed ends with event {meta.feed_next - 1}, but it ends with {last}"


def _check_owner(ledger: Ledger, number: int) -> Problems:
    if ledger.owner(number) == "unknown":
        yield "belongs to no workspace"


@dataclass(frozen=True, slots=True)
class Rule:
    """How to check the records under a prefix.

    `kind`: None for a flag, a key without a value. `check_flag` checks flags, `check` the others.
    """

    kind: type[msgspec.Struct] | None
    check: Callable[[Ledger, bytes, Any], Problems] = lambda ledger, key, record: iter(())
    check_flag: Callable[[Ledger, bytes], Problems] = lambda ledger, key: iter(())


RULES = {
    keyspace.IDENTITY: Rule(Identity, check_identity),
    keyspace.META: Rule(Meta, check_meta),
    keyspace.WORKSPACES: Rule(Workspace, check_workspace),
    keyspace.NAMES: Rule(WorkspaceName, check_name),
    keyspace.STATES: Rule(WebhookState, check_state),
    keyspace.ACTIVITIES: Rule(Activity, check_activity),
    keyspace.CHATS: Rule(ChatRecord, check_chat),
    keyspace.PARTS: Rule(Part, check_part),
    keyspace.SEEN_PARTS: Rule(SeenPart, check_seen_part),
    keyspace.DUES: Rule(None, check_flag=check_due),
    keyspace.READY: Rule(None, check_flag=check_flag),
    keyspace.DISABLED: Rule(None, check_flag=check_flag),
    keyspace.QUEUED: Rule(Delivery, check_delivery),
    keyspace.DEAD_LETTERS: Rule(Delivery, check_delivery),
    keyspace.LOG: Rule(Exchange, check_exchange),
    keyspace.MAILS: Rule(Mail, check_mail),
    keyspace.FEED: Rule(FeedRow, check_feed_row),
    keyspace.TOKENS: Rule(Token, check_token),
    keyspace.REQUESTS: Rule(RequestRecord, check_request),
    keyspace.ERASURES: Rule(Erasure, check_erasure),
}
