"""The only place that builds a key; key_fields.py reads what is in one.

    key                              record           written by              deleted by
    I                                Identity         creating, restoring     never
    !                                Position         commits of a cluster    a restore
    M                                Meta             every commit            never
    W id                             Workspace        changing settings       deleting the workspace
    N workspace                      WorkspaceName    creating a workspace    deleting the workspace
    U workspace                      Usage            most transitions        deleting the workspace
    V workspace webhook              Webhook          changing settings       deleting it, last step
    S webhook                        WebhookState     most transitions        deleting it, last step
    R webhook                        (empty)          see readiness.py        see readiness.py
    X webhook                        (empty)          disabling               enabling
    A webhook number                 Action           attempts, settings      10 lines later
    C workspace chat                 ChatRecord       accepting, sealing      48 h of silence
    B workspace chat webhook part    Part             accepting               sealing
    G workspace chat part            SeenPart         accepting               accepting, 48 h later
    g workspace chat base digest     (empty)          accepting               with its part
    H webhook delivery               Delivery         sealing                 trimming
    O webhook delivery chunk         Chunk            sealing                 trimming
    r webhook delivery chunk         Chunk            before attempt 1        trimming
    J webhook delivery attempt       Attempt          attempts                trimming
    Q webhook delivery               (empty)          sealing                 delivered, discarded
    P webhook delivery               (empty)          third rejection         enable, retry, discard
    f webhook delivery               (empty)          see failing.py          retry, URL, discard
    d webhook delivery               (empty)          no body of its format   retry, format, discard
    s webhook delivery               (empty)          a resend                its end
    o webhook named delivery         (empty)          a merge                 trimming
    j workspace replay               Replay           a replay                20 replays later
    L webhook number                 LogRow           attempts, tests         100 requests later
    Y workspace chat delivery webhook  (empty)        sealing                 trimming
    e workspace ended delivery webhook (empty)        delivered, discarded    trimming
    p workspace chat phone           (empty)          sealing                 trimming the last one
    y workspace phone chat           (empty)          with `p`                with `p`
    D kind due number subject        (empty)          see `DueKind`           acting on it
    E number                         Mail             disabling               accepted by SMTP
    h workspace kind                 MailHour         disabling, SMTP         deleting the workspace
    F last sequence number           FeedRow          every commit            retention
    n workspace chat event           (empty)          see feed_rows.py        with its fact
    w workspace chat digest          EarlyChange      edit, deletion          its message, 60 s
    t webhook day chat time          Arrivals         accepting, forgetting   10 days later
    T token digest                   Token            creating a token        revoking it
    i workspace token digest         (empty)          with `T`                with `T`
    K workspace request key          RequestRecord    an Idempotency-Key      48 h later
    k workspace time request key     (empty)          with `K`                with `K`
    Z workspace chat                 Erasure          deleting                the last erase step

Small letters are indexes, but `h`, `f`, `d`, `s`, `j`, `t`, `w`, `r`. Those of sources, `c`, `m`,
`q`, `u` and `x`, are in sources/keys.py. Free: all others. Reserved: `b` budgets, `a` access
tokens. `!`, in a cluster's log, is each copy's own (replication/position.py). Deleting a chat also
deletes its C, B, p, y, w rows at once, and its G, H, O, r, J, Q, P, f, d, s, o, L, Y, e, t, x rows
in steps. Deleting a workspace also deletes its R, X, T, i, u, E and h records at once, and in steps
all else that belongs to it (`OF_A_WORKSPACE`, `OF_A_WEBHOOK`), with its rows of the due index. The
n rows of a deleted chat stay as long as the facts that they name.

Letters are one byte; `workspace`, `webhook`, `part`, `chunk`, `attempt` and `day` are 4 bytes;
`delivery`, `due`, `ended`, `time`, `number`, sequence numbers and `named`, the number in the id of
a delivery, are 8. All are big-endian, so that LMDB's order of bytes is the order of the numbers.
`chat` is the chat's id in UTF-8, at most 200 bytes; where something follows it, one byte with its
length comes before it, as before `phone`: so no chat's rows begin with those of another. `id` is
the workspace's id in UTF-8; `request key` is a digest of the client's Idempotency-Key. A Z key
without a chat is the erasure of the workspace. A webhook has a number from the counter of
workspaces; `outbound` has its workspace's number.
"""

import struct
from enum import IntEnum

