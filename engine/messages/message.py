"""A message event as the API accepts it, and the parts of it that are stored.

Its shape is the payload "Don't aggregate" of the product's original specification
(docs/payload.md), and some fields more that no webhook request has. Unknown fields are accepted and
dropped. Texts that may be unknown (a phone in a group, a responsible teammate) may be missing or
null; webhook requests have `""` for them. The API stores a message as the JSON that will be sent,
so it is decoded, checked and encoded only once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, Literal
from zlib import crc32

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import timestamps
from hookbundle.engine.messages.places import Place, in_array

Name = Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS_MAX)]
Url = Annotated[str, msgspec.Meta(max_length=limits.URL_CHARS_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=limits.TEXT_CHARS_MAX)]
ChatId = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.CHAT_ID_BYTES_MAX)]
MessageId = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.MESSAGE_ID_CHARS_MAX)]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.LABEL_CHARS_MAX)]
Labels = Annotated[list[Label], msgspec.Meta(max_length=limits.LABELS_MAX)]
# `$` alone would let a line break at the end pass.
REF_KEY = rf"^[a-z0-9_]{{1,{limits.REF_KEY_CHARS_MAX}}}$(?!\n)"
REF_KEY_MEANING = f"1 to {limits.REF_KEY_CHARS_MAX} lower-case letters, digits or underscores"
RefKey = Annotated[str, msgspec.Meta(pattern=REF_KEY, description=REF_KEY_MEANING)]
Ref = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.REF_CHARS_MAX)]
Refs = Annotated[dict[RefKey, Ref], msgspec.Meta(max_length=limits.REFS_MAX)]


class Party(msgspec.Struct, frozen=True, gc=False):
    """The sender or the recipient of a message."""

    full_name: Name | None = ""
    phone: Name | None = ""


class Account(msgspec.Struct, frozen=True, gc=False):
    """The WhatsApp account, and the teammate who connected it."""

    full_name: Name | None = ""
    email: Name | None = ""
    phone: Name | None = ""


class Chat(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A direct chat or a group, for which `is_group` is true."""

    full_name: Name | None = ""
    responsible_name: Name | None = ""
    responsible_email: Name | None = ""
    chat_url: Url | None = ""
    chat_id: ChatId
    is_new_chat: bool = False
    is_group: bool = False
    phone: Name | None = ""


class ChatIn(Chat, frozen=True, kw_only=True, gc=False):
    """A chat as the API gets it, with fields that are kept beside and that no webhook request has.

    `refs`: ids of the contact's records in other systems. `user_id`: WhatsApp's business-scoped id
    of the contact, `lid`: the linked one.
    """

    # UNSET is left out of the JSON. So a chat without any of these, as nearly all are, is encoded
    # as it came, and no copy of it has to be made first.
    labels: Labels | UnsetType | None = UNSET
    refs: Refs | UnsetType | None = UNSET
    user_id: Name | UnsetType | None = UNSET
    username: Name | UnsetType | None = UNSET
    lid: Name | UnsetType | None = UNSET


