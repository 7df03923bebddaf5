"""The only place that builds or parses a key.

    key                              record             written by            deleted by
    I                                Identity           creating, restoring   never
    M                                Meta               every commit          never
    W id                             Workspace          changing settings     deleting the workspace
    N workspace                      WorkspaceName      creating a workspace  deleting the workspace
    S workspace                      WebhookState       most transitions      deleting the workspace
    A workspace                      Activity           attempts, settings    erasing the workspace
    C workspace chat                 ChatRecord         accepting, sealing    48 h of silence
    B workspace chat part            Part               accepting             sealing
    G workspace chat part            SeenPart           accepting             accepting, 48 h later
    D due kind workspace chat        (empty)            see `DueKind`         acting on it
    R workspace                      (empty)            see readiness.py      see readiness.py
    X workspace                      (empty)            disabling             enabling
    Q workspace delivery             Delivery           sealing, accepting    delivered, discarded
    P workspace delivery             Delivery           third rejection       enable, retry, discard
    L workspace number               Exchange           attempts, tests       100 entries later
    E number                         Mail               disabling             accepted by SMTP
    F last sequence number           FeedRow            every commit          retention
    T token digest                   Token              creating a token      revoking it
    K workspace request key          RequestRecord      an Idempotency-Key    48 h later
    Z workspace chat                 Erasure            deleting              the last erase step

Deleting a chat also deletes its C, B and G records at once, and its Q, P and L records in steps.
Deleting a workspace also deletes its R, X, T and E records at once, and in steps everything else
that belongs to it (`OF_A_WORKSPACE`), each with its rows of the due index.

Upper-case letters above are one byte; `workspace` and `part` are 4 bytes; `delivery`, `due`,
`number` and sequence numbers are 8. All are big-endian, so that LMDB's order of bytes is the order
of the numbers. `chat` is the chat's id in UTF-8, at most 200 bytes; `id` is the workspace's id in
UTF-8; `request key` is a digest of the client's Idempotency-Key. A Z key
without a chat is the erasure of the whole workspace.
"""

import struct
from enum import IntEnum

import msgspec

IDENTITY = b"I"
META = b"M"
WORKSPACES = b"W"
NAMES = b"N"
STATES = b"S"
ACTIVITIES = b"A"
CHATS = b"C"
PARTS = b"B"
SEEN_PARTS = b"G"
DUES = b"D"
READY = b"R"
DISABLED = b"X"
QUEUED = b"Q"
DEAD_LETTERS = b"P"
LOG = b"L"
MAILS = b"E"
FEED = b"F"
TOKENS = b"T"
REQUESTS = b"K"
ERASURES = b"Z"

OF_A_WORKSPACE = (
    STATES,
    ACTIVITIES,
    CHATS,
    PARTS,
    SEEN_PARTS,
    READY,
    QUEUED,
    DEAD_LETTERS,
    LOG,
    REQUESTS,
)

_U4 = struct.Struct(">I")
_U8 = struct.Struct(">Q")
_OWNED = struct.Struct(">cI")
_OWNED_U8 = struct.Struct(">cIQ")
_NUMBERED = struct.Struct(">cQ")
_DUE = struct.Struct(">cQBI")


class DueKind(IntEnum):
    """What a row of the due index asks for at its time. The number is part of the key."""

    WINDOW = 1  # seal the chat's window
    RETRY = 2  # attempt the workspace's next delivery again
    FORGET = 3  # forget the chat's message ids
    RETIME = 4  # continue re-timing the workspace's windows after a change of its settings
    MAIL = 5  # send an e-mail; its number takes the place of the workspace
    REQUEST = 6  # forget an idempotency key, which takes the place of the chat
    ERASE = 7  # continue erasing the records of a deleted workspace or chat


_KINDS = {int(kind): kind for kind in DueKind}


class Due(msgspec.Struct, frozen=True, gc=False):
    """A row of the due index.

    `number` is the workspace's, for MAIL the e-mail's. `subject` is the chat's id in UTF-8, for
    REQUEST the request key, or empty. `at_ms` is 0 for RETIME and ERASE: work to be done now.
    """

    at_ms: int
    kind: DueKind
    number: int
    subject: bytes = b""


def workspace(workspace_id: str) -> bytes:
    return WORKSPACES + workspace_id.encode()


def owned(prefix: bytes, workspace_number: int, subject: bytes = b"") -> bytes:
    """The key of a record that belongs to a workspace: its state, a chat, a request key ..."""
    return _OWNED.pack(prefix, workspace_number) + subject


def part(prefix: bytes, workspace_number: int, chat: bytes, number: int) -> bytes:
    """The key of a part of a chat.

    A chat id may begin with another one, but the part's number has a fixed length at the end, so
    two chats never have a key in common.
    """
    return _OWNED.pack(prefix, workspace_number) + chat + _U4.pack(number)


def numbered(prefix: bytes, number: int) -> bytes:
    """The key of a record without a workspace: an e-mail, a row of the feed."""
    return _NUMBERED.pack(prefix, number)


def owned_numbered(prefix: bytes, workspace_number: int, number: int) -> bytes:
    """The key of a delivery or a log entry."""
    return _OWNED_U8.pack(prefix, workspace_number, number)


def due(row: Due) -> bytes:
    return _DUE.pack(DUES, row.at_ms, row.kind, row.number) + row.subject


def due_before(at_ms: int) -> bytes:
    """A key that sorts after every row due at `at_ms` or earlier, and before all later rows."""
    return DUES + _U8.pack(at_ms + 1)


def parse_due(key: bytes) -> Due:
    _, at_ms, kind, number = _DUE.unpack_from(key)
    return Due(at_ms, _KINDS.get(kind) or DueKind(kind), number, key[_DUE.size :])


def parse_owner(key: bytes) -> int:
    """The workspace number in a key made by `owned`, `part` or `owned_numbered`."""
    number: int = _OWNED.unpack_from(key)[1]
    return number


def after_owner(key: bytes) -> bytes:
    """A key after all keys of the same kind and workspace, and before those of the next one."""
    # UTF-8 text never contains the byte ff, and no number in a key is nine bytes long.
    return key[: _OWNED.size] + b"\xff" * 9


def parse_subject(key: bytes) -> bytes:
    """The chat, or the request key, in a key made by `owned`."""
    return key[_OWNED.size :]


def parse_part(key: bytes) -> tuple[int, bytes, int]:
    """The workspace number, the chat and the part's number in a key made by `part`."""
    number: int = _U4.unpack_from(key, len(key) - _U4.size)[0]
    return parse_owner(key), key[_OWNED.size : -_U4.size], number


def parse_number(key: bytes) -> int:
    """The number at the end of a key: of a delivery, a log entry, an e-mail or an event."""
    number: int = _U8.unpack_from(key, len(key) - _U8.size)[0]
    return number