import msgspec

IDENTITY = b"I"
POSITION = b"!"
META = b"M"
WORKSPACES = b"W"
NAMES = b"N"
USAGES = b"U"
WEBHOOKS = b"V"
STATES = b"S"
READY = b"R"
DISABLED = b"X"
ACTIONS = b"A"
CHATS = b"C"
PARTS = b"B"
SEEN_PARTS = b"G"
SEEN_IDS = b"g"
DELIVERIES = b"H"
BODIES = b"O"
RENDERED = b"r"
ATTEMPTS = b"J"
QUEUED = b"Q"
DEAD_LETTERS = b"P"
RECEIVER_FAILS = b"f"
UNRENDERABLE = b"d"
RESENDS = b"s"
PLACES = b"o"
REPLAYS = b"j"
LOG = b"L"
CHAT_DELIVERIES = b"Y"
ENDED = b"e"
CHAT_PHONES = b"p"
PHONE_CHATS = b"y"
DUES = b"D"
MAILS = b"E"
MAIL_HOURS = b"h"
FEED = b"F"
TOKENS = b"T"
WORKSPACE_TOKENS = b"i"
REQUESTS = b"K"
REQUEST_TIMES = b"k"
ERASURES = b"Z"
CHAT_FACTS = b"n"
ARRIVALS = b"t"
EARLY_CHANGES = b"w"

OF_A_WORKSPACE = (
    CHATS,
    PARTS,
    SEEN_PARTS,
    SEEN_IDS,
    CHAT_DELIVERIES,
    ENDED,
    CHAT_PHONES,
    PHONE_CHATS,
    REQUESTS,
    REQUEST_TIMES,
    CHAT_FACTS,
    REPLAYS,
    EARLY_CHANGES,
)
OF_A_WEBHOOK = (
    READY,
    DISABLED,
    ACTIONS,
    QUEUED,
    DEAD_LETTERS,
    RECEIVER_FAILS,
    UNRENDERABLE,
    RESENDS,
    PLACES,
    LOG,
    ATTEMPTS,
    BODIES,
    RENDERED,
    DELIVERIES,
    ARRIVALS,
)

# Those without a line before their name are of key_fields.py as well.
_U4 = struct.Struct(">I")
U8 = struct.Struct(">Q")
OWNED = struct.Struct(">cI")
OWNED_U4 = struct.Struct(">cII")
OWNED_U8 = struct.Struct(">cIQ")
OWNED_U8_U4 = struct.Struct(">cIQI")
_NUMBERED = struct.Struct(">cQ")
DUE_KEY = struct.Struct(">cBQI")
DUE_OWNER = slice(10, 14)  # of the key of a due row: its number, which the subject follows
ENDED_KEY = struct.Struct(">cIQQI")
DELIVERY_TAIL = struct.Struct(">QI")
PART_TAIL = struct.Struct(">II")


class DueKind(IntEnum):
    """What a row of the due index asks for at its time. The number is part of the key.

    Each kind is a stretch of the index of its own, with its own head, so that a thousand rows of
    one kind hide nothing of another. `number` of a row is the workspace's, the webhook's for
    WINDOW, RETRY, RETIME, MOVE, REPLAY, DELETE and MERGE, for MAIL the e-mail's.
    """

    WINDOW = 1  # seal the chat's window
    RETRY = 2  # attempt the webhook's next delivery again
    FORGET = 3  # forget the chat's message ids
    RETIME = 4  # continue re-timing the webhook's windows after a change of its settings
    MAIL = 5  # send an e-mail
    REQUEST = 6  # forget an idempotency key, which takes the place of the chat
    ERASE = 7  # continue erasing the records of a deleted workspace or chat
    TRIM = 8  # trim the workspace's history; of its time tables/history.py tells
    POSTPONED = 9  # a row that failed: try it again; the subject is its own key
    MOVE = 10  # continue moving the webhook's deliveries that were discarded or put back
    REPLAY = 11  # continue the webhook's replay
    DELETE = 12  # continue erasing the records of a deleted webhook
    MERGE = 13  # continue the webhook's merge
    ARRIVALS = 14  # trim the workspace's arrival times
    CHANGE = 15  # drop a change whose message did not come
    SOURCE = 16  # erase what deleted sources of the workspace had, and drop their old requests


