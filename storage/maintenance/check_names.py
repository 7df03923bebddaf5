"""The names that a check gives to records, from their keys alone."""

from dataclasses import dataclass

from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.sources import keys as source_keys
from hookbundle.storage.maintenance.sources import names as of_sources
from hookbundle.storage.transitions import tokens

WHOLE = {
    keyspace.IDENTITY: "identity",
    keyspace.META: "counters",
    keyspace.POSITION: "position in the log",
}
NUMBERED = {keyspace.MAILS: "mail", keyspace.FEED: "feed row"}
OF_A_WORKSPACE = {
    keyspace.NAMES: "name",
    keyspace.USAGES: "usage",
}
OF_A_WEBHOOK = {
    keyspace.STATES: "state",
    keyspace.READY: "ready flag",
    keyspace.DISABLED: "disabled flag",
}
NUMBERED_OF_A_WEBHOOK = {
    keyspace.ACTIONS: "activity line",
    keyspace.DELIVERIES: "delivery",
    keyspace.QUEUED: "queued delivery",
    keyspace.DEAD_LETTERS: "dead letter",
    keyspace.RECEIVER_FAILS: "dead letter that makes its receiver fail",
    keyspace.UNRENDERABLE: "dead letter without a body of its format",
    keyspace.RESENDS: "delivery to be resent",
    keyspace.LOG: "log entry",
    keyspace.PLACES: "place of delivery",
}
OF_A_WEBHOOK_S_CHAT = {keyspace.ARRIVALS: "arrivals"}
OF_A_WORKSPACE_S_PARTS = {
    keyspace.WEBHOOKS: "webhook",
    keyspace.CHATS: "chat",
    keyspace.PARTS: "window part",
    keyspace.SEEN_PARTS: "part of seen ids",
    keyspace.SEEN_IDS: "seen id",
    keyspace.CHAT_DELIVERIES: "delivery in the index of its chat",
    keyspace.ENDED: "end of a delivery",
    keyspace.CHAT_PHONES: "phone of a chat",
    keyspace.PHONE_CHATS: "chat of a phone",
    keyspace.REQUESTS: "request",
    keyspace.REQUEST_TIMES: "time of a request",
    keyspace.ERASURES: "erasure",
    keyspace.MAIL_HOURS: "hour of mails",
    keyspace.WORKSPACE_TOKENS: "token in the index",
    keyspace.CHAT_FACTS: "fact of a chat",
    keyspace.REPLAYS: "replay",
    keyspace.EARLY_CHANGES: "early change",
}
OF_A_DELIVERY = {
    keyspace.BODIES: "chunk",
    keyspace.RENDERED: "rendered chunk",
    keyspace.ATTEMPTS: "attempt",
}
KINDS = {
    **WHOLE,
    keyspace.WORKSPACES: "workspace",
    keyspace.TOKENS: "token",
    keyspace.DUES: "due row",
    **NUMBERED,
    **OF_A_WORKSPACE,
    **OF_A_WORKSPACE_S_PARTS,
    **OF_A_WEBHOOK,
    **NUMBERED_OF_A_WEBHOOK,
    **OF_A_DELIVERY,
    **OF_A_WEBHOOK_S_CHAT,
    **of_sources.KINDS,
}
DUE_OF_A_WEBHOOK = (
    DueKind.WINDOW,
    DueKind.RETRY,
    DueKind.RETIME,
    DueKind.MOVE,
    DueKind.REPLAY,
    DueKind.DELETE,
    DueKind.MERGE,
)

