"""The state of a running check, and its look-ups of other records.

A rule looks records up in the transaction; what it counts it adds to a tally. The counters of a
webhook and of a workspace come after all that they count, in the order of the keys.
"""

import struct
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import lmdb
import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Meta, WebhookState, WorkspaceName
from hookbundle.storage.maintenance import check_names

R = TypeVar("R", bound=msgspec.Struct)
Owner = Literal["live", "erased", "unknown"]
NOT_MOVING = WebhookState(workspace=0)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem. `where`: the record that has it; `what`: a sentence without its subject.

    `workspace`: the id of the workspace whose record it is; empty if it is nobody's.
    """

    where: str
    what: str
    workspace: str = ""


@dataclass(slots=True)
class WebhookTally:
    """What was counted of a webhook. The fields have the names of WebhookState's counters."""

    queued: int = 0
    queued_messages: int = 0
    dead_letters: int = 0
    dead_letter_messages: int = 0
    fails: int = 0
    fails_messages: int = 0
    unrendered: int = 0
    unrendered_messages: int = 0
    waiting_bytes: int = 0
    resending: int = 0
    resending_messages: int = 0
    windows: int = 0
    buffered_messages: int = 0
    buffered_bytes: int = 0


@dataclass(slots=True)
class WorkspaceTally:
    """What was counted of a workspace. The fields have the names of Usage's counters."""

    history: int = 0
    history_bytes: int = 0
    events: int = 0
    event_bytes: int = 0
    answers: int = 0
    answer_bytes: int = 0
    seen_bytes: int = 0
    test_bytes: int = 0
    erasures: int = 0
    arrival_bytes: int = 0
    source_bytes: int = 0
    changes: int = 0
    change_bytes: int = 0


@dataclass(slots=True)
class FeedTally:
    """What was counted in the feed. `last`: the number of the last event so far."""

    last: int | None = None
    events: int = 0
    bytes: int = 0
    own_events: int = 0
    own_bytes: int = 0


