"""Messages as filters get them: stored JSON, made as the API makes it."""

from typing import Any

import msgspec

from hookbundle.engine.filters.subject import Subject
from hookbundle.engine.messages.message import Event, Incoming, incoming


def message(
    *,
    text: str = "How much is it?",
    direction: str = "received",
    account: str | None = "+972500000000",
    **chat: Any,
) -> Incoming:
    event = {
        "whatsapp_account": {"full_name": "Amnon", "email": "a@acme.com", "phone": account},
        "chat": {"chat_id": "10010001", "is_group": False, "is_new_chat": False, **chat},
        "message": {
            "direction": direction,
            "timestamp": "2021-02-24T16:25:29+0000",
            "message_id": "m1",
            "text": text,
        },
    }
    kept = incoming(msgspec.convert(event, Event))
    assert isinstance(kept, Incoming)
    return kept


def subject_of(kept: Incoming) -> Subject:
    return Subject(account=kept.account, chat=kept.chat, message=kept.message, extra=kept.extra)


def subject(**known: Any) -> Subject:
    return subject_of(message(**known))
