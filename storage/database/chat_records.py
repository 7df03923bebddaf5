"""The records of a chat: its open window, and the ids of the messages it has accepted.

Every accepted message changes its chat's record, and LMDB writes a changed record as a whole. So
messages and ids that no longer fit into a small record are moved to parts, which do not change.
records.py says how fields are stored.
"""

import msgspec

from hookbundle.storage.database.records import Frozen, Record


class Member(Frozen, frozen=True):
    """A message in a window. `sent_ms`: its timestamp. `message`: JSON, as the webhook sends it."""

    sent_ms: int
    message: bytes


class Window(Record):
    """A chat's open window.

    `tail` holds the newest messages, of `tail_bytes` bytes; when it gets too large for one record
    it is moved to a `Part`, of which there are `parts`. `weight`: the bytes of all messages in a
    bundle. `first_ms`, `newest_ms`: the earliest and the latest timestamp, -1 in an empty window.
    `account`, `chat`: JSON of the latest message; `permalink`: of the earliest.
    """

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
    tail: list[Member] = msgspec.field(default_factory=list)
    tail_bytes: int = 0


class ChatRecord(Record):
    """A chat: its open window, and the ids of the messages it has accepted.

    `seen` holds a digest of 8 bytes for each id, one after another, so that a message that is sent
    again is recognised as a duplicate. It holds the newest ids; when it gets too large for the
    record it is moved to a `SeenPart`. Parts have the numbers from `seen_first` to `seen_next` - 1.
    Ids are kept for at least 48 hours and dropped a whole part at a time.

    `last_ms`: when the latest message was accepted. `wake_ms`: the time of the chat's only row in
    the due index, which is WINDOW while a window is open and FORGET otherwise.
    """

    window: Window | None = None
    last_ms: int = 0
    wake_ms: int = 0
    seen: bytes = b""
    seen_first: int = 0
    seen_next: int = 0


class Part(Frozen, frozen=True):
    """Messages of a window that no longer fit into the chat's record."""

    members: list[Member]


class SeenPart(Frozen, frozen=True):
    """Digests of seen ids that no longer fit into the chat's record.

    `last_ms`: when the newest of them was accepted; the part is deleted 48 hours later.
    """

    last_ms: int
    seen: bytes
