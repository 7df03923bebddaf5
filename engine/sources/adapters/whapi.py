"""whapi.cloud: batches of messages. Only `channel_id` names the account.

An event may be posted, put, patched or deleted, by the method of the request or in its body; only
what is new is a message. What an edit looks like is not documented: `action` is ignored and counted
(Whapi's format of incoming webhooks).
"""

from functools import partial
from typing import Any

import msgspec

from hookbundle.engine.sources import addresses, bodies, contents, reading, times
from hookbundle.engine.sources.contents import ATTACHMENT, NO_TEXT, Content, Nothing
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import AccountSettings, SourceSettings

TEXTS = {
    "text": ("text", "body"),
    "link_preview": ("link_preview", "body"),
    "hsm": ("hsm", "body"),
    "interactive": ("interactive", "body", "text"),
    "order": ("order", "text"),
}
REPLIES = ("buttons_reply", "list_reply")
MEDIA = ("image", "video", "gif", "short", "audio", "voice", "document", "sticker")
WITHOUT_TEXT = (
    "location",
    "live_location",
    "contact",
    "contact_list",
    "poll",
    "product",
    "catalog",
    "event",
    "group_invite",
    "newsletter_invite",
)
NOTHING = {
    "reaction": Reason.REACTION,
    "story": Reason.STATUS_BROADCAST,
    "system": Reason.SYSTEM,
    "call": Reason.CALL,
}
LISTS = {
    "statuses": Reason.ACK,
    "chats": Reason.CHAT,
    "chats_updates": Reason.CHAT,
    "chats_removed": Reason.CHAT,
    "groups": Reason.GROUP,
    "groups_updates": Reason.GROUP,
    "groups_participants": Reason.GROUP,
    "contacts": Reason.CONTACT,
    "contacts_updates": Reason.CONTACT,
    "presences": Reason.PRESENCE,
    "labels": Reason.LABEL,
    "calls": Reason.CALL,
    "health": Reason.SESSION,
    "user": Reason.SESSION,
    "qr": Reason.SESSION,
    "service": Reason.SESSION,
}
NEW = ("post", "put", "")


class Message(msgspec.Struct, frozen=True):
    id: str
    chat_id: str
    from_me: bool
    type: str
    timestamp: Any = None
    sender: Any = msgspec.field(default=None, name="from")
    from_name: Any = None
    chat_name: Any = None


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    what, how = reading.text(body, "event", "type"), reading.text(body, "event", "event")
    maker.named(f"{what}.{how}" if how else what)
    account = maker.account(key=reading.text(body, "channel_id"))
    messages = reading.items(body, "messages")
    if messages and how in NEW and request.method in ("POST", "PUT"):
        maker.each(messages, partial(_message, maker, account))
        return maker.done()
    found = (reason for name, reason in LISTS.items() if reading.has(body, name))
    unknown = Reason.UNKNOWN_EVENT if what else Reason.UNKNOWN_SHAPE
    maker.ignore(next(found, unknown))
    return maker.done()


def _message(maker: Maker, account: AccountSettings, told: Any) -> Outcome:
    said = bodies.part(told, Message, "messages")
    chat = addresses.of(said.chat_id, maker.notes, path="messages.chat_id")
    of_chat = reading.name(said.chat_name)
    name = "" if said.from_me else reading.name(said.from_name)
    chat_name = of_chat if chat.is_group else of_chat or name
    phone = addresses.phone_of(reading.text(said.sender))
    return maker.message(
        Said(
            chat=chat,
            message_id=said.id,
            content=_content(said.type, told),
            is_sent=said.from_me,
            sent_ms=times.read_ms(said.timestamp),
            account=account,
            chat_name=chat_name,
            sender_name=name,
            sender_phone=phone if chat.is_group else "",
        )
    )


def _content(kind: str, told: Any) -> Content:
    if kind in MEDIA:
        return ATTACHMENT
    if kind in TEXTS:
        return contents.text_or_skip(reading.text(told, *TEXTS[kind]))
    if kind == "reply":
        titles = [reading.text(told, "reply", each, "title") for each in REPLIES]
        return contents.text_or_skip(reading.first_of(*titles))
    return NO_TEXT if kind in WITHOUT_TEXT else Nothing(NOTHING.get(kind, Reason.UNKNOWN_TYPE))
