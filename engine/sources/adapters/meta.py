"""Meta's WhatsApp Cloud API; 360dialog sends the same, and wraps other events of its own.

    entry[] -> changes[] -> {field, value: {metadata, contacts[], messages[], message_echoes[]}}

One body may hold events of several numbers and accounts. `contacts[]` is not parallel to
`messages[]`, and may be missing: a contact is matched by its `wa_id` or its `user_id`, and only by
one that is there. Since 2026 users may hide their number; then `from` is absent and `from_user_id`
is all there is. What is sent through the API never comes back with its text (Meta's reference of
webhooks: messages, smb_message_echoes, business-scoped user ids).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from hookbundle.engine.messages.phones import digits_of
from hookbundle.engine.sources import addresses, bodies, reading, times
from hookbundle.engine.sources.addresses import Address
from hookbundle.engine.sources.contents import (
    ATTACHMENT,
    NO_TEXT,
    Content,
    Nothing,
    text_or_skip,
)
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import AccountSettings, SourceSettings

OBJECT = "whatsapp_business_account"
TEXTS = {"text": ("text", "body"), "button": ("button", "text"), "order": ("order", "text")}
REPLIES = ("button_reply", "list_reply")  # of the type `interactive`
MEDIA = ("image", "video", "audio", "document", "sticker")
WITHOUT_TEXT = ("location", "contacts")
NOTHING = {
    "reaction": Reason.REACTION,
    "system": Reason.SYSTEM,
    "unsupported": Reason.UNSUPPORTED,
}


class Message(msgspec.Struct, frozen=True):
    """Received or an echo. Whom it is from or to decides the chat, so these must be texts."""

    id: str
    type: str = ""
    sender: str | None = msgspec.field(default=None, name="from")
    sender_user: str | None = msgspec.field(default=None, name="from_user_id")
    to: str | None = None
    to_user_id: str | None = None
    group_id: str | None = None
    timestamp: Any = None


Contacts: TypeAlias = dict[str, tuple[int, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Change:
    """What the messages of one change share. Contacts by phone and by user id, with their place
    among them: a body may have thousands, and each message looks for its own."""

    account: AccountSettings
    by_phone: Contacts
    by_user: Contacts


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    entries = reading.at(body, "entry")
    if not isinstance(entries, list):
        event = reading.text(body, "event")  # of 360dialog's webhook for partners
        maker.named(event)
        found = Reason.OTHER_FIELD if event else Reason.UNKNOWN_SHAPE
        maker.ignore(Reason.HISTORY if event == "history" else found)
        return maker.done()
    if reading.text(body, "object") not in (OBJECT, ""):
        maker.ignore(Reason.NOT_WHATSAPP)
        return maker.done()
    for entry in entries:
        for change in reading.objects(entry, "changes"):
            _change(maker, change)
    return maker.done()


def _change(maker: Maker, told: dict[str, Any]) -> None:
    field, value = reading.text(told, "field"), reading.at(told, "value")
    maker.named(field)
    # While Meta's own agent answers, the same stands one level deeper.
    deeper = reading.at(value, "standby")
    inner = deeper if isinstance(deeper, dict) else value
    contacts = reading.objects(value, "contacts") + reading.objects(deeper, "contacts")
    change = Change(
        maker.account(
            _phone(reading.text(value, "metadata", "display_phone_number")),
            reading.text(value, "metadata", "phone_number_id"),
        ),
        _contacts_by("wa_id", contacts),
        _contacts_by("user_id", contacts),
    )
    before = len(maker.outcomes)
    maker.each(reading.items(inner, "messages"), partial(_message, maker, change, is_sent=False))
    echoes = reading.items(inner, "message_echoes")
    maker.each(echoes, partial(_message, maker, change, is_sent=True))
    if reading.items(value, "history"):
        _history(maker, change, value)
    if len(maker.outcomes) > before:
        return
    if reading.items(inner, "statuses"):
        maker.ignore(Reason.ACK)
    elif reading.items(inner, "errors"):
        maker.ignore(Reason.ERRORS)
    else:
        _learn_subjects(maker, change, value)
        is_known = field in ("messages", "smb_message_echoes")
        maker.ignore(Reason.UNKNOWN_SHAPE if is_known or not field else Reason.OTHER_FIELD)


def _history(maker: Maker, change: Change, value: Any) -> None:
    """Old messages, by threads; each thread's id is the contact's number."""
    if not maker.settings.accept.history:
        maker.ignore(Reason.HISTORY)
        return
    ours = digits_of(change.account.phone)
    for thread, message in _old_messages(value):
        is_sent = digits_of(reading.text(message, "from")) == ours
        told = {**message, "to" if is_sent else "from": thread}
        maker.one(told, partial(_message, maker, change, is_sent=is_sent))


def _old_messages(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for chunk in reading.objects(value, "history"):
        for thread in reading.objects(chunk, "threads"):
            for message in reading.objects(thread, "messages"):
                yield reading.text(thread, "id"), message


def _message(maker: Maker, change: Change, told: Any, *, is_sent: bool) -> Outcome:
    said = bodies.part(told, Message, "messages")
    phone, user = (said.to, said.to_user_id) if is_sent else (said.sender, said.sender_user)
    if said.type in NOTHING:
        if said.type == "system":
            _learn_change(maker, change, said, told)
        return maker.ignored(NOTHING[said.type])
    contact = _contact(change, phone or "", user or "")
    person = None
    if not said.group_id or phone or user:
        digits = phone or reading.text(contact, "wa_id")
        user = user or reading.text(contact, "user_id")
        person = addresses.of_user(digits, user, maker.notes, path="messages.from")
    chat = Address(said.group_id, is_group=True) if said.group_id else person
    assert chat is not None, "a message without a group has a person"
    if said.type in ("edit", "revoke"):
        maker.refuse_unwanted(chat, is_sent=is_sent)
        return _changed(maker, change, said, told, chat)
    name = _name(contact)
    if said.group_id and person:
        maker.chat_id(person, change.account)  # learns the phone of a hidden id
    return maker.message(
        Said(
            chat=chat,
            message_id=said.id,
            content=_content(said.type, told),
            is_sent=is_sent,
            sent_ms=times.read_ms(said.timestamp),
            account=change.account,
            chat_name="" if chat.is_group else name,
            sender_name="" if is_sent else name or (person.phone or person.id if person else ""),
            sender_phone=person.phone if person else "",
            username="" if chat.is_group else reading.name(contact, "profile", "username"),
        )
    )


def _content(kind: str, told: Any) -> Content:
    if kind in MEDIA:
        return ATTACHMENT
    if kind in TEXTS:
        return text_or_skip(reading.text(told, *TEXTS[kind]))
    if kind == "interactive":  # of a filled-in form the text is the word "Sent"
        reply = reading.text(told, "interactive", "type")
        is_reply = reply in REPLIES
        return text_or_skip(reading.text(told, "interactive", reply, "title") if is_reply else "")
    return NO_TEXT if kind in WITHOUT_TEXT else Nothing(Reason.UNKNOWN_TYPE)


def _changed(maker: Maker, change: Change, said: Message, told: Any, chat: Address) -> Outcome:
    """An edit or a deletion; the message's own id is not that of the original."""
    chat_id = maker.chat_id(chat, change.account)
    original = reading.text(told, said.type, "original_message_id")
    at_ms = times.read_ms(said.timestamp)
    if said.type == "revoke":
        return maker.delete(chat_id, original, at_ms)
    if reading.text(told, "edit", "message", "type") in MEDIA:
        return maker.ignored(Reason.EDIT_OF_MEDIA)
    text = reading.text(told, "edit", "message", "text", "body")
    return maker.edit(chat_id, original, text, at_ms)


