"""The only place that builds or parses a key.

    key                              record             written by            deleted by
    I                                Identity           opening a new database  never
    M                                Meta               every commit          never
    W id                             Workspace          settings              deleting a workspace
    N workspace                      WorkspaceName      creating              deleting a workspace
    S workspace                      WebhookState       nearly everything     deleting a workspace
    A workspace                      Activity           attempts, settings    deleting a workspace
    C workspace chat                 ChatRecord         accept, seal          forgetting a chat
    B workspace chat part            Part               accept                seal
    G workspace chat part            SeenPart           accept                forgetting, 48 h later
    D due kind workspace chat        (empty)            see `Due`             the one who acts on it
    R workspace                      (empty)            see readiness.py      see readiness.py
    X workspace                      (empty)            disabling             enabling
    Q workspace delivery             Delivery           seal, accept          delivered, discarded
    P workspace delivery             Delivery           third rejection       enable, retry, discard
    L workspace number               Exchange           attempts, tests       100 entries later
    E number                         Mail               disabling             accepted by SMTP
    F last sequence number           FeedRow            every commit          retention
    T token digest                   Token              creating a token      revoking it
    K workspace request key          RequestRecord      intake with a key     48 h later
    Z workspace chat                 Erasure            deleting              the last step of it

Names in upper case above are one byte; `workspace` and `part` are 4 bytes, `delivery`, `due`,
`number` and sequence numbers 8, all big-endian, so that the order of keys is the order of things.
`chat` is the chat's id as UTF-8, at most 200 bytes; `id` is the workspace's id. A request key is
the digest of what the client sent. An erasure without a chat is that of the whole workspace.
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
PENDING = b"Q"
PARKED = b"P"
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
    PENDING,
    PARKED,
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
    """What is to be done at a time of the due index."""

    WINDOW = 1  # seal the chat's window
    RETRY = 2  # attempt the workspace's next delivery again
    FORGET = 3  # forget the chat's message ids
    RETIME = 4  # go on re-timing the workspace's windows after a change of its settings
    MAIL = 5  # try an e-mail; its number stands in the place of the workspace
    REQUEST = 6  # forget an idempotency key; the request's key stands in the place of the chat
    ERASE = 7  # go on erasing the records of a deleted workspace, or chat


_KINDS = {int(kind): kind for kind in DueKind}


class Due(msgspec.Struct, frozen=True, gc=False):
    """A row of the due index. `subject` is a chat id as UTF-8, or empty."""

    at_ms: int
    kind: DueKind
    number: int
    subject: bytes = b""


def workspace(workspace_id: str) -> bytes:
    return WORKSPACES + workspace_id.encode()


def owned(prefix: bytes, workspace_number: int, subject: bytes = b"") -> bytes:
    """The key of a thing of a workspace: its state, a chat, a request key ..."""
    return _OWNED.pack(prefix, workspace_number) + subject


def part(prefix: bytes, workspace_number: int, chat: bytes, number: int) -> bytes:
    """The key of a part of a chat. The number's length is fixed, so no two chats can meet."""
    return _OWNED.pack(prefix, workspace_number) + chat + _U4.pack(number)


def numbered(prefix: bytes, number: int) -> bytes:
    """The key of a thing of the whole house: a mail, a row of the feed."""
    return _NUMBERED.pack(prefix, number)


def owned_numbered(prefix: bytes, workspace_number: int, number: int) -> bytes:
    """The key of a delivery or a log entry."""
    return _OWNED_U8.pack(prefix, workspace_number, number)


def due(row: Due) -> bytes:
    return _DUE.pack(DUES, row.at_ms, row.kind, row.number) + row.subject


def due_before(at_ms: int) -> bytes:
    """Sorts after every row due at `at_ms` or earlier."""
    return DUES + _U8.pack(at_ms + 1)


def parse_due(key: bytes) -> Due:
    _, at_ms, kind, number = _DUE.unpack_from(key)
    return Due(at_ms, _KINDS.get(kind) or DueKind(kind), number, key[_DUE.size :])


def parse_owner(key: bytes) -> int:
    """The workspace number in a key of a thing of a workspace."""
    number: int = _OWNED.unpack_from(key)[1]
    return number


def after_owner(key: bytes) -> bytes:
    """Sorts after every key of the same kind and workspace, and before those of the next one."""
    # No text in UTF-8 has the byte ff, and no number has nine of them.
    return key[: _OWNED.size] + b"\xff" * 9


def parse_subject(key: bytes) -> bytes:
    """The chat, or the request key, in a key made by `owned`."""
    return key[_OWNED.size :]


def parse_part(key: bytes) -> tuple[int, bytes, int]:
    """Workspace number, chat and number of a part in a key made by `part`."""
    number: int = _U4.unpack_from(key, len(key) - _U4.size)[0]
    return parse_owner(key), key[_OWNED.size : -_U4.size], number


def parse_number(key: bytes) -> int:
    """The delivery, log entry, mail or sequence number at the end of a key."""
    number: int = _U8.unpack_from(key, len(key) - _U8.size)[0]
    return number
