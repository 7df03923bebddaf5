"""The state of a running check, its look-ups of other records, and the names it gives them."""

import struct
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import lmdb
import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Meta
from hookbundle.storage.transitions import tokens

R = TypeVar("R", bound=msgspec.Struct)
Owner = Literal["live", "erased", "unknown"]

NAMES = {
    keyspace.NAMES: "name",
    keyspace.STATES: "state",
    keyspace.ACTIVITIES: "activity log",
    keyspace.CHATS: "chat",
    keyspace.PARTS: "window part",
    keyspace.SEEN_PARTS: "part of seen ids",
    keyspace.READY: "ready flag",
    keyspace.DISABLED: "disabled flag",
    keyspace.QUEUED: "queued delivery",
    keyspace.DEAD_LETTERS: "dead letter",
    keyspace.LOG: "log entry",
    keyspace.REQUESTS: "request",
    keyspace.ERASURES: "erasure",
}
WHOLE = {keyspace.IDENTITY: "identity", keyspace.META: "counters"}
NUMBERED = {keyspace.MAILS: "mail", keyspace.FEED: "feed row"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem. `where`: the record that has it; `what`: a sentence without its subject."""

    where: str
    what: str


@dataclass(slots=True)
class Tally:
    """What was counted in a workspace. The fields have the names of WebhookState's counters."""

    queued: int = 0
    queued_messages: int = 0
    dead_letters: int = 0
    windows: int = 0
    buffered_messages: int = 0
    erasures: int = 0


@dataclass(slots=True)
class Ledger:
    """What the check has counted so far, and look-ups in the transaction that it reads in."""

    txn: lmdb.Transaction
    meta: Meta = field(default_factory=Meta)
    tallies: dict[int, Tally] = field(default_factory=dict)
    owners: dict[int, Owner] = field(default_factory=dict)
    mails: int = 0
    feed_last: int | None = None

    def __post_init__(self) -> None:
        self.meta = self.get(keyspace.META, Meta) or Meta()

    def get(self, key: bytes, kind: type[R]) -> R | None:
        """The record; None if it is missing or damaged. Damage is reported at its own key."""
        try:
            return rows.get(self.txn, key, kind)
        except CorruptRecord:
            return None

    def has(self, key: bytes) -> bool:
        return rows.get_raw(self.txn, key) is not None

    def has_due(self, at_ms: int, kind: DueKind, number: int, subject: bytes = b"") -> bool:
        return self.has(keyspace.due(Due(at_ms, kind, number, subject)))

    def tally(self, number: int) -> Tally:
        return self.tallies.setdefault(number, Tally())

    def owner(self, number: int) -> Owner:
        """`erased`: the workspace was deleted, and its records are being erased."""
        known = self.owners.get(number)
        if known is None:
            if self.has(keyspace.owned(keyspace.NAMES, number)):
                known = "live"
            elif self.has(keyspace.owned(keyspace.ERASURES, number)):
                known = "erased"
            else:
                known = "unknown"
            self.owners[number] = known
        return known


def name_of(key: bytes) -> str:
    """A readable name of the record under the key.

    Raises: ValueError if the key is malformed.
    """
    try:
        name = _name_of(key)
    except struct.error as exc:
        raise ValueError(f"{key!r} is too short") from exc
    return name


def _name_of(key: bytes) -> str:
    prefix, rest = key[:1], key[1:]
    if prefix in WHOLE:
        if rest:
            raise ValueError(f"{key!r} is too long")
        return WHOLE[prefix]
    if prefix == keyspace.WORKSPACES:
        return f"workspace {rest.decode()!r}"
    if prefix == keyspace.TOKENS:
        return f"token {tokens.token_id(rest)}"
    if prefix in NUMBERED:
        return f"{NUMBERED[prefix]} {keyspace.parse_number(key)}"
    if prefix == keyspace.DUES:
        return _name_of_due(keyspace.parse_due(key))
    return f"{NAMES[prefix]}{_subject_of(key)} of workspace {keyspace.parse_owner(key)}"


def _name_of_due(row: Due) -> str:
    if row.kind is DueKind.MAIL:
        return f"due row MAIL at {row.at_ms} of mail {row.number}"
    subject = row.subject.hex() if row.kind is DueKind.REQUEST else row.subject.decode()
    about = f" {subject!r}" if subject else ""
    return f"due row {row.kind.name} at {row.at_ms} of{about} workspace {row.number}"


def _subject_of(key: bytes) -> str:
    prefix = key[:1]
    if prefix in (keyspace.PARTS, keyspace.SEEN_PARTS):
        _, chat, part = keyspace.parse_part(key)
        return f" {part} of chat {chat.decode()!r}"
    if prefix in (keyspace.QUEUED, keyspace.DEAD_LETTERS, keyspace.LOG):
        return f" {keyspace.parse_number(key)}"
    subject = keyspace.parse_subject(key)
    if prefix == keyspace.REQUESTS:
        return f" {subject.hex()}"
    return f" {subject.decode()!r}" if subject else ""
