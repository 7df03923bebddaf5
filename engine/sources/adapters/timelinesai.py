"""TimelinesAI: webhooks v2, which have hookbundle's own shape but for some names, and v1.

`chat_id` is a number in v2. Both kinds of events may be set up for one message, and the example of
the documentation has another event's name in them, so the direction is that of the message and not
of the event. A bundle of v1 (`messages[]`) is several messages.
"""

from functools import partial
from typing import Any

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.sources import bodies, contents, reading, times
from hookbundle.engine.sources.addresses import Address
from hookbundle.engine.sources.contents import ATTACHMENT, Skip, Text
from hookbundle.engine.sources.events import Ids, Maker
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Skipped, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings

MESSAGES = ("message:new", "message:received:new", "message:sent:new")
CREATED = "chat:created"


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    event = reading.text(body, "event_type")
    maker.named(event)
    several = reading.at(body, "messages")
    if event in MESSAGES or (not event and isinstance(reading.at(body, "message"), dict)):
        maker.one(reading.at(body, "message"), partial(_message, maker, body))
    elif not event and isinstance(several, list) and several:
        maker.each(several, partial(_message, maker, body))
    elif event.startswith("chat:"):
        chat_id = reading.id_of(body, "chat", "chat_id")
        if event == CREATED and chat_id:
            maker.notes.chat_is_new(chat_id)
        maker.ignore(Reason.CHAT)
    else:
        maker.ignore_by_name(event, {}, {"whatsapp:": Reason.SESSION})
    return maker.done()


def _message(maker: Maker, body: Any, message: Any) -> Outcome:
    chat, account = reading.at(body, "chat"), reading.at(body, "whatsapp_account")
    told = reading.at(chat, "is_group")
    if told is not None and not isinstance(told, bool):
        raise InvalidInput((fault("chat.is_group", FaultCode.NOT_TRUE_OR_FALSE, given="text"),))
    chat_id = reading.id_of(chat, "chat_id")
    direction, is_group = reading.text(message, "direction"), told is True
    maker.refuse_unwanted(Address(chat_id, is_group=is_group), is_sent=direction == "sent")
    message_id = reading.first_of(
        reading.id_of(message, "message_uid"), reading.id_of(message, "message_id")
    )
    has_file = reading.has(message, "attachments") or reading.has(message, "attachment")
    content: Text | Skip = (
        ATTACHMENT if has_file else contents.text_or_skip(reading.text(message, "text"))
    )
    if isinstance(content, Skip):
        ids = bodies.part({"chat_id": chat_id, "message_id": message_id}, Ids, "")
        return Skipped(ids.chat_id, ids.message_id, content.reason)
    sent_ms = times.read_ms(reading.at(message, "timestamp"))
    own = maker.settings.account
    is_new = reading.at(chat, "is_new_chat") is True or maker.notes.is_new(chat_id)
    return maker.checked(
        {
            "whatsapp_account": {
                "full_name": reading.name(account, "full_name") or own.full_name,
                "email": reading.name(account, "email") or own.email,
                "phone": reading.name(account, "phone") or own.phone,
            },
            "chat": {
                "full_name": reading.first_of(
                    reading.name(chat, "full_name"), reading.name(chat, "phone"), chat_id
                ),
                "responsible_name": reading.name(chat, "responsible_name"),
                "responsible_email": reading.name(chat, "responsible_email"),
                "chat_url": reading.text(chat, "chat_url"),
                "chat_id": chat_id,
                "is_new_chat": is_new,
                "is_group": is_group,
                "phone": reading.name(chat, "phone"),
            },
            "message": {
                "direction": direction,
                "timestamp": maker.arrived_ms if sent_ms is None else sent_ms,
                "message_id": message_id,
                "sender": _party(reading.at(message, "sender")),
                "recipient": _party(reading.at(message, "recipient")),
                "text": content.text,
            },
        }
    )


def _party(told: Any) -> dict[str, str]:
    return {"full_name": reading.name(told, "full_name"), "phone": reading.name(told, "phone")}