# The lengths of the keys that end with a number: a key with more or fewer bytes was not made by
# keyspace.py, and its last number is not what it says.
LENGTHS = {
    **dict.fromkeys(WHOLE, 1),
    **dict.fromkeys((*OF_A_WORKSPACE, *OF_A_WEBHOOK), 1 + 4),
    **dict.fromkeys((keyspace.WEBHOOKS, *NUMBERED), 1 + 8),
    **dict.fromkeys(NUMBERED_OF_A_WEBHOOK, 1 + 4 + 8),
    **dict.fromkeys(OF_A_DELIVERY, 1 + 4 + 8 + 4),
    keyspace.PLACES: 1 + 4 + 8 + 8,
    keyspace.ENDED: 1 + 4 + 8 + 8 + 4,
    keyspace.WORKSPACE_TOKENS: 1 + 4 + 32,
    keyspace.REPLAYS: 1 + 4 + 8,
}
# Of the keys that begin with a chat, or a phone: what comes after it.
LENGTHS_AFTER_CHAT = {
    keyspace.PARTS: 4 + 4,
    keyspace.SEEN_PARTS: 4,
    keyspace.SEEN_IDS: 4 + 8,
    keyspace.CHAT_DELIVERIES: 8 + 4,
    keyspace.CHAT_FACTS: 8,
    keyspace.EARLY_CHANGES: 8,
}


