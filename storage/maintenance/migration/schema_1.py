"""The records of schema 1, the database of version 0.1.0, as they were then.

Nothing in this file may ever change: the records of a database of 0.1.0 do not change either.
schema_1_keys.py says under which keys they stand, and what became of them. The identity is not
here: every version has to be able to read it.
"""

from typing import Literal

import msgspec


class Stored(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A record: a MessagePack array of the fields in this order."""


class Totals(Stored, frozen=True):
    accepted: int = 0
    duplicate: int = 0
    skipped: int = 0
    sealed: int = 0
    delivered: int = 0
    failed: int = 0
    dead_letters: int = 0
    discarded: int = 0
    disabled: int = 0


class Meta(Stored, frozen=True):
    workspace_next: int = 1
    delivery_next: int = 1
    mail_next: int = 1
    feed_next: int = 1
    feed_oldest: int = 1
    feed_oldest_ms: int = 0
    last_ms: int = 0
    windows: int = 0
    queued: int = 0
    dead_letters: int = 0
    mails: int = 0
    totals: Totals = Totals()


class Secret(Stored, frozen=True):
    value: str
    expires_ms: int = 0


class Workspace(Stored, frozen=True):
    id: str
    number: int
    version: int
    created_ms: int
    name: str = ""
    owner_email: str = ""
    url: str = ""
    aggregation_ms: int = 0
    success: Literal["200", "2xx"] = "200"
    secrets: tuple[Secret, ...] = ()


class Flight(Stored, frozen=True):
    delivery: int
    attempt: int
    began_ms: int
    epoch: int
    url: str = ""


class WebhookState(Stored, frozen=True):
    enabled: bool = True
    disabled_reason: str = ""
    disabled_ms: int = 0
    consecutive_errors: int = 0
    last_error: str = ""
    next_attempt_ms: int = 0
    epoch: int = 0
    flight: Flight | None = None
    ready: bool = False
    retry_ms: int = 0
    retime_after: bytes | None = None
    queued: int = 0
    queued_messages: int = 0
    dead_letters: int = 0
    windows: int = 0
    buffered_messages: int = 0
    log_next: int = 0
    erasures: int = 0


class Delivery(Stored, frozen=True):
    number: int
    chat_id: str
    messages: int
    sealed_ms: int
    reason: str
    bundle: bool
    body: bytes
    epoch: str
    opened_ms: int = 0
    attempts: int = 0
    rejections: int = 0
    last_error: str = ""


class Exchange(Stored, frozen=True):
    at_ms: int
    delivery_id: str
    attempt: int
    chat_id: str
    url: str
    request_headers: tuple[tuple[str, str], ...]
    request_body: bytes
    outcome: str
    status: int = 0
    response_headers: tuple[tuple[str, str], ...] = ()
    response_body: bytes = b""
    truncated: bool = False
    error: str = ""
    duration_ms: int = 0


class Action(Stored, frozen=True):
    at_ms: int
    action: str
    chat_id: str = ""
    messages: int = 0
    outcome: str = ""
    detail: str = ""
    logged: int = 0


class Activity(Stored, frozen=True):
    actions: tuple[Action, ...] = ()


class Member(Stored, frozen=True):
    sent_ms: int
    message: bytes


class Window(Stored, frozen=True):
    opened_ms: int
    due_ms: int
    count: int = 0
    weight: int = 0
    is_new_chat: bool = False
    newest_ms: int = -1
    account: bytes = b""
    chat: bytes = b""
    first_ms: int = -1
    permalink: str = ""
    parts: int = 0
    tail: tuple[Member, ...] = ()
    tail_bytes: int = 0


class ChatRecord(Stored, frozen=True):
    window: Window | None = None
    last_ms: int = 0
    wake_ms: int = 0
    seen: bytes = b""
    seen_first: int = 0
    seen_next: int = 0


class Part(Stored, frozen=True):
    members: tuple[Member, ...]


class SeenPart(Stored, frozen=True):
    last_ms: int
    seen: bytes


class Mail(Stored, frozen=True):
    number: int
    workspace: int
    to: str
    created_ms: int
    workspace_id: str
    workspace_name: str
    url: str
    last_error: str
    held_messages: int
    held_deliveries: int
    tries: int = 0
    next_ms: int = 0
    last_failure: str = ""


class FeedRow(Stored, frozen=True):
    at_ms: int
    count: int
    events: bytes


class Token(Stored, frozen=True):
    id: str
    scope: Literal["intake", "admin"]
    workspace_id: str
    created_ms: int


class RequestRecord(Stored, frozen=True):
    digest: bytes
    at_ms: int
    answer: bytes = b""


class Erasure(Stored, frozen=True):
    workspace_id: str
    at_ms: int
    before: int
