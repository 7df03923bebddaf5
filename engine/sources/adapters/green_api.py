"""GREEN-API: notifications of an instance.

The chat is `senderData.chatId`, never `sender`, which of a sent message is ourselves. A message
that could not be decrypted comes with a code for its text; the real one follows under the same id
(GREEN-API's notifications format; its issue 604).
"""

import re
from typing import Any

import msgspec

from hookbundle.engine.sources import addresses, bodies, contents, reading, times
from hookbundle.engine.sources.contents import ATTACHMENT, NO_TEXT, Content, Nothing
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings

RECEIVED = "incomingMessageReceived"
SENT = ("outgoingMessageReceived", "outgoingAPIMessageReceived")
IGNORED = {
    "outgoingMessageStatus": Reason.ACK,
    "stateInstanceChanged": Reason.SESSION,
    "statusInstanceChanged": Reason.SESSION,
    "deviceInfo": Reason.SESSION,
    "quotaExceeded": Reason.ERRORS,
    "incomingCall": Reason.CALL,
    "outgoingCall": Reason.CALL,
    "incomingBlock": Reason.CONTACT,
}
TEXTS = {
    "textMessage": (("textMessageData", "textMessage"),),
    "extendedTextMessage": (("extendedTextMessageData", "text"),),
    "quotedMessage": (("extendedTextMessageData", "text"), ("textMessageData", "textMessage")),
    "templateButtonsReplyMessage": (
        ("templateButtonReplyMessage", "selectedDisplayText"),
        ("templateButtonsReplyMessage", "selectedDisplayText"),
    ),
    "buttonsResponseMessage": (("buttonsResponseMessage", "selectedButtonText"),),
    "listResponseMessage": (("listResponseMessage", "title"),),
    "interactiveButtonsResponse": (("interactiveButtonsResponse", "selectedDisplayText"),),
    "templateMessage": (("templateMessage", "contentText"),),
    "buttonsMessage": (("buttonsMessage", "contentText"),),
    "listMessage": (("listMessage", "contentText"),),
    "interactiveButtons": (("interactiveButtons", "contentText"),),
}
MEDIA = ("imageMessage", "videoMessage", "documentMessage", "audioMessage", "stickerMessage")
WITHOUT_TEXT = (
    "locationMessage",
    "contactMessage",
    "contactsArrayMessage",
    "pollMessage",
    "groupInviteMessage",
)
NOTHING = {
    "reactionMessage": Reason.REACTION,
    "pollUpdateMessage": Reason.POLL_VOTE,
}
NOT_DECRYPTED = re.compile(r"\{\{SWE[0-9]+\}\}|SWE001")


class Notification(msgspec.Struct, frozen=True, rename="camel"):
    id_message: str
    sender_data: dict[str, Any]
    message_data: dict[str, Any]
    instance_data: Any = None
    timestamp: Any = None


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    event = reading.text(body, "typeWebhook")
    maker.named(event)
    if event == RECEIVED or event in SENT:
        is_sent = event in SENT
        maker.one(body, lambda value: _message(maker, value, is_sent=is_sent))
    else:
        maker.ignore_by_name(event, IGNORED)
    return maker.done()


def _message(maker: Maker, body: Any, *, is_sent: bool) -> Outcome:
    said = bodies.part(body, Notification, "")
    sender = said.sender_data
    chat = addresses.of(reading.text(sender, "chatId"), maker.notes, path="senderData.chatId")
    account = maker.account(
        addresses.phone_of(reading.text(said.instance_data, "wid")),
        reading.id_of(said.instance_data, "idInstance"),
    )
    sent_ms = times.read_ms(said.timestamp)
    kind = reading.text(said.message_data, "typeMessage")
    if kind in ("editedMessage", "deletedMessage"):
        maker.refuse_unwanted(chat, is_sent=is_sent)
        chat_id = maker.chat_id(chat, account)
        data = said.message_data.get(f"{kind}Data")
        original = reading.text(data, "stanzaId")
        if kind == "deletedMessage":
            return maker.delete(chat_id, original, sent_ms)
        return maker.edit(chat_id, original, reading.text(data, "textMessage"), sent_ms)
    own_name = reading.first_of(
        reading.name(sender, "senderContactName"), reading.name(sender, "senderName")
    )
    of_chat = reading.name(sender, "chatName")
    chat_name = of_chat if chat.is_group or is_sent else own_name or of_chat
    phone = addresses.phone_of(reading.text(sender, "sender"))
    return maker.message(
        Said(
            chat=chat,
            message_id=said.id_message,
            content=_content(kind, said.message_data),
            is_sent=is_sent,
            sent_ms=sent_ms,
            account=account,
            chat_name=chat_name,
            sender_name="" if is_sent else own_name,
            sender_phone=phone if chat.is_group else "",
        )
    )


def _content(kind: str, data: dict[str, Any]) -> Content:
    if kind in MEDIA or "fileMessageData" in data:
        return ATTACHMENT
    if kind in NOTHING:
        return Nothing(NOTHING[kind])
    if kind not in TEXTS:
        return NO_TEXT if kind in WITHOUT_TEXT else Nothing(Reason.UNKNOWN_TYPE)
    text = reading.first_of(*(reading.text(data, *path) for path in TEXTS[kind]))
    if NOT_DECRYPTED.fullmatch(text.strip()):
        return Nothing(Reason.WAITING)
    return contents.text_or_skip(text)