def _contact(change: Change, phone: str, user: str) -> dict[str, Any] | None:
    """The first of the contacts that has one of them."""
    found = [
        contacts[key]
        for contacts, key in ((change.by_phone, phone), (change.by_user, user))
        if key in contacts
    ]
    return min(found, key=itemgetter(0))[1] if found else None


def _contacts_by(name: str, contacts: list[dict[str, Any]]) -> Contacts:
    found: Contacts = {}
    for place, contact in enumerate(contacts):
        if key := reading.text(contact, name):
            found.setdefault(key, (place, contact))
    return found


def _name(contact: dict[str, Any] | None) -> str:
    username = reading.name(contact, "profile", "username")
    return reading.first_of(
        reading.name(contact, "profile", "name"), f"@{username}" if username else ""
    )


def _learn_change(maker: Maker, change: Change, said: Message, told: Any) -> None:
    """A contact has another number now: its name goes along, and its hidden id if one is told."""
    new = addresses.digits_of(reading.text(told, "system", "wa_id"))
    old = addresses.digits_of(said.sender or "")
    if new and old:
        name = maker.notes.name_of(
            maker.chat_id(Address(old, addresses.with_plus(old)), change.account)
        )
        chat = addresses.of_user(new, reading.text(told, "system", "user_id"), maker.notes)
        maker.notes.chat_is_called(maker.chat_id(chat, change.account), name or "")


def _learn_subjects(maker: Maker, change: Change, value: Any) -> None:
    for group in reading.objects(value, "groups"):
        maker.rest()
        found = Address(reading.text(group, "group_id"), is_group=True)
        subject = reading.name(group, "subject")
        maker.notes.chat_is_called(maker.chat_id(found, change.account), subject)


def _phone(written: str) -> str:
    return addresses.with_plus(digits_of(written))
