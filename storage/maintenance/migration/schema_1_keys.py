"""The keys of schema 1, the database of version 0.1.0, and what became of each in schema 2.

    key                      record                    what became of it in schema 2
    I                        Identity                  the same, with another schema
    M                        Meta                      Meta
    W id                     Workspace                 Workspace, Webhook
    N workspace              WorkspaceName             the same
    S workspace              WebhookState              WebhookState, Usage
    A workspace              Activity                  a row for each action
    C workspace chat         ChatRecord                ChatRecord
    B workspace chat part    Part                      Part, under another key
    G workspace chat part    SeenPart                  SeenPart, under another key, and SeenId
    D due kind workspace chat                          made anew from what requires it
    R workspace, X workspace                           made anew from the state
    Q workspace delivery     Delivery                  Delivery, Chunk, a row of the queue
    P workspace delivery     Delivery                  Delivery, Chunk, a row of the dead letters
    L workspace number       Exchange                  LogRow, Attempt, the delivery if it is over
    E number                 Mail                      the same
    F last sequence number   FeedRow                   FeedRow with owners
    T token digest           Token                     the same
    K workspace request key  RequestRecord             the same
    Z workspace chat         Erasure                   Erasure

Nothing in this file may ever change: the keys of a database of 0.1.0 do not change either. `chat`
is the chat's id in UTF-8 without its length. Numbers are big-endian: `workspace` and `part` have 4
bytes, `delivery`, `due`, `number` and sequence numbers have 8.
"""

import re
import struct

IDENTITY = b"I"
META = b"M"
WORKSPACES = b"W"
STATES = b"S"
ACTIVITIES = b"A"
CHATS = b"C"
PARTS = b"B"
SEEN_PARTS = b"G"
DISABLED = b"X"
QUEUED = b"Q"
DEAD_LETTERS = b"P"
LOG = b"L"
MAILS = b"E"
FEED = b"F"
TOKENS = b"T"
REQUESTS = b"K"
ERASURES = b"Z"
DUES = b"D"

RETIME = 4  # the kind of row in the due index

DELIVERY_ID = re.compile(r"dlv_([0-9a-f]{10})([0-9a-f]{8})([0-9a-f]{12})")
TEST_ID = "test_"  # what the id of a test request begins with, which is no delivery

_OWNED = struct.Struct(">cI")
_OWNED_U8 = struct.Struct(">cIQ")
_DUE = struct.Struct(">cQBI")
_U4 = struct.Struct(">I")
_U8 = struct.Struct(">Q")


_NUMBERED = {MAILS: "mail", FEED: "feed row"}
_NUMBERED_OF_A_WORKSPACE = {
    QUEUED: "queued delivery",
    DEAD_LETTERS: "dead letter",
    LOG: "log entry",
}
_PARTS = {PARTS: "window part", SEEN_PARTS: "part of seen ids"}
_OF_A_WORKSPACE = {
    STATES: "state",
    ACTIVITIES: "activity log",
    CHATS: "chat",
    ERASURES: "erasure",
}


def workspace(workspace_id: str) -> bytes:
    return WORKSPACES + workspace_id.encode()


def owned(prefix: bytes, workspace_number: int, subject: bytes = b"") -> bytes:
    return _OWNED.pack(prefix, workspace_number) + subject


def owned_numbered(prefix: bytes, workspace_number: int, number: int) -> bytes:
    return _OWNED_U8.pack(prefix, workspace_number, number)


def part(prefix: bytes, workspace_number: int, chat: bytes, number: int) -> bytes:
    return _OWNED.pack(prefix, workspace_number) + chat + _U4.pack(number)


def retime(workspace_number: int) -> bytes:
    """The row of the due index that continues re-timing the workspace's windows."""
    return _DUE.pack(DUES, 0, RETIME, workspace_number)


def parse_owner(key: bytes) -> int:
    number: int = _OWNED.unpack_from(key)[1]
    return number


def parse_subject(key: bytes) -> bytes:
    return key[_OWNED.size :]


def parse_number(key: bytes) -> int:
    """The number at the end of a key."""
    number: int = _U8.unpack_from(key, len(key) - _U8.size)[0]
    return number


def parse_part(key: bytes) -> tuple[bytes, int]:
    """The chat and the number of the part."""
    number: int = _U4.unpack_from(key, len(key) - _U4.size)[0]
    return key[_OWNED.size : -_U4.size], number


def name_of(key: bytes) -> str:
    """A readable name of the record under the key, for people."""
    try:
        return _name_of(key)
    except (struct.error, ValueError):
        return f"key {key!r}"


def _name_of(key: bytes) -> str:
    letter = key[:1]
    if letter == WORKSPACES:
        return f"workspace {key[1:].decode()!r}"
    if letter == TOKENS:
        return f"token tok_{key[1:7].hex()}"
    if letter in _NUMBERED:
        return f"{_NUMBERED[letter]} {parse_number(key)}"
    return f"{_name_in_workspace(key)} of workspace {parse_owner(key)}"


def _name_in_workspace(key: bytes) -> str:
    letter, subject = key[:1], parse_subject(key)
    if letter in _NUMBERED_OF_A_WORKSPACE:
        return f"{_NUMBERED_OF_A_WORKSPACE[letter]} {parse_number(key)}"
    if letter in _PARTS:
        chat, number = parse_part(key)
        return f"{_PARTS[letter]} {number} of chat {chat.decode()!r}"
    if letter == REQUESTS:
        return f"request {subject.hex()}"
    about = f" {subject.decode()!r}" if subject else ""
    return f"{_OF_A_WORKSPACE[letter]}{about}" if letter in _OF_A_WORKSPACE else f"key {key!r}"
