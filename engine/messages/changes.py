"""What comes beside messages, at the same place: edits, deletions, and the wish to close a chat.

`{"chat": {"chat_id"}, "edit": {"message_id", "text", "edited_at"}}`,
`{…, "delete": {"message_id"}}` and `{…, "close": {"reason"}}`. An object has one of these, or
`message`.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import message, timestamps
from hookbundle.engine.messages.message import (
    Account,
    ChatIn,
    Event,
    Message,
    MessageId,
    PartsByChat,
    Text,
    digest_of,
)
from hookbundle.engine.messages.places import Place

Reason = Annotated[str, msgspec.Meta(max_length=limits.CLOSE_REASON_CHARS_MAX)]


class EditIn(msgspec.Struct, frozen=True, gc=False):
    """Another text of a message. `edited_at`: as a message's timestamp; without it, now.

    An empty text removes the message, as a deletion does.
    """

    message_id: MessageId
    text: Text
    edited_at: str | int | float | None = None


class DeleteIn(msgspec.Struct, frozen=True, gc=False):
    message_id: MessageId


class CloseIn(msgspec.Struct, frozen=True, gc=False):
    """`reason`: for people, in the feed."""

    reason: Reason | None = ""


class EditEvent(msgspec.Struct, frozen=True, gc=False):
    """A message was edited. Of `chat` only `chat_id` is needed."""

    chat: ChatIn
    edit: EditIn
    whatsapp_account: Account | None = None


class DeleteEvent(msgspec.Struct, frozen=True, gc=False):
    """A message was deleted. Of `chat` only `chat_id` is needed."""

    chat: ChatIn
    delete: DeleteIn
    whatsapp_account: Account | None = None


class CloseEvent(msgspec.Struct, frozen=True, gc=False):
    """The chat's windows close now. Of `chat` only `chat_id` is needed."""

    chat: ChatIn
    close: CloseIn
    whatsapp_account: Account | None = None


AnyEvent = Event | EditEvent | DeleteEvent | CloseEvent
KINDS: dict[str, type[AnyEvent]] = {
    "message": Event,
    "edit": EditEvent,
    "delete": DeleteEvent,
    "close": CloseEvent,
}
NAMES = tuple(b'"%b"' % name.encode() for name in KINDS if name != "message")


class Change(msgspec.Struct, frozen=True, gc=False):
    """An edit for its chat's actor; with an empty `text` a deletion. `edited_ms`: 0: on arrival."""

    message_id: str
    digest: bytes
    text: str
    edited_ms: int = 0


class Close(msgspec.Struct, frozen=True, gc=False):
    reason: str


# By chat. The number says how many of the chat's messages come before it in the request.
ChangesByChat = dict[str, list[tuple[int, Change | Close]]]


def may_be_in(body: bytes) -> bool:
    """False if the body has none but messages. To look costs a thousandth of reading it."""
    return any(name in body for name in NAMES)


def kinds_of(value: dict[str, Any]) -> list[str]:
    """Which of KINDS the object has; it must be one."""
    return [name for name in KINDS if name in value]


def kind_of(value: Any) -> type[AnyEvent] | None:
    """What the decoded value is to be read as; None if it has several."""
    found = kinds_of(value) if isinstance(value, dict) else []
    return None if len(found) > 1 else KINDS[found[0]] if found else Event


def rule_faults(value: dict[str, Any]) -> Iterator[Fault]:
    """The faults in what the types do not express, of any of KINDS."""
    chat, sent, edit = value.get("chat"), value.get("message"), value.get("edit")
    chat_id = chat.get("chat_id") if isinstance(chat, dict) else None
    timestamp = sent.get("timestamp") if isinstance(sent, dict) else None
    yield from message.rule_faults(chat_id, timestamp)
    if isinstance(edit, dict):
        yield from timestamps.faults_of("edit.edited_at", edit.get("edited_at"))


def put(
    chats: PartsByChat, changes: ChangesByChat, events: Iterable[AnyEvent], place: Place
) -> list[Fault]:
    """The events are among those of their chats; the faults of those that can't be put there."""
    faults: list[Fault] = []
    for index, event in enumerate(events):
        if isinstance(event, Event):
            faults += message.put(chats, (event,), partial(_at, place, index))
        else:
            try:
                _keep(chats, changes, event)
            except InvalidInput as exc:
                faults.extend(each.within(place(index)) for each in exc.faults)
        if len(faults) > limits.FAULTS_LISTED_MAX:
            break
    return faults


def _at(place: Place, index: int, _alone: int) -> str:
    return place(index)


def by_chat(events: Sequence[AnyEvent], place: Place) -> tuple[PartsByChat, ChangesByChat]:
    """As `message.by_chat`. Raises: InvalidInput with the faults of all events."""
    chats: PartsByChat = {}
    changes: ChangesByChat = {}
    faults = put(chats, changes, events, place)
    if faults:
        raise InvalidInput.with_faults(faults)
    return chats, changes


def _keep(
    chats: PartsByChat, changes: ChangesByChat, event: EditEvent | DeleteEvent | CloseEvent
) -> None:
    change, chat_id = _change_of(event), event.chat.chat_id
    before = len(chats[chat_id][0]) if chat_id in chats else 0
    changes.setdefault(chat_id, []).append((before, change))


def _change_of(event: EditEvent | DeleteEvent | CloseEvent) -> Change | Close:
    """Raises: InvalidInput if it breaks a rule that its type does not express."""
    faults = list(message.rule_faults(event.chat.chat_id, None))
    edited_ms = 0
    if isinstance(event, EditEvent) and event.edit.edited_at is not None:
        try:
            edited_ms = timestamps.parse_ms(event.edit.edited_at)
        except timestamps.NoTime as exc:
            faults.append(fault("edit.edited_at", exc.code, **exc.values))
    if faults:
        raise InvalidInput(tuple(faults))
    match event:
        case EditEvent():
            text = event.edit.text if event.edit.text.strip() else ""
            message_id = event.edit.message_id
            return Change(message_id, digest_of(message_id), text, edited_ms)
        case DeleteEvent():
            message_id = event.delete.message_id
            return Change(message_id, digest_of(message_id), "")
        case CloseEvent():
            return Close(event.close.reason or "")


def with_text(stored: bytes, text: str) -> bytes:
    """The message, as JSON, with another text."""
    return message.encode(msgspec.structs.replace(_messages.decode(stored), text=text))


_messages = msgspec.json.Decoder(Message)


def several(value: dict[str, Any], where: str) -> Fault:
    """The fault of an object that has more than one of KINDS."""
    return fault(where, FaultCode.SEVERAL_KINDS, got=", ".join(kinds_of(value)))
