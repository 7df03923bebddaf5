"""The records of a chat: its open windows, and the ids of the messages it has accepted.

Every accepted message changes its chat's record, and LMDB writes a changed record as a whole. So
messages and ids that no longer fit into a small record are moved to parts, which do not change.
records.py says how fields are stored.

A chat in which much is said keeps its record decoded, in a head.
"""

from collections import OrderedDict, deque

import msgspec

from hookbundle.engine.windows.rule import OTHERWISE
from hookbundle.storage.database.records import U32, Frozen, Record

HEADS_BYTES_MAX = 32 * 1024 * 1024
HEAD_BYTES = 1_400  # the objects of a record, beside its bytes, which it has a second time


class Details(Frozen, frozen=True):
    """What came with a message beside itself: account, chat, and what is kept of it, as JSON."""

    account: bytes
    chat: bytes
    extra: bytes = b""


class Kept(Frozen, frozen=True):
    """What a member of a window keeps beside what is sent.

    `details`: None if they are those of the member that arrived before it. `edited_ms`: when its
    text was edited last, 0 if it never was.
    """

    permalink: str = ""
    details: Details | None = None
    edited_ms: int = 0


class Member(Frozen, frozen=True):
    """A message in a window. `sent_ms`: its timestamp. `message`: JSON, as the webhook sends it.

    `arrived_ms`: when it was accepted; 0 in a window that an earlier version opened. `kept`: None
    if it keeps nothing more, as nearly all.
    """

    sent_ms: int
    message: bytes
    arrived_ms: int = 0
    kept: Kept | None = None


class Apart(Record):
    """What a window knows of its members, if any of them keeps something.

    `oldest`: the details of the one that arrived first; None as long as all had the same. `last`:
    those of the one that arrived last; None if the window has the same. `beside`: the bytes of all
    that is kept; those of the members in the tail count in `tail_bytes` too.
    """

    oldest: Details | None = None
    last: Details | None = None
    beside: int = 0


class Window(Record):
    """An open window of a chat and webhook.

    `tail` holds the newest messages, of `tail_bytes` bytes; when it gets too large for one record
    it is moved to a `Part`, of which there are `parts`. `weight`: the bytes of all messages in a
    bundle. `first_ms`, `newest_ms`: the earliest and the latest timestamp, -1 in an empty window.
    `account`, `chat`: JSON of the latest message; `extra`: what its chat has beside them, as JSON,
    for templates and never in the body; `permalink`: of the earliest message. `choice`: the index
    of the rule by which it ends, OTHERWISE for what its webhook's settings have beside their rules.
    `first`: the number of the delivery that the message which opened it left as at once, else 0;
    only such a window may be empty. `apart`: None if no member keeps anything.
    """

    opened_ms: int
    due_ms: int
    count: int = 0
    weight: int = 0
    is_new_chat: bool = False
    newest_ms: int = -1
    account: bytes = b""
    chat: bytes = b""
    extra: bytes = b""
    first_ms: int = -1
    permalink: str = ""
    parts: int = 0
    tail: list[Member] = msgspec.field(default_factory=list)
    tail_bytes: int = 0
    choice: int = OTHERWISE
    first: int = 0
    apart: Apart | None = None


class Collecting(Record):
    """What a chat has for one webhook. It outlives the window.

    `arrived_ms`: when the last message arrived that this webhook was offered. `arrivals`: when
    those did that have left last, as engine/windows/arrivals.py packs them, all of the UTC day
    `day`; those before are in rows (tables/arrivals/). `cut`, `cut_until_ms`: how many bundles were
    sealed for size from one window, and when it would have ended; what is opened until then goes on
    with it.
    """

    webhook: U32
    arrived_ms: int = 0
    window: Window | None = None
    arrivals: bytes = b""
    day: int = 0
    cut: int = 0
    cut_until_ms: int = 0


