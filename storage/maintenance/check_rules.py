"""What must be true of each kind of record; see checking.py, which walks them.

A rule yields, in words, what is wrong with a record that could be read. What belongs to a deleted
workspace is on its way out, and need only be readable.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import (
    SCHEMA,
    Activity,
    ChatRecord,
    Delivery,
    Erasure,
    Exchange,
    FeedRow,
    Identity,
    Mail,
    Meta,
    Part,
    RequestRecord,
    SeenPart,
    Token,
    WebhookState,
    Workspace,
    WorkspaceName,
)
from hookbundle.storage.maintenance.check_chats import check_chat, check_part, check_seen_part
from hookbundle.storage.maintenance.check_dues import check_due
from hookbundle.storage.maintenance.check_ledger import Ledger
from hookbundle.storage.transitions import tokens

Words = Iterator[str]


def check_identity(ledger: Ledger, key: bytes, identity: Identity) -> Words:
    if identity.schema > SCHEMA:
        yield f"is of schema {identity.schema}, this program reads {SCHEMA}"


def check_meta(ledger: Ledger, key: bytes, meta: Meta) -> Words:
    totals = meta.totals
    waiting = totals.sealed - totals.delivered - totals.discarded
    if waiting != meta.pending + meta.parked:
        yield (
            f"{totals.sealed} deliveries were sealed, {totals.delivered} delivered and "
            f"{totals.discarded} discarded, but {meta.pending + meta.parked} wait, not {waiting}"
        )


def check_workspace(ledger: Ledger, key: bytes, workspace: Workspace) -> Words:
    if key != keyspace.workspace(workspace.id):
        yield f"says it is {workspace.id!r}"
    if workspace.number >= ledger.meta.workspace_next:
        yield f"has number {workspace.number}, which was never given"
    name = ledger.get(keyspace.owned(keyspace.NAMES, workspace.number), WorkspaceName)
    if name is None or name.id != workspace.id:
        yield f"has number {workspace.number}, which is not its own"
    if not ledger.has(keyspace.owned(keyspace.STATES, workspace.number)):
        yield "has no state"


def check_name(ledger: Ledger, key: bytes, name: WorkspaceName) -> Words:
    workspace = ledger.get(keyspace.workspace(name.id), Workspace)
    if workspace is None or workspace.number != keyspace.parse_owner(key):
        yield f"names workspace {name.id!r}, which has not this number"


def check_state(ledger: Ledger, key: bytes, state: WebhookState) -> Words:
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
        may_send = state.enabled and bool(workspace.url) and state.pending > 0
        retry_ms = state.next_attempt_ms if may_send else 0
        if (state.ready, state.retry_ms) != (may_send and not retry_ms, retry_ms):
            yield f"is not settled: ready {state.ready}, retry at {state.retry_ms}"
    if state.ready != ledger.has(keyspace.owned(keyspace.READY, number)):
        yield f"says ready {state.ready}, its flag says otherwise"
    if state.enabled == ledger.has(keyspace.owned(keyspace.DISABLED, number)):
        yield f"says enabled {state.enabled}, its flag says otherwise"
    if state.retry_ms and not ledger.has_due(state.retry_ms, DueKind.RETRY, number):
        yield "has no row in the due index for its retry"
    if state.retime_after is not None and not ledger.has_due(0, DueKind.RETIME, number):
        yield "has no row in the due index to go on re-timing"
    if state.flight is not None and state.flight.delivery >= ledger.meta.delivery_next:
        yield f"has delivery {state.flight.delivery} under way, which never was"


def check_flag(ledger: Ledger, key: bytes) -> Words:
    """READY and DISABLED; what they say is compared where the state stands."""
    number = keyspace.parse_owner(key)
    if not ledger.has(keyspace.owned(keyspace.STATES, number)):
        yield "belongs to no workspace"


def check_delivery(ledger: Ledger, key: bytes, delivery: Delivery) -> Words:
    number, parked = keyspace.parse_owner(key), key.startswith(keyspace.PARKED)
    if delivery.number != keyspace.parse_number(key):
        yield f"says it is number {delivery.number}"
    if delivery.number >= ledger.meta.delivery_next:
        yield "has a number that was never given"
    if not delivery.body or delivery.messages < 1:
        yield f"has {delivery.messages} messages in {len(delivery.body)} bytes"
    if parked and ledger.has(keyspace.owned_numbered(keyspace.PENDING, number, delivery.number)):
        yield "is pending as well"
    yield from _check_owner(ledger, number)
    tally = ledger.tally(number)
    if parked:
        tally.parked += 1
    else:
        tally.pending += 1
        tally.pending_messages += delivery.messages


def check_exchange(ledger: Ledger, key: bytes, exchange: Exchange) -> Words:
    number = keyspace.parse_owner(key)
    yield from _check_owner(ledger, number)
    state = ledger.get(keyspace.owned(keyspace.STATES, number), WebhookState)
    entry = keyspace.parse_number(key)
    if state and not state.log_next - limits.LOG_ENTRIES <= entry < state.log_next:
        yield f"is not among the last {limits.LOG_ENTRIES} of {state.log_next}"


def check_activity(ledger: Ledger, key: bytes, activity: Activity) -> Words:
    yield from _check_owner(ledger, keyspace.parse_owner(key))
    if len(activity.actions) > limits.ACTIVITY_ENTRIES:
        yield f"has {len(activity.actions)} lines, want at most {limits.ACTIVITY_ENTRIES}"


def check_mail(ledger: Ledger, key: bytes, mail: Mail) -> Words:
    ledger.mails += 1
    if mail.number != keyspace.parse_number(key) or mail.number >= ledger.meta.mail_next:
        yield f"says it is number {mail.number} of {ledger.meta.mail_next - 1}"
    if ledger.owner(mail.workspace) != "live":
        yield f"is about workspace {mail.workspace}, which is not there"
    if not ledger.has_due(mail.next_ms, DueKind.MAIL, mail.number):
        yield "has no row in the due index"


def check_feed_row(ledger: Ledger, key: bytes, row: FeedRow) -> Words:
    last = keyspace.parse_number(key)
    before = ledger.meta.feed_oldest - 1 if ledger.feed_last is None else ledger.feed_last
    if last - row.count != before:
        yield f"ends with event {last} and has {row.count}, but {before} came before it"
    ledger.feed_last = last
    try:
        count = len(codec.unpack_events(row.events))
    except (ValueError, TypeError) as exc:
        yield f"holds no events: {exc}"
        return
    if count != row.count:
        yield f"says it has {row.count} events, it has {count}"


def check_token(ledger: Ledger, key: bytes, token: Token) -> Words:
    if token.id != tokens.token_id(key[1:]):
        yield f"says it is {token.id}"
    if token.workspace_id and not ledger.has(keyspace.workspace(token.workspace_id)):
        yield f"is for workspace {token.workspace_id!r}, which is not there"


def check_request(ledger: Ledger, key: bytes, request: RequestRecord) -> Words:
    number, subject = keyspace.parse_owner(key), keyspace.parse_subject(key)
    yield from _check_owner(ledger, number)
    if not ledger.has_due(request.at_ms + limits.REMEMBERED_MS, DueKind.REQUEST, number, subject):
        yield "has no row in the due index"


def check_erasure(ledger: Ledger, key: bytes, erasure: Erasure) -> Words:
    number, chat = keyspace.parse_owner(key), keyspace.parse_subject(key)
    live = ledger.has(keyspace.owned(keyspace.NAMES, number))
    if live != bool(chat):
        yield "is of a chat without its workspace" if chat else "is of a workspace that is there"
    if not ledger.has_due(0, DueKind.ERASE, number, chat):
        yield "has no row in the due index"


def check_counters(ledger: Ledger) -> Words:
    """What the counters of the whole house say, after everything was counted."""
    if not ledger.has(keyspace.IDENTITY):
        yield "the identity is missing"
    meta = ledger.meta
    live = [tally for n, tally in ledger.tallies.items() if ledger.owner(n) == "live"]
    for name in ("windows", "pending", "parked"):
        counted = sum(getattr(tally, name) for tally in live)
        if counted != getattr(meta, name):
            yield f"say {name} {getattr(meta, name)}, counted {counted}"
    if ledger.mails != meta.mails:
        yield f"say mails {meta.mails}, counted {ledger.mails}"
    last = meta.feed_oldest - 1 if ledger.feed_last is None else ledger.feed_last
    if last != meta.feed_next - 1:
        yield f"say that the feed ends with event {meta.feed_next - 1}, it ends with {last}"


def _check_owner(ledger: Ledger, number: int) -> Words:
    if ledger.owner(number) == "unknown":
        yield "belongs to no workspace"


@dataclass(frozen=True, slots=True)
class Rule:
    """`kind` None: a key without a value, whose presence is the whole fact."""

    kind: type[msgspec.Struct] | None
    check: Callable[[Ledger, bytes, Any], Words] = lambda ledger, key, record: iter(())
    check_flag: Callable[[Ledger, bytes], Words] = lambda ledger, key: iter(())


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
    keyspace.PENDING: Rule(Delivery, check_delivery),
    keyspace.PARKED: Rule(Delivery, check_delivery),
    keyspace.LOG: Rule(Exchange, check_exchange),
    keyspace.MAILS: Rule(Mail, check_mail),
    keyspace.FEED: Rule(FeedRow, check_feed_row),
    keyspace.TOKENS: Rule(Token, check_token),
    keyspace.REQUESTS: Rule(RequestRecord, check_request),
    keyspace.ERASURES: Rule(Erasure, check_erasure),
}
