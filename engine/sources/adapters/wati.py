"""Wati: one flat object for each event.

What tells that a message was delivered, read or answered repeats its text, so the event's name
decides (Wati's reference of webhooks).
"""

from typing import Any

import msgspec

from hookbundle.engine.messages.phones import digits_of
from hookbundle.engine.sources import addresses, bodies, contents, reading, times
from hookbundle.engine.sources.contents import ATTACHMENT, NO_TEXT, Content, Nothing
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings

MESSAGES = ("message", "sessionMessageSent", "templateMessageSent")
VERSION = "_v2"
IGNORED_FAMILIES = {
    "sentMessage": Reason.ACK,
    "templateMessageFailed": Reason.ACK,
    "newContactMessageReceived": Reason.CHAT,
}
TEXT_TYPES = ("text", "button", "interactive", "template", "order", "")
MEDIA = ("image", "video", "audio", "voice", "document", "sticker")
WITHOUT_TEXT = ("location", "contacts", "contact")


class Message(msgspec.Struct, frozen=True, rename="camel"):
    event_type: str
    wa_id: str | None = None
    bsuid: str | None = None
    text: str | None = None
    owner: bool | None = None
    type: Any = None
    id: Any = None
    whatsapp_message_id: Any = None
    timestamp: Any = None
    created: Any = None
    username: Any = None
    sender_name: Any = None
    operator_name: Any = None
    channel_phone_number: Any = None


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    event = reading.text(body, "eventType")
    maker.named(event)
    if event.removesuffix(VERSION) in MESSAGES:
        maker.one(body, lambda value: _message(maker, bodies.part(value, Message, "")))
    else:
        maker.ignore_by_name(event, {}, IGNORED_FAMILIES)
    return maker.done()


def _message(maker: Maker, said: Message) -> Outcome:
    chat = addresses.of_user(said.wa_id or "", said.bsuid or "", maker.notes, path="waId")
    is_sent = said.event_type != "message" or said.owner is True
    name = "" if is_sent else reading.name(said.sender_name)
    ours = digits_of(reading.text(said.channel_phone_number))
    told_ms = times.read_ms(said.timestamp)
    return maker.message(
        Said(
            chat=chat,
            message_id=reading.first_of(
                reading.text(said.whatsapp_message_id), reading.text(said.id)
            ),
            content=_content(said),
            is_sent=is_sent,
            sent_ms=times.read_ms(said.created) if told_ms is None else told_ms,
            account=maker.account(addresses.with_plus(ours)),
            chat_name=name,
            sender_name=reading.name(said.operator_name) if is_sent else "",
            username=reading.name(said.username),
        )
    )


def _content(said: Message) -> Content:
    kind = reading.text(said.type)
    if kind in MEDIA:
        return ATTACHMENT
    if kind == "reaction":
        return Nothing(Reason.REACTION)
    if kind in TEXT_TYPES:
        return contents.text_or_skip(said.text)
    return NO_TEXT if kind in WITHOUT_TEXT else Nothing(Reason.UNKNOWN_TYPE)
