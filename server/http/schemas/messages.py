"""What intake answers, and an example of what it takes."""

import msgspec

EXAMPLE = {
    "whatsapp_account": {
        "full_name": "Amnon Haha",
        "email": "amnon@acme.example",
        "phone": "+972500000000",
    },
    "chat": {
        "full_name": "John Doe",
        "responsible_name": "Amnon",
        "responsible_email": "amnon@acme.example",
        "chat_url": "https://inbox.example/chat/10010001/messages/",
        "chat_id": "10010001",
        "is_new_chat": False,
        "is_group": False,
        "phone": "+97254000000",
        "labels": ["VIP"],
        "refs": {"hubspot": "501"},
    },
    "message": {
        "direction": "received",
        "timestamp": "2021-02-24T16:25:29+0000",
        "message_id": "wamid.HBgLMTIzNDU2Nzg5MA",
        "sender": {"full_name": "John Doe", "phone": "+972540000000"},
        "recipient": {"full_name": "Amnon", "phone": "+972550000000"},
        "text": "Hi there 👋",
        "permalink": "https://inbox.example/chat/10010001/messages/1",
    },
}


class SkippedOut(msgspec.Struct, frozen=True):
    message_id: str
    reason: str


class AcceptedOut(msgspec.Struct, frozen=True):
    """How many messages were accepted, duplicate and skipped; together they are the request."""

    accepted: int
    duplicate: int
    skipped: list[SkippedOut]
