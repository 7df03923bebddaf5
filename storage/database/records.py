"""What stands in the database, record by record. Times are UTC milliseconds, 0 for "not set".

Records are MessagePack arrays in the order of their fields: add fields at the end, with a default.
"""

from typing import Annotated, Literal

import msgspec

SCHEMA = 1
SCHEMA_OLDEST = 1  # that is still read

U32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class Record(msgspec.Struct, array_like=True, gc=False):
    """A record that transitions change in place."""


class Frozen(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A record that is replaced as a whole."""


class Identity(Frozen, frozen=True):
    """Which database this is. `epoch` is new for every database and every restore."""

    epoch: str
    schema: int
    created_ms: int


class Totals(Record):
    """Counted since the database was made."""

    accepted: int = 0
    duplicate: int = 0
    skipped: int = 0
    sealed: int = 0
    delivered: int = 0
    failed: int = 0
    parked: int = 0
    discarded: int = 0
    disabled: int = 0


class Meta(Record):
    """The counters that every commit carries on."""

    workspace_next: U32 = 1
    delivery_next: int = 1
    mail_next: int = 1
    feed_next: int = 1
    feed_oldest: int = 1
    feed_oldest_ms: int = 0
    last_ms: int = 0
    windows: int = 0
    pending: int = 0
    parked: int = 0
    mails: int = 0
    totals: Totals = msgspec.field(default_factory=Totals)


class Secret(Frozen, frozen=True):
    """A signing secret, `whsec_...`. One that was rotated out signs on until it expires."""

    value: str
    expires_ms: int = 0


class Workspace(Frozen, frozen=True):
    """The settings. `aggregation_ms` 0: don't aggregate. `version` counts the changes."""

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
    id: str


class Flight(Frozen, frozen=True):
    """The attempt under way. `epoch` is the webhook's at its begin."""

    delivery: int
    attempt: int
    began_ms: int
    epoch: int
    url: str = ""


class WebhookState(Record):
    """A webhook's state and its workspace's counters.

    `epoch` goes up when the webhook is enabled or gets another URL: an attempt that began before
    that says nothing about what is now. `ready` and `retry_ms` mirror the rows of readiness.py.
    `erasures` counts the deleted chats whose deliveries are not all erased yet.
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
    pending: int = 0
    pending_messages: int = 0
    parked: int = 0
    windows: int = 0
    buffered_messages: int = 0
    log_next: int = 0
    erasures: int = 0


class Member(Frozen, frozen=True):
    """A message in a window: when it was sent, and its JSON."""

    sent_ms: int
    message: bytes


class Window(Record):
    """A chat's open window. Members that outgrew the record stand in `parts` further records."""

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
    tail: list[Member] = []
    tail_bytes: int = 0


class ChatRecord(Record):
    """A chat: its window, if one is open, and the ids it has seen as digests of 8 bytes.

    `wake_ms` is the time of the one row this chat has in the due index: WINDOW while a window is
    open, FORGET otherwise.
    """

    window: Window | None = None
    last_ms: int = 0
    wake_ms: int = 0
    seen: bytes = b""
    seen_first: int = 0
    seen_next: int = 0


class Part(Frozen, frozen=True):
    members: list[Member]


class SeenPart(Frozen, frozen=True):
    last_ms: int
    seen: bytes


class Delivery(Record):
    """A sealed bundle, or a single message, on its way. Its body never changes again."""

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
    """A request and its response, in full; an entry of the detailed log."""

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
    """A line of the activity log. `logged` is 1 + its number in the detailed log, or 0."""

    at_ms: int
    action: str
    chat_id: str = ""
    messages: int = 0
    outcome: str = ""
    detail: str = ""
    logged: int = 0


class Activity(Record):
    """The ten most recent actions, newest last."""

    actions: list[Action] = []


class Mail(Record):
    """An e-mail that tells an owner of a disabled webhook, until the SMTP server has taken it."""

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
    """The facts of one commit; the last one's sequence number is in the key."""

    at_ms: int
    count: int
    events: bytes


class Token(Frozen, frozen=True):
    """A bearer token. What is stored of it is its SHA-256, in the key."""

    id: str
    scope: Literal["intake", "admin"]
    workspace_id: str
    created_ms: int


class RequestRecord(Frozen, frozen=True):
    """An idempotency key: the body it came with, and the answer once there is one."""

    digest: bytes
    at_ms: int
    answer: bytes = b""


class Erasure(Frozen, frozen=True):
    """A deletion whose records are being erased: of a chat, those sealed `before` that delivery."""

    workspace_id: str
    at_ms: int
    before: int