class ChatRecord(Record):
    """A chat: its open windows, and the ids of the messages it has accepted.

    `seen` holds a digest of 8 bytes for each id, one after another, so that a message that is sent
    again is recognised as a duplicate. It holds the newest ids; when it gets too large for the
    record it is moved to a `SeenPart`, and each digest in it gets a row without a value, so that a
    look-up costs the same however many there are. Parts have the numbers from `seen_first` to
    `seen_next` - 1. Ids are kept for at least 48 hours, and as long as their message may be in an
    open window; they are dropped a whole part at a time. The keys of the rows hold `seen_base`, the
    first number that a part of this record could have: a chat that was deleted and began anew knows
    nothing of the rows that are still being erased. `texts` holds four bytes for the text of each
    of the last ids in `seen`: of all, but in a chat that was there before texts were known.

    `last_ms`: when the latest message was accepted. `forget_ms`: the time of the chat's FORGET row
    of the due index, which it has while no window is open; 0 without one.
    """

    collecting: list[Collecting] = msgspec.field(default_factory=list)
    last_ms: int = 0
    forget_ms: int = 0
    seen: bytes = b""
    seen_first: int = 0
    seen_next: int = 0
    seen_base: int = 0
    texts: bytes = b""

    def of(self, webhook: int) -> Collecting | None:
        """What the chat has for the webhook, or None."""
        for each in self.collecting:
            if each.webhook == webhook:
                return each
        return None

    def window_of(self, webhook: int) -> Window | None:
        """The open window of the webhook, or None."""
        for each in self.collecting:
            if each.webhook == webhook:
                return each.window
        return None

    def is_collecting(self) -> bool:
        """Whether a window is open."""
        for each in self.collecting:  # noqa: SIM110 - for each message; `any` costs three times that
            if each.window is not None:
                return True
        return False

    def oldest_opened_ms(self) -> int | None:
        """When the first of the open windows was opened; None if none is open."""
        opened = [each.window.opened_ms for each in self.collecting if each.window]
        return min(opened, default=None)


class Head:
    """A chat's record, decoded, and the stored bytes that it is. The chat's actor holds it.

    It is a copy, and used only where the database has these very bytes now. So it can't be stale,
    whatever else has changed the record; and nothing is undone in it where a transaction fails. Who
    takes the record may change it, and it is here no longer.
    """

    __slots__ = ("bytes", "key", "record", "stored")

    def __init__(self) -> None:
        self.key = b""
        self.stored = b""
        self.bytes = 0  # what it counts for
        self.record: ChatRecord | None = None


class Heads:
    """What is in the heads of all chats, `bytes_max` together: who used it last makes room first.

    Belongs to the Store's thread, but for `let_go`. A head is in here as long as it has a record.
    """

    def __init__(self, bytes_max: int = HEADS_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._full: OrderedDict[bytes, Head] = OrderedDict()  # the one used longest ago comes first
        self._let_go: deque[Head] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._full)

    def find(self, key: bytes) -> Head | None:
        """The head that has the record of the key."""
        return self._full.get(key)

    def take(self, head: Head, stored: bytes) -> ChatRecord | None:
        """The record that these bytes are, if the head has it; it has none afterwards."""
        record = head.record
        if record is None:
            return None
        is_same = head.stored == stored
        del self._full[head.key]
        self._empty(head)
        return record if is_same else None

    def keep(self, head: Head, key: bytes, stored: bytes, record: ChatRecord) -> None:
        """The head has the record, which nobody changes any more; the bytes are what it is."""
        before = self._full.pop(key, None)
        if before is not None:
            self._empty(before)
        head.key, head.stored, head.record = key, stored, record
        self._full[key] = head
        head.bytes = 2 * len(stored) + HEAD_BYTES
        self.bytes += head.bytes
        while self._let_go:
            self.take(self._let_go.popleft(), b"")
        while self.bytes > self._bytes_max:
            self._empty(self._full.popitem(last=False)[1])

    def let_go(self, head: Head) -> None:
        """Nobody holds the head any more. From any thread."""
        self._let_go.append(head)

    def _empty(self, head: Head) -> None:
        self.bytes -= head.bytes
        head.stored, head.record = b"", None


class Arrivals(Frozen, frozen=True):
    """When messages of a chat arrived that a webhook was offered, all on one UTC day.

    Packed as in the chat's record, in which there is no room for more.
    """

    packed: bytes


class Part(Frozen, frozen=True):
    """Messages of a window that no longer fit into the chat's record."""

    members: list[Member]


class SeenPart(Frozen, frozen=True):
    """Digests of seen ids that no longer fit into the chat's record.

    `last_ms`: when the newest of them was accepted; the part is deleted 48 hours later. `base`: the
    chat's `seen_base`, which is in the keys of their rows. `texts`: as in the chat's record.
    """

    last_ms: int
    seen: bytes
    base: int = 0
    texts: bytes = b""


class EarlyChange(Frozen, frozen=True):
    """An edit, or with an empty `text` a deletion, that came before its message, at `at_ms`."""

    message_id: str
    text: str
    edited_ms: int
    at_ms: int


class Erasure(Frozen, frozen=True):
    """A deleted chat or workspace whose records are still being erased.

    `before`: the next delivery number at the time of the deletion. A chat may get new messages
    afterwards; their deliveries have this number or a higher one, and are kept. `seen_before`:
    likewise for the numbers of its parts of seen ids. `webhooks`: of a workspace.
    """

    workspace_id: str
    at_ms: int
    before: int
    seen_before: int = 0
    webhooks: tuple[int, ...] = ()
