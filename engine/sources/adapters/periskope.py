"""Periskope: messages with ids as WhatsApp Web writes them; groups' names come in `chat.created`.

Updates and deletions say no time, and deletions no chat but that in the id (Periskope's API
reference of webhooks).
"""

from typing import Any

import msgspec

from hookbundle.engine.sources import addresses, bodies, contents, reading, serialised, times
from hookbundle.engine.sources.contents import ATTACHMENT, Content
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import MessageEvent, Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import AccountSettings, SourceSettings

IGNORED_FAMILIES = {
    "message.ack": Reason.ACK,
    "reaction.": Reason.REACTION,
    "chat.": Reason.CHAT,
    "ticket.": Reason.CONVERSATION,
    "note.": Reason.PRIVATE_NOTE,
    "org.": Reason.SESSION,
}


class Message(msgspec.Struct, frozen=True):
    message_id: str
    body: str | None = None
    message_type: Any = None
    from_me: bool | None = None
    timestamp: Any = None
    sender_phone: Any = None
    org_phone: Any = None
    has_media: Any = None
    media: Any = None
    is_private_note: Any = None


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    event, data = reading.text(body, "event"), reading.at(body, "data")
    maker.named(event)
    if event == "message.created":
        maker.one(data, lambda value: _created(maker, bodies.part(value, Message, "data")))
    elif event in ("message.updated", "message.deleted"):
        is_deletion = event == "message.deleted"
        maker.one(data, lambda value: _changed(maker, value, is_deletion=is_deletion))
    else:
        if event in ("chat.created", "chat.updated"):
            _learn_name(maker, data)
        maker.ignore_by_name(event, {}, IGNORED_FAMILIES)
    return maker.done()


def _created(maker: Maker, said: Message) -> Outcome:
    if said.is_private_note:
        return maker.ignored(Reason.PRIVATE_NOTE)
    message_id = serialised.read(said.message_id, "data.message_id")
    chat = addresses.of(message_id.chat, maker.notes, path="data.message_id")
    is_sent = message_id.is_sent if said.from_me is None else said.from_me
    phone = addresses.phone_of(reading.text(said.sender_phone)) if chat.is_group else ""
    outcome = maker.message(
        Said(
            chat=chat,
            message_id=message_id.bare,
            content=_content(said),
            is_sent=is_sent,
            sent_ms=times.read_ms(said.timestamp),
            account=_account(maker, said),
            sender_phone=phone,
        )
    )
    if isinstance(outcome, MessageEvent) and maker.settings.chat_id != "{chat}":
        # A deletion does not say which of our numbers it is of.
        maker.notes.message_is_in(message_id.bare, outcome.event.chat.chat_id)
    return outcome


def _changed(maker: Maker, told: Any, *, is_deletion: bool) -> Outcome:
    said = bodies.part(told, Message, "data")
    message_id = serialised.read(said.message_id, "data.message_id")
    chat = addresses.of(message_id.chat, maker.notes, path="data.message_id")
    is_sent = message_id.is_sent if said.from_me is None else said.from_me
    maker.refuse_unwanted(chat, is_sent=is_sent)
    chat_id: str | None = maker.chat_id(chat, _account(maker, said))
    if maker.settings.chat_id != "{chat}" and not said.org_phone:
        chat_id = maker.notes.chat_of_message(message_id.bare)
    if chat_id is None:
        return maker.ignored(Reason.CHAT_UNKNOWN)
    if is_deletion:
        return maker.delete(chat_id, message_id.bare, None)
    if _content(said) == ATTACHMENT:
        return maker.ignored(Reason.EDIT_OF_MEDIA)
    return maker.edit(chat_id, message_id.bare, said.body, None)


def _content(said: Message) -> Content:
    if said.has_media or said.media:
        return ATTACHMENT
    by_type = contents.of_web_type(said.message_type)
    return by_type or contents.text_or_skip(said.body)


def _account(maker: Maker, said: Message) -> AccountSettings:
    return maker.account(addresses.phone_of(reading.text(said.org_phone)))


def _learn_name(maker: Maker, data: Any) -> None:
    chat = addresses.found(reading.text(data, "chat_id"), maker.notes)
    if chat is not None:
        account = maker.account(addresses.phone_of(reading.text(data, "org_phone")))
        maker.notes.chat_is_called(maker.chat_id(chat, account), reading.name(data, "chat_name"))