class Due(msgspec.Struct, frozen=True, gc=False):
    """A row of the due index.

    `subject` is the chat's id in UTF-8, for REQUEST the request key, for POSTPONED the key of the
    row that failed, for CHANGE what its key has after the workspace, or empty. `at_ms` is 0 for
    RETIME, ERASE, MOVE, REPLAY, DELETE, MERGE, and an urgent TRIM or ARRIVALS.
    """

    at_ms: int
    kind: DueKind
    number: int
    subject: bytes = b""


def workspace(workspace_id: str) -> bytes:
    return WORKSPACES + workspace_id.encode()


def owned(prefix: bytes, number: int, subject: bytes = b"") -> bytes:
    """The key of a record that belongs to a workspace or webhook: its state, a chat ..."""
    return OWNED.pack(prefix, number) + subject


def owned_numbered(prefix: bytes, webhook: int, number: int) -> bytes:
    """The key of a delivery, a log entry, a line of the activity log, or a queue's row."""
    return OWNED_U8.pack(prefix, webhook, number)


def place(webhook: int, named: int, delivery: int) -> bytes:
    """The key of the row that says at which number the delivery with another one in its id is."""
    return owned_numbered(PLACES, webhook, named) + U8.pack(delivery)


def webhook(workspace_number: int, webhook_number: int) -> bytes:
    """The key of a webhook's settings."""
    return OWNED_U4.pack(WEBHOOKS, workspace_number, webhook_number)


def of_delivery(prefix: bytes, webhook: int, delivery: int, number: int) -> bytes:
    """The key of a delivery's attempt, or of a chunk of its body."""
    return OWNED_U8_U4.pack(prefix, webhook, delivery, number)


def of_chat(prefix: bytes, workspace_number: int, chat: bytes, rest: bytes = b"") -> bytes:
    """The key of a row of the chat, or without `rest` what all of them begin with."""
    return OWNED.pack(prefix, workspace_number) + bytes((len(chat),)) + chat + rest


def part(workspace_number: int, chat: bytes, webhook: int, number: int) -> bytes:
    """The key of a part of the chat's window."""
    return of_chat(PARTS, workspace_number, chat, PART_TAIL.pack(webhook, number))


def seen_part(workspace_number: int, chat: bytes, number: int) -> bytes:
    return of_chat(SEEN_PARTS, workspace_number, chat, _U4.pack(number))


def chat_delivery(workspace_number: int, chat: bytes, delivery: int, webhook: int) -> bytes:
    tail = DELIVERY_TAIL.pack(delivery, webhook)
    return of_chat(CHAT_DELIVERIES, workspace_number, chat, tail)


def chat_fact(workspace_number: int, chat: bytes, event: int) -> bytes:
    """The key of the row by which a chat finds a fact of the feed."""
    return of_chat(CHAT_FACTS, workspace_number, chat, U8.pack(event))


def ended(workspace_number: int, ended_ms: int, delivery: int, webhook: int) -> bytes:
    return ENDED_KEY.pack(ENDED, workspace_number, ended_ms, delivery, webhook)


def phone_chat(workspace_number: int, phone: bytes, chat: bytes) -> bytes:
    return of_chat(PHONE_CHATS, workspace_number, phone, chat)


def request_time(workspace_number: int, at_ms: int, request: bytes) -> bytes:
    return OWNED_U8.pack(REQUEST_TIMES, workspace_number, at_ms) + request


def numbered(prefix: bytes, number: int) -> bytes:
    """The key of a record without an owner: an e-mail, a row of the feed."""
    return _NUMBERED.pack(prefix, number)


def due(row: Due) -> bytes:
    return DUE_KEY.pack(DUES, row.kind, row.at_ms, row.number) + row.subject


def due_of(kind: DueKind) -> bytes:
    """What all rows of the kind begin with."""
    return DUES + bytes((kind,))


def after_kind(kind: DueKind) -> bytes:
    """A key after all rows of the kind, and before those of the next one."""
    return due_of(kind) + b"\xff" * 9


def due_before(kind: DueKind, at_ms: int) -> bytes:
    """A key after every row of the kind due at `at_ms` or earlier, and before all later ones."""
    return due_of(kind) + U8.pack(at_ms + 1)


def after_owner(key: bytes) -> bytes:
    """A key after all keys of the same letter and owner, and before those of the next one."""
    # UTF-8 text never contains the byte ff, and no number in a key is nine bytes long.
    return key[: OWNED.size] + b"\xff" * 9