@dataclass(slots=True)
class Ledger:
    """What the check has counted so far, and look-ups in the transaction that it reads in.

    `replaying`: how many deliveries wait for each replay, by its workspace and its number.
    `seen_rows`: what the keys of the rows of seen ids begin with to which the check has come.
    """

    txn: lmdb.Transaction
    meta: Meta = field(default_factory=Meta)
    webhooks: dict[int, WebhookTally] = field(default_factory=dict)
    workspaces: dict[int, WorkspaceTally] = field(default_factory=dict)
    feed: FeedTally = field(default_factory=FeedTally)
    mails: int = 0
    replaying: Counter[tuple[int, int]] = field(default_factory=Counter)
    seen_rows: bytes = b""
    _postponed: set[bytes] = field(default_factory=set)
    _erased_webhooks: set[int] = field(default_factory=set)
    _owners: dict[int, Owner] = field(default_factory=dict)
    _workspaces_of: dict[int, int | None] = field(default_factory=dict)
    _moving: dict[int, WebhookState] = field(default_factory=dict)

    def open(self) -> None:
        """Reads what the rules need from the first record on."""
        self.meta = self.get(keyspace.META, Meta) or Meta()
        # A malformed key is passed over here, and reported when the walk comes to it.
        for key, _ in rows.rows(self.txn, keyspace.due_of(DueKind.POSTPONED)):
            with suppress(struct.error):
                self._postponed.add(key_fields.due(key).subject)
        for key in rows.first_keys(self.txn, keyspace.ERASURES):
            with suppress(struct.error):
                self._note_erasure(key)

    def _note_erasure(self, first: bytes) -> None:
        """`first`: the key of the workspace's first erasure, its own if it has one."""
        workspace = key_fields.owner(first)
        if not key_fields.subject(first):
            erasure = self.get(first, Erasure)
            self._erased_webhooks.add(workspace)  # `outbound` has its number
            self._erased_webhooks.update(erasure.webhooks if erasure else ())

    # ---- records

    def get(self, key: bytes, kind: type[R]) -> R | None:
        """The record; None if it is missing or damaged. Damage is reported at its own key."""
        try:
            return rows.get(self.txn, key, kind)
        except CorruptRecord:
            return None

    def has(self, key: bytes) -> bool:
        return rows.get_raw(self.txn, key) is not None

    def has_any(self, prefix: bytes) -> bool:
        return bool(rows.first_of(self.txn, prefix, 1))

    def size(self, key: bytes) -> int:
        """The bytes of the stored value."""
        return len(rows.get_raw(self.txn, key) or b"")

    def has_due(self, at_ms: int, kind: DueKind, number: int, subject: bytes = b"") -> bool:
        """Whether the due index has the row, in its place or among the postponed ones."""
        key = keyspace.due(Due(at_ms, kind, number, subject))
        return key in self._postponed or self.has(key)

    def erasure_of(self, workspace: int, chat: bytes) -> Erasure | None:
        """The chat's erasure if it was deleted and has records left; else None."""
        return self.get(keyspace.owned(keyspace.ERASURES, workspace, chat), Erasure)

    # ---- owners

    def owner(self, workspace: int) -> Owner:
        """`erased`: the workspace was deleted, and its records are being erased."""
        known = self._owners.get(workspace)
        if known is None:
            if self.has(keyspace.owned(keyspace.NAMES, workspace)):
                known = "live"
            elif self.has(keyspace.owned(keyspace.ERASURES, workspace)):
                known = "erased"
            else:
                known = "unknown"
            self._owners[workspace] = known
        return known

    def owner_of_webhook(self, webhook: int) -> Owner:
        """As `owner`, of the workspace of the webhook."""
        workspace = self.workspace_of(webhook)
        if workspace is not None:
            return self.owner(workspace)
        return "erased" if webhook in self._erased_webhooks else "unknown"

    def workspace_of(self, webhook: int) -> int | None:
        """The webhook's workspace; None if there is no such webhook."""
        if webhook not in self._workspaces_of:
            state = self.get(keyspace.owned(keyspace.STATES, webhook), WebhookState)
            if state is not None and state.moving is not None:
                self._moving[webhook] = state
            found = state.workspace if state else None
            # Of `outbound` the settings can be found too. If its state is missing or damaged, that
            # is reported there, and not once more for each of its records.
            if found is None and self.has(keyspace.webhook(webhook, webhook)):
                found = webhook
            self._workspaces_of[webhook] = found
        return self._workspaces_of[webhook]

    def state_of(self, webhook: int) -> WebhookState:
        """The webhook's state if it says that deliveries are moved; else one that doesn't."""
        return self._moving.get(webhook, NOT_MOVING)

    def name_of_owner(self, key: bytes) -> str:
        """The id of the workspace whose record has the key; empty if there is none.

        Raises: struct.error if the key is malformed.
        """
        if key[:1] == keyspace.WORKSPACES:
            return key[1:].decode(errors="replace")
        owner = check_names.owner_of(key)
        if owner is None:
            return ""
        workspace = self.workspace_of(owner.number) if owner.is_webhook else owner.number
        found = self.get(keyspace.owned(keyspace.NAMES, workspace or 0), WorkspaceName)
        return found.id if found else ""

    # ---- tallies

    def of_webhook(self, webhook: int) -> WebhookTally:
        return self.webhooks.setdefault(webhook, WebhookTally())

    def of_workspace(self, workspace: int) -> WorkspaceTally:
        return self.workspaces.setdefault(workspace, WorkspaceTally())


def differences(tally: WebhookTally | WorkspaceTally, record: msgspec.Struct) -> Iterator[str]:
    """A sentence for each counter of the record that is not what was counted."""
    for counter in tally.__dataclass_fields__:
        counted, said = getattr(tally, counter), getattr(record, counter)
        if counted != said:
            yield f"says {counter} {said}, counted {counted}"


def is_live(owner: Owner, kind: str) -> Generator[str, None, bool]:
    """Whether the rules hold for a record of this owner. It is a problem if nobody owns it."""
    if owner == "unknown":
        yield f"belongs to no {kind}"
    return owner == "live"
