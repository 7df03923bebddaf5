"""The rules for each kind of record; check.py applies them.

A rule yields a sentence for each problem of a record that could be decoded. Records of a deleted
workspace are being erased, so they only have to be readable. Here are the rules for what has no
owner but the database itself; those for workspaces, chats, deliveries, the feed and the due index
are in modules of their own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.chat_records import (
    Arrivals,
    ChatRecord,
    EarlyChange,
    Erasure,
    Part,
    SeenPart,
)
from hookbundle.storage.database.delivery_records import (
    Action,
    Attempt,
    Chunk,
    Delivery,
    LogRow,
    Replay,
)
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.mail_records import Mail, MailHour
from hookbundle.storage.database.records import (
    SCHEMA,
    Identity,
    Meta,
    Usage,
    WebhookState,
    WorkspaceName,
)
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.settings import Token, Webhook, Workspace
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import (
    KeptBody,
    KeptRequest,
    Remembered,
    Source,
    SourceMemory,
    SourceNotes,
    SourceToken,
)
from hookbundle.storage.maintenance import (
    check_arrivals,
    check_chats,
    check_deliveries,
    check_dues,
    check_feed,
    check_logs,
    check_seen_ids,
    check_workspaces,
)
from hookbundle.storage.maintenance.check_ledger import Ledger
from hookbundle.storage.maintenance.sources import check_sources
from hookbundle.storage.tables import outbox
from hookbundle.storage.tables.postponed import Postponed
from hookbundle.storage.tables.requests import RequestRecord
from hookbundle.storage.transitions import tokens

Problems = Iterator[str]


def check_identity(ledger: Ledger, key: bytes, identity: Identity) -> Problems:
    if identity.schema > SCHEMA:
        yield f"has schema {identity.schema}, this program reads {SCHEMA}"


def check_meta(ledger: Ledger, key: bytes, meta: Meta) -> Problems:
    totals = meta.totals
    waiting = totals.sealed - totals.delivered - totals.discarded - totals.merged
    counted = meta.queued + meta.dead_letters
    if waiting != counted:
        yield (
            f"{totals.sealed} deliveries were sealed, {totals.delivered} delivered, "
            f"{totals.discarded} discarded and {totals.merged} merged, "
            f"but {counted} are left, not {waiting}"
        )


def check_mail(ledger: Ledger, key: bytes, mail: Mail) -> Problems:
    ledger.mails += 1
    if mail.number != key_fields.number(key) or mail.number >= ledger.meta.mail_next:
        yield f"says it is number {mail.number} of {ledger.meta.mail_next - 1}"
    if ledger.owner(mail.workspace) != "live":
        yield f"is about workspace {mail.workspace}, which does not exist"
    if not ledger.has_due(mail.next_ms, DueKind.MAIL, mail.number):
        yield "has no row in the due index"
    if not mail.kind:
        return  # of a database that was written before mails had kinds
    hour = ledger.get(outbox.hour_key(mail.workspace, mail.kind), MailHour)
    if hour is None or hour.mail != mail.number:
        yield f"is not the one of kind {mail.kind!r} that waits for its workspace"
    if len(mail.disablings) != min(mail.total, outbox.LISTED_MAX):
        yield f"tells of {mail.total}, but lists {len(mail.disablings)}"


def check_mail_hour(ledger: Ledger, key: bytes, hour: MailHour) -> Problems:
    if ledger.owner(key_fields.owner(key)) != "live":
        yield "belongs to no workspace"
    if hour.mail and not ledger.has(keyspace.numbered(keyspace.MAILS, hour.mail)):
        yield f"says that mail {hour.mail} waits, which does not exist"


def check_token(ledger: Ledger, key: bytes, token: Token) -> Problems:
    if token.id != tokens.token_id(key[1:]):
        yield f"says it is {token.id}"
    if token.expires_ms and token.expires_ms <= token.created_ms:
        yield "expired before it was created"
    named = keyspace.workspace(token.workspace_id)
    workspace = ledger.get(named, Workspace) if token.workspace_id else None
    if token.workspace_id and not ledger.has(named):
        yield f"is for workspace {token.workspace_id!r}, which does not exist"
    if workspace is None or not ledger.meta.tokens_indexed:
        return
    if not ledger.has(tokens.index_key(workspace.number, key[1:])):
        yield "is not in the index of its workspace"


def check_token_of(ledger: Ledger, key: bytes) -> Problems:
    digest = key_fields.subject(key)
    token = ledger.get(tokens.key_of(digest), Token)
    named = ledger.get(keyspace.workspace(token.workspace_id), Workspace) if token else None
    if not ledger.has(tokens.key_of(digest)):
        yield "does not exist"
    elif token is not None and (named is None or named.number != key_fields.owner(key)):
        yield f"is for workspace {token.workspace_id!r}"


def check_erasure(ledger: Ledger, key: bytes, erasure: Erasure) -> Problems:
    number, chat = key_fields.owner(key), key_fields.subject(key)
    owner = ledger.owner(number)
    if owner == "unknown":
        yield "is of a chat whose workspace does not exist"
    elif owner == "live" and not chat:
        yield "is of a workspace that still exists"
    if erasure.before > ledger.meta.delivery_next:
        yield f"is of deliveries before {erasure.before}, which was never assigned"
    # A row for each chat is what development versions wrote; it is acted on like the other.
    if not any(ledger.has_due(0, DueKind.ERASE, number, each) for each in (b"", chat)):
        yield "has no row in the due index"


def check_counters(ledger: Ledger) -> Problems:
    """The rule for the counters of the whole database, after all records were counted."""
    if not ledger.has(keyspace.IDENTITY):
        yield "the identity is missing"
    for name, counted in _counted(ledger).items():
        said = getattr(ledger.meta, name)
        if counted != said:
            yield f"say {name} {said}, counted {counted}"
    yield from check_feed.check_end(ledger)


def _counted(ledger: Ledger) -> dict[str, int]:
    """What the fields of Meta with these names should be."""
    webhooks = [
        tally for n, tally in ledger.webhooks.items() if ledger.owner_of_webhook(n) == "live"
    ]
    workspaces = [tally for n, tally in ledger.workspaces.items() if ledger.owner(n) == "live"]
    return {
        "windows": sum(tally.windows for tally in webhooks),
        "queued": sum(tally.queued for tally in webhooks),
        "dead_letters": sum(tally.dead_letters for tally in webhooks),
        "resending": sum(tally.resending for tally in webhooks),
        "mails": ledger.mails,
        "history_bytes": sum(tally.history_bytes for tally in workspaces),
        "feed_owners": sum(tally.events > 0 for tally in workspaces),
        "feed_events": ledger.feed.events,
        "feed_bytes": ledger.feed.bytes,
        "feed_own_events": ledger.feed.own_events,
        "feed_own_bytes": ledger.feed.own_bytes,
    }


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
    keyspace.POSITION: Rule(Position),
    keyspace.WORKSPACES: Rule(Workspace, check_workspaces.check_workspace),
    keyspace.NAMES: Rule(WorkspaceName, check_workspaces.check_name),
    keyspace.USAGES: Rule(Usage, check_workspaces.check_usage),
    keyspace.WEBHOOKS: Rule(Webhook, check_workspaces.check_webhook),
    keyspace.STATES: Rule(WebhookState, check_workspaces.check_state),
    keyspace.READY: Rule(None, check_flag=check_workspaces.check_flag),
    keyspace.DISABLED: Rule(None, check_flag=check_workspaces.check_flag),
    keyspace.ACTIONS: Rule(Action, check_logs.check_action),
    keyspace.LOG: Rule(LogRow, check_logs.check_log_row),
    keyspace.CHATS: Rule(ChatRecord, check_chats.check_chat),
    keyspace.PARTS: Rule(Part, check_chats.check_part),
    keyspace.SEEN_PARTS: Rule(SeenPart, check_seen_ids.check_seen_part),
    keyspace.SEEN_IDS: Rule(None, check_flag=check_seen_ids.check_seen_id),
    keyspace.DELIVERIES: Rule(Delivery, check_deliveries.check_delivery),
    keyspace.BODIES: Rule(Chunk, check_deliveries.check_chunk),
    keyspace.RENDERED: Rule(Chunk, check_deliveries.check_rendered_chunk),
    keyspace.ATTEMPTS: Rule(Attempt, check_deliveries.check_attempt),
    keyspace.QUEUED: Rule(None, check_flag=check_deliveries.check_waiting),
    keyspace.DEAD_LETTERS: Rule(None, check_flag=check_deliveries.check_waiting),
    keyspace.RESENDS: Rule(None, check_flag=check_deliveries.check_resend),
    keyspace.PLACES: Rule(None, check_flag=check_deliveries.check_place),
    keyspace.REPLAYS: Rule(Replay, check_workspaces.check_replay),
    keyspace.RECEIVER_FAILS: Rule(None, check_flag=check_deliveries.check_waiting),
    keyspace.UNRENDERABLE: Rule(None, check_flag=check_deliveries.check_waiting),
    keyspace.CHAT_DELIVERIES: Rule(None, check_flag=check_deliveries.check_chat_delivery),
    keyspace.ENDED: Rule(None, check_flag=check_deliveries.check_ended),
    keyspace.CHAT_PHONES: Rule(None, check_flag=check_deliveries.check_chat_phone),
    keyspace.PHONE_CHATS: Rule(None, check_flag=check_deliveries.check_phone_chat),
    keyspace.DUES: Rule(None, check_flag=check_dues.check_due),
    keyspace.MAILS: Rule(Mail, check_mail),
    keyspace.MAIL_HOURS: Rule(MailHour, check_mail_hour),
    keyspace.FEED: Rule(FeedRow, check_feed.check_feed_row),
    keyspace.CHAT_FACTS: Rule(None, check_flag=check_feed.check_chat_fact),
    keyspace.TOKENS: Rule(Token, check_token),
    keyspace.WORKSPACE_TOKENS: Rule(None, check_flag=check_token_of),
    keyspace.REQUESTS: Rule(RequestRecord, check_workspaces.check_request),
    keyspace.REQUEST_TIMES: Rule(None, check_flag=check_workspaces.check_request_time),
    keyspace.ERASURES: Rule(Erasure, check_erasure),
    keyspace.EARLY_CHANGES: Rule(EarlyChange, check_chats.check_early_change),
    keyspace.ARRIVALS: Rule(Arrivals, check_arrivals.check_row),
}
OF_SOURCES = {
    (keys.SOURCES, keys.SETTINGS): Rule(Source, check_sources.check_source),
    (keys.SOURCES, keys.NOTES): Rule(SourceNotes, check_sources.check_notes),
    (keys.SOURCES, keys.MEMORY_STATE): Rule(SourceMemory, check_sources.check_memory),
    (keys.MEMORY, keys.ENTRY): Rule(Remembered, check_sources.check_entry),
    (keys.MEMORY, keys.PLACE): Rule(None, check_flag=check_sources.check_place),
    (keys.REQUESTS, keys.HEAD): Rule(KeptRequest, check_sources.check_request),
    (keys.REQUESTS, keys.BODY): Rule(KeptBody, check_sources.check_body),
    (keys.TOKENS, 0): Rule(SourceToken, check_sources.check_token),
    (keys.OF_CHATS, 0): Rule(None, check_flag=check_sources.check_of_chat),
}
POSTPONED = Rule(Postponed, check_dues.check_postponed)
POSTPONED_ROWS = keyspace.due_of(DueKind.POSTPONED)


def rule_of(key: bytes) -> Rule | None:
    """The rule for the record under the key; None for an unknown kind."""
    rule = RULES.get(key[:1])
    if rule is None:
        return OF_SOURCES.get(check_sources.kind_of(key))
    # The only rows of the due index with a value.
    return POSTPONED if key.startswith(POSTPONED_ROWS) else rule