class ChatExtra(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is kept of a chat beside the fields that are sent."""

    labels: list[str] = []
    refs: dict[str, str] = {}
    user_id: str = ""
    username: str = ""
    lid: str = ""


class ChatDetails(msgspec.Struct, frozen=True, gc=False):
    """What is stored of a chat: as it is `sent`, JSON, and its `extra`, as `Incoming` has them."""

    chat_id: str
    is_new_chat: bool
    sent: bytes
    extra: bytes


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message as a webhook request has it."""

    direction: Literal["received", "sent"]
    timestamp: str
    message_id: str
    sender: Party
    recipient: Party
    text: str


class MessageIn(msgspec.Struct, frozen=True, gc=False):
    """A message as the API gets it, with two fields that no webhook request has.

    The payload has no place for `attachments`, so such a message is skipped; `permalink` is the
    address of the message in the product, for the link in a bundle.
    """

    direction: Literal["received", "sent"]
    timestamp: str | int | float
    message_id: MessageId
    sender: Party = Party()
    recipient: Party = Party()
    text: Text | None = None
    attachments: list[Any] | None = None
    permalink: Url | None = None


class Event(msgspec.Struct, frozen=True, gc=False):
    whatsapp_account: Account
    chat: ChatIn
    message: MessageIn


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """A valid message for its chat's actor; the byte strings are JSON objects.

    `extra`: a `ChatExtra`, or empty if nothing of it is given. `text`: four bytes that stand for
    the text, to notice another one under the same id; zeros stand for none that is known.
    `edited_ms`: of one that was edited before it came, when.
    """

    message_id: str
    digest: bytes
    sent_ms: int
    is_new_chat: bool
    account: bytes
    chat: bytes
    message: bytes
    permalink: str
    extra: bytes = b""
    text: bytes = bytes(4)
    edited_ms: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    message_id: str
    reason: Literal["attachment", "no_text"]


PartsByChat = dict[str, tuple[list[Incoming], list[Skipped]]]
_json = msgspec.json.Encoder()


def digest_of(message_id: str) -> bytes:
    """Eight bytes that stand for a message id within its chat.

    Two ids of one chat collide once in 2**64 pairs: with a million messages in 48 hours, the odds
    are one in thirty million that any of them is taken for a duplicate.
    """
    return blake2b(message_id.encode(), digest_size=8).digest()


def text_mark(text: str) -> bytes:
    """Four bytes that stand for a text, to notice another one under the same message id."""
    return crc32(text.encode()).to_bytes(4, "big")


def incoming(event: Event) -> Incoming | Skipped:
    """The part of the event that is stored, or why the message is skipped.

    Raises: InvalidInput if it breaks a rule that its type does not express.
    """
    message, chat = event.message, event.chat
    try:
        if len(chat.chat_id.encode()) <= limits.CHAT_ID_BYTES_MAX:
            return kept_of(message, encode(event.whatsapp_account), details_of(chat))
    except timestamps.NoTime:
        pass
    raise InvalidInput(tuple(rule_faults(chat.chat_id, message.timestamp)))


def kept_of(message: MessageIn, account: bytes, chat: ChatDetails) -> Incoming | Skipped:
    """As `incoming`, of details that are valid. Raises: NoTime."""
    sent_ms = timestamps.parse_ms(message.timestamp)
    if message.attachments:
        return Skipped(message.message_id, "attachment")
    if message.text is None or not message.text.strip():
        return Skipped(message.message_id, "no_text")
    message_id, text, at = message.message_id, message.text, timestamps.format_utc(sent_ms // 1_000)
    sender, recipient = message.sender, message.recipient
    outgoing = Message(message.direction, at, message_id, sender, recipient, text)
    return Incoming(
        message_id=message_id,
        digest=digest_of(message_id),
        sent_ms=sent_ms,
        is_new_chat=chat.is_new_chat,
        account=account,
        chat=chat.sent,
        message=encode(outgoing),
        permalink=message.permalink or "",
        extra=chat.extra,
        text=text_mark(text),
    )


def details_of(chat: ChatIn) -> ChatDetails:
    extra = b""
    if not (
        chat.labels is UNSET
        and chat.refs is UNSET
        and chat.user_id is UNSET
        and chat.username is UNSET
        and chat.lid is UNSET
    ):  # rare; most senders have no such fields
        chat, extra = _parted(chat)
    return ChatDetails(chat.chat_id, chat.is_new_chat, encode(chat), extra)


def encode(details: msgspec.Struct) -> bytes:
    """The JSON of the struct, with `""` where a text is unknown."""
    encoded = _json.encode(details)
    if encoded.find(b":null") >= 0:  # rare; `in` would try a number first, and drop an error
        return _json.encode(_filled(details))
    return encoded


def _parted(chat: ChatIn) -> tuple[ChatIn, bytes]:
    """The chat as it is sent, and what is kept beside it: null and empty are as if not given."""
    given = {
        name: value
        for name in ChatExtra.__struct_fields__
        if (value := getattr(chat, name)) and value is not UNSET
    }
    sent = msgspec.structs.replace(chat, **dict.fromkeys(ChatExtra.__struct_fields__, UNSET))
    return sent, _json.encode(ChatExtra(**given)) if given else b""


def _filled(details: msgspec.Struct) -> msgspec.Struct:
    changes: dict[str, object] = {}
    for name in details.__struct_fields__:
        value = getattr(details, name)
        if value is None:
            changes[name] = ""
        elif isinstance(value, msgspec.Struct):
            changes[name] = _filled(value)
    return msgspec.structs.replace(details, **changes)


def rule_faults(chat_id: object, timestamp: object) -> Iterator[Fault]:
    """The faults in what the types of a message do not express; of another type: none."""
    if isinstance(chat_id, str) and len(chat_id) <= limits.CHAT_ID_BYTES_MAX:
        size, most = len(chat_id.encode("utf-8", "replace")), limits.CHAT_ID_BYTES_MAX
        if size > most:
            yield fault("chat.chat_id", FaultCode.TOO_LONG_AS_BYTES, most=most, size=size)
    yield from timestamps.faults_of("message.timestamp", timestamp)


def by_chat(events: Sequence[Event], place: Place = in_array) -> PartsByChat:
    """The messages of one request by chat, each chat's in the order of the request.

    Raises: InvalidInput with the faults of all events.
    """
    chats: PartsByChat = {}
    faults = put(chats, events, place)
    if faults:
        raise InvalidInput.with_faults(faults)
    return chats


def put(chats: PartsByChat, events: Iterable[Event], place: Place) -> list[Fault]:
    """The events are among those of their chats; the faults of those that can't be put there."""
    faults: list[Fault] = []
    for index, event in enumerate(events):
        try:
            kept = incoming(event)
        except InvalidInput as exc:
            faults.extend(each.within(place(index)) for each in exc.faults)
            if len(faults) > limits.FAULTS_LISTED_MAX:
                break
            continue
        accepted, skipped = chats.setdefault(event.chat.chat_id, ([], []))
        if isinstance(kept, Incoming):
            accepted.append(kept)
        else:
            skipped.append(kept)
    return faults
