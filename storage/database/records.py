"""The records of the database. Times are UTC milliseconds; 0 means "not set".

A record is stored as a MessagePack array of its fields in the order below, without their names. So
a field may be renamed, but never moved or removed; a new one goes to the end, with a default.
keyspace.py says under which key each record is stored.

Three fields called `epoch` are two different things:
- `Identity.epoch` (text) names a database. A restore gets a new one, because it continues from an
  earlier state and would otherwise give ids and cursors a second time. A `Delivery` keeps the epoch
  in which it was sealed, as part of its id.
- `WebhookState.epoch` (a number) counts restarts of a webhook; see there.
"""

from typing import Annotated, Literal

import msgspec

SCHEMA = 1
SCHEMA_OLDEST = 1  # the oldest schema that this program reads

U32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class Record(msgspec.Struct, array_like=True, gc=False):
    """A record that transitions change in place."""


class Frozen(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A record that is replaced as a whole."""


class Identity(Frozen, frozen=True):
    """Identifies the database. `epoch`: random; new for every new database and every restore."""

    epoch: str
    schema: int
    created_ms: int


class Totals(Record):
    """Counters since the database was created.

    Of messages: `accepted`, `duplicate`, `skipped`. Of attempts: `failed`. Of webhooks: `disabled`.
    The others count deliveries; one that becomes a dead letter twice is counted twice.
    """

    accepted: int = 0
    duplicate: int = 0
    skipped: int = 0
    sealed: int = 0
    delivered: int = 0
    failed: int = 0
    dead_letters: int = 0
    discarded: int = 0
    disabled: int = 0


class Meta(Record):
    """The counters of the whole database.

    `..._next`: the next number to assign. `feed_oldest`: the sequence number of the oldest event
    kept, `feed_oldest_ms` the time of its row. `last_ms`: the latest time at which a transition was
    applied. The others count open windows, queued deliveries, dead letters and unsent e-mails.
    """

    workspace_next: U32 = 1
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
    totals: Totals = msgspec.field(default_factory=Totals)


class Secret(Frozen, frozen=True):
    """A signing secret, `whsec_...`. After a rotation the old one also signs until it expires."""

    value: str
    expires_ms: int = 0


class Workspace(Frozen, frozen=True):
    """The settings of a workspace.

    `number`: never assigned again; keys contain it instead of the id, so a new workspace of the
    same id cannot see old records. `version` counts the changes. `aggregation_ms`: the length of a
    window, or 0 to send each message alone. `secrets`: newest first.
    """

    id: str
    number: U32
    version: int
    created_ms: int
    name: str = ""
    owner_email: str = ""
    url: str = ""
    aggregation_ms: int = 0
    success: Literal["200", "2xx"] = "200"
    secrets: tuple[Secret, ...] = ()


class WorkspaceName(Frozen, frozen=True):
    """The id of the workspace that has the number in the key."""

    id: str


class Flight(Frozen, frozen=True):
    """The attempt in progress. `delivery`: its number; `epoch`: the webhook's when it began."""

    delivery: int
    attempt: int
    began_ms: int
    epoch: int
    url: str = ""


class WebhookState(Record):
    """The state of a workspace's webhook, and the workspace's counters.

    `epoch` is increased when the webhook is enabled or gets another URL. An attempt may be in
    progress then; its result describes the old URL, or a time before the operator's repair, and
    must not count as an error of the new one. So an attempt keeps the epoch in which it began.

    `flight`: the attempt in progress; one that is found at a start was lost in a crash.
    `ready`, `retry_ms`: whether the webhook has a READY row, and the time of its RETRY row, or 0;
    only readiness.py writes them. `retime_after`: the key of the last chat whose window has its new
    time; None if no re-timing is in progress. `log_next`: the next number of the detailed log.

    `erasures`: how many deleted chats have records left to erase. Such a chat's deliveries may
    still be in the queue and must not be sent. While this is 0, which is nearly always, the sender
    need not look for an erasure.
    """

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


class Delivery(Record):
    """A sealed bundle, or a single message, in the queue or among the dead letters.

    `body` is sent as it is, at every attempt. `messages`: how many it contains. `reason`: why it
    was sealed, as in the feed. `epoch`: of the database that sealed it. `rejections`: how
    often the receiver rejected it, counted from 0 again when the webhook is enabled or when this
    dead letter is queued again.
    """

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


class Exchange(Frozen, frozen=True):
    """An entry of the detailed log: a request and its response, with headers and bodies.

    `truncated`: the response body was longer than what is kept.
    """

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


class Action(Frozen, frozen=True):
    """A line of the activity log.

    `logged`: 1 + the number of its entry in the detailed log, or 0 if it has none.
    """

    at_ms: int
    action: str
    chat_id: str = ""
    messages: int = 0
    outcome: str = ""
    detail: str = ""
    logged: int = 0


class Activity(Record):
    """The activity log of a workspace: the most recent actions, newest last."""

    actions: list[Action] = []


class Mail(Record):
    """An e-mail about a disabled webhook, kept until the SMTP server has accepted it.

    It has what the text needs, as it was when the webhook was disabled. `tries`: how often sending
    failed; `next_ms`: when it is tried next; `last_failure`: why the last try failed.
    """

    number: int
    workspace: U32
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


class FeedRow(Frozen, frozen=True):
    """The events of one commit. The sequence number of the last one is in the key."""

    at_ms: int
    count: int
    events: bytes


class Token(Frozen, frozen=True):
    """A bearer token. The token itself is not stored, only its SHA-256, in the key."""

    id: str
    scope: Literal["intake", "admin"]
    workspace_id: str
    created_ms: int


class RequestRecord(Frozen, frozen=True):
    """A request with an idempotency key.

    `digest`: of the request's body, to refuse the key with another body. `answer`: what the API
    answered; empty while the request is being handled.
    """

    digest: bytes
    at_ms: int
    answer: bytes = b""


class Erasure(Frozen, frozen=True):
    """A deleted chat or workspace whose records are still being erased.

    Deleting answers at once, and the records are erased in steps, because a million of them would
    block intake. `before`: the next delivery number at the time of the deletion. A chat may get new
    messages afterwards; their deliveries have this number or a higher one, and are kept.
    """

    workspace_id: str
    at_ms: int
    before: int