def check_length(key: bytes) -> None:
    """Raises: ValueError, struct.error or IndexError if the key has another length."""
    letter = key[:1]
    if len(key) != LENGTHS.get(letter, len(key)):
        raise ValueError(f"{key!r} should have {LENGTHS[letter]} bytes")
    if letter in OF_A_WEBHOOK_S_CHAT:
        key_fields.arrivals(key)
    if letter in of_sources.KINDS:
        of_sources.check_key(key)
    after = LENGTHS_AFTER_CHAT.get(letter)
    if after is not None and len(key_fields.of_chat(key)[2]) != after:
        raise ValueError(f"{key!r} should have {after} bytes after the chat")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose record it is: of a workspace, or of a webhook with that number."""

    number: int
    is_webhook: bool


def owner_of(key: bytes) -> Owner | None:
    """From the key alone; None if no workspace owns the record, or its key does not say which.

    Raises: struct.error if the key is malformed.
    """
    letter = key[:1]
    if letter == keyspace.DUES:
        row = key_fields.due(key)
        while row.kind is DueKind.POSTPONED:
            row = key_fields.due(row.subject)
        if row.kind is DueKind.MAIL:
            return None
        return Owner(row.number, row.kind in DUE_OF_A_WEBHOOK)
    if letter in (*OF_A_WORKSPACE, *OF_A_WORKSPACE_S_PARTS, *source_keys.OF_A_WORKSPACE):
        return Owner(key_fields.owner(key), is_webhook=False)
    of_webhooks = (OF_A_WEBHOOK, NUMBERED_OF_A_WEBHOOK, OF_A_DELIVERY, OF_A_WEBHOOK_S_CHAT)
    if any(letter in each for each in of_webhooks):
        return Owner(key_fields.owner(key), is_webhook=True)
    return None


def name_of(key: bytes) -> str:
    """A readable name of the record under the key.

    Raises: ValueError, struct.error or IndexError if the key is malformed.
    """
    letter = key[:1]
    if letter in WHOLE:
        return WHOLE[letter]
    if letter == keyspace.WORKSPACES:
        return f"workspace {key[1:].decode()!r}"
    if letter == keyspace.TOKENS:
        return f"token {tokens.token_id(key[1:])}"
    if letter in NUMBERED:
        return f"{NUMBERED[letter]} {key_fields.number(key)}"
    if letter == keyspace.DUES:
        return _name_of_due(key_fields.due(key))
    if letter == source_keys.TOKENS:
        return of_sources.name_of(key)
    owner = key_fields.owner(key)
    if letter in OF_A_WEBHOOK:
        return f"{OF_A_WEBHOOK[letter]} of webhook {owner}"
    if letter in NUMBERED_OF_A_WEBHOOK:
        number = key_fields.number(key[: LENGTHS[keyspace.LOG]])
        return f"{NUMBERED_OF_A_WEBHOOK[letter]} {number} of webhook {owner}"
    if letter in OF_A_WEBHOOK_S_CHAT:
        _, day, chat, at_ms = key_fields.arrivals(key)
        where = f"of chat {chat.decode()!r} on day {day} for webhook {owner}"
        return f"{OF_A_WEBHOOK_S_CHAT[letter]} at {at_ms} {where}"
    if letter in OF_A_DELIVERY:
        _, delivery, number = key_fields.of_delivery(key)
        return f"{OF_A_DELIVERY[letter]} {number} of delivery {delivery} of webhook {owner}"
    return f"{_name_in_workspace(key)} of workspace {owner}"


def _name_in_workspace(key: bytes) -> str:
    letter, subject = key[:1], key_fields.subject(key)
    if letter in of_sources.KINDS:
        return of_sources.name_of(key)
    if letter in OF_A_WORKSPACE:
        return OF_A_WORKSPACE[letter]
    if letter == keyspace.WEBHOOKS:
        return f"webhook {int.from_bytes(subject, 'big')}"
    if letter == keyspace.MAIL_HOURS:
        return f"hour of {subject.decode()!r} mails"
    if letter == keyspace.WORKSPACE_TOKENS:
        return f"token {tokens.token_id(subject)} in the index"
    if letter == keyspace.REPLAYS:
        return f"replay {key_fields.number(key)}"
    if letter == keyspace.CHATS:
        return f"chat {subject.decode()!r}"
    if letter == keyspace.ERASURES:
        return f"erasure {subject.decode()!r}" if subject else "erasure"
    if letter == keyspace.REQUESTS:
        return f"request {subject.hex()}"
    if letter == keyspace.REQUEST_TIMES:
        at_ms, request = key_fields.request_time(key)
        return f"time {at_ms} of request {request.hex()}"
    if letter == keyspace.ENDED:
        delivery, webhook = key_fields.chat_delivery(key)
        return f"end of delivery {delivery} of webhook {webhook}"
    return _name_in_chat(key)


def _name_in_chat(key: bytes) -> str:
    letter = key[:1]
    _, first, rest = key_fields.of_chat(key)
    if letter == keyspace.PHONE_CHATS:
        return f"chat {rest.decode()!r} of phone {first.decode()!r}"
    chat = f"of chat {first.decode()!r}"
    if letter == keyspace.PARTS:
        _, _, webhook, number = key_fields.part(key)
        return f"window part {number} for webhook {webhook} {chat}"
    if letter == keyspace.SEEN_PARTS:
        return f"part of seen ids {key_fields.part_number(rest)} {chat}"
    if letter == keyspace.SEEN_IDS:
        return f"seen id {rest[4:].hex()} {chat}"
    if letter == keyspace.CHAT_DELIVERIES:
        delivery, webhook = key_fields.chat_delivery(key)
        return f"delivery {delivery} of webhook {webhook} in the index {chat}"
    if letter == keyspace.EARLY_CHANGES:
        return f"early change of message {rest.hex()} {chat}"
    if letter == keyspace.CHAT_FACTS:
        return f"fact {key_fields.number(key)} {chat}"
    return f"phone {rest.decode()!r} {chat}"


def _name_of_due(row: Due) -> str:
    what = f"due row {row.kind.name} at {row.at_ms}"
    if row.kind is DueKind.POSTPONED:
        return f"{what} of the {_name_of_due(key_fields.due(row.subject))}"
    if row.kind is DueKind.MAIL:
        return f"{what} of mail {row.number}"
    is_text = row.kind not in (DueKind.REQUEST, DueKind.CHANGE)
    subject = row.subject.decode() if is_text else row.subject.hex()
    about = f" {subject!r}" if subject else ""
    owner = "webhook" if row.kind in DUE_OF_A_WEBHOOK else "workspace"
    return f"{what} of{about} {owner} {row.number}"
