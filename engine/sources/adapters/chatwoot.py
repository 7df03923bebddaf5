"""Chatwoot: messages of all inboxes of an account, e-mail and website included.

The chat is the conversation, which Chatwoot's own links lead to. Private notes are posted like
messages (Chatwoot's message_filter_helpers.rb does not look at them), so they are left out here.
`message_updated` fires for a changed status, an edit and a deletion alike; of a deleted message the
text is a translated sentence and is never looked at (Chatwoot's message.rb, `webhook_data`).
"""

from typing import Any
from urllib.parse import quote

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault, given, not_one_of
from hookbundle.engine.sources import addresses, bodies, contents, reading, times
from hookbundle.engine.sources.addresses import Address
from hookbundle.engine.sources.contents import ATTACHMENT, Content
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import AccountSettings, SourceSettings

IGNORED_FAMILIES = {
    "conversation_typing": Reason.PRESENCE,
    "conversation_": Reason.CONVERSATION,
    "contact_": Reason.CONTACT,
    "inbox_": Reason.SESSION,
    "webwidget_": Reason.NOT_WHATSAPP,
}
RECEIVED, SENT, ACTIVITY = ("incoming", 0), ("outgoing", "template", 1, 3), ("activity", 2)
NO_TEXT_TYPES = ("input_csat", "form", "cards", "article", "integrations", "voice_call")


class Message(msgspec.Struct, frozen=True):
    """`message_type` is a text here; within a conversation it is a number.

    `private` may not be missing: a note that is only for colleagues must never be taken.
    """

    id: int | str
    message_type: int | str
    conversation: dict[str, Any]
    private: bool
    content: str | None = None
    content_type: str | None = None
    content_attributes: Any = None
    attachments: Any = None
    created_at: Any = None
    sender: Any = None
    inbox: Any = None
    account: Any = None


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    event = reading.text(body, "event")
    maker.named(event)
    if event == "message_created":
        maker.one(body, lambda value: _created(maker, bodies.part(value, Message, "")))
    elif event == "message_updated":
        maker.one(body, lambda value: _updated(maker, bodies.part(value, Message, "")))
    else:
        maker.ignore_by_name(event, {}, IGNORED_FAMILIES)
    return maker.done()


def _created(maker: Maker, said: Message) -> Outcome:
    reason = _left_out(maker, said)
    if reason is not None:
        return maker.ignored(reason)
    if said.message_type not in (*RECEIVED, *SENT):
        raise InvalidInput(
            (not_one_of("message_type", (RECEIVED[0], *SENT[:2]), said.message_type),)
        )
    contact = reading.at(said.conversation, "meta", "sender")
    chat, is_sent = _chat(said.conversation, contact), said.message_type in SENT
    return maker.message(
        Said(
            chat=chat,
            message_id=str(said.id),
            content=_content(said),
            is_sent=is_sent,
            sent_ms=times.read_ms(said.created_at),
            account=_account(maker, said),
            chat_name=reading.name(contact, "name"),
            remembers_name=False,
            sender_name=reading.name(said.sender, "name"),
            chat_url=_chat_url(maker, said, chat.id),
            responsible_name=reading.name(said.conversation, "meta", "assignee", "name"),
            labels=_labels(said.conversation),
        )
    )


def _updated(maker: Maker, said: Message) -> Outcome:
    reason = _left_out(maker, said)
    if reason is not None:
        return maker.ignored(reason)
    chat = _chat(said.conversation, reading.at(said.conversation, "meta", "sender"))
    maker.refuse_unwanted(chat, is_sent=said.message_type in SENT)
    chat_id = maker.chat_id(chat, _account(maker, said))
    if reading.has(said.content_attributes, "deleted"):
        return maker.delete(chat_id, str(said.id), None)
    if _content(said) == ATTACHMENT:
        return maker.ignored(Reason.EDIT_OF_MEDIA)
    return maker.edit(chat_id, str(said.id), said.content, None)


def _left_out(maker: Maker, said: Message) -> Reason | None:
    """Why it is no message to a contact on WhatsApp, if it is none."""
    if reading.at(said.conversation, "channel") not in maker.settings.channels:
        return Reason.NOT_WHATSAPP
    if said.private:
        return Reason.PRIVATE_NOTE
    if said.message_type in ACTIVITY:
        return Reason.SYSTEM
    return Reason.NOT_A_TEXT if said.content_type in NO_TEXT_TYPES else None


def _content(said: Message) -> Content:
    return ATTACHMENT if said.attachments else contents.text_or_skip(said.content)


def _chat(conversation: dict[str, Any], contact: Any) -> Address:
    """Bridges feed groups into an inbox: there the contact is the group."""
    number = reading.id_of(conversation, "id")
    if not number:
        kind = given(reading.at(conversation, "id"))
        raise InvalidInput((fault("conversation.id", FaultCode.NOT_TEXT_OR_NUMBER, given=kind),))
    identifier = reading.text(contact, "identifier")
    if identifier.endswith("@g.us") or reading.at(conversation, "group") is True:
        return Address(number, is_group=True)
    phone = addresses.phone_of(reading.text(contact, "phone_number"))
    return Address(number, phone or addresses.phone_of(identifier))


def _account(maker: Maker, said: Message) -> AccountSettings:
    """Its phone is nowhere in the body."""
    inbox = reading.id_of(said.inbox, "id")
    return maker.settings.inboxes.get(inbox) or maker.settings.account


def _chat_url(maker: Maker, said: Message, conversation: str) -> str:
    base, account = maker.settings.base_url.rstrip("/"), reading.id_of(said.account, "id")
    if maker.settings.chat_url or not base or not account:
        return ""  # by the template, if there is one
    return f"{base}/app/accounts/{quote(account)}/conversations/{quote(conversation)}"


def _labels(conversation: dict[str, Any]) -> tuple[str, ...]:
    most = limits.LABEL_CHARS_MAX
    texts = [each for each in reading.items(conversation, "labels") if isinstance(each, str)]
    return tuple(each for each in texts if 0 < len(each) <= most)[: limits.LABELS_MAX]
