"""The demo's conversation: a direct chat and a group, with emoji, Arabic and a photo."""

from typing import Any

ACCOUNT = {"full_name": "Dana Levi", "email": "dana@acme.example", "phone": "+972500000001"}
DIRECT = {
    "full_name": "John Doe",
    "responsible_name": "Dana Levi",
    "responsible_email": "dana@acme.example",
    "chat_url": "https://inbox.example/chat/10010001/messages/",
    "chat_id": "10010001",
    "is_new_chat": True,
    "is_group": False,
    "phone": "+972540000000",
}
GROUP = {
    "full_name": "فريق المبيعات",
    "responsible_name": "Dana Levi",
    "responsible_email": "dana@acme.example",
    "chat_url": "https://inbox.example/chat/10010002/messages/",
    "chat_id": "10010002",
    "is_new_chat": False,
    "is_group": True,
    "phone": None,
}
DANA = {"full_name": "Dana Levi", "phone": "+972500000001"}
JOHN = {"full_name": "John Doe", "phone": "+972540000000"}
LAYLA = {"full_name": "ليلى", "phone": None}
TEAM = {"full_name": "فريق المبيعات", "phone": None}


def _event(
    number: int,
    chat: dict[str, Any],
    sender: dict[str, Any],
    recipient: dict[str, Any],
    text: str | None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "whatsapp_account": ACCOUNT,
        "chat": chat,
        "message": {
            "direction": "sent" if sender is DANA else "received",
            "timestamp": f"2026-11-22T09:0{number}:00+02:00",
            "message_id": f"wamid.demo-{number}",
            "sender": sender,
            "recipient": recipient,
            "text": text,
            **more,
        },
    }


CONVERSATION = (
    _event(
        0,
        DIRECT,
        JOHN,
        DANA,
        "Hi! Is the blue one <still> in stock?",
        permalink="https://inbox.example/permalink/77a28d55/",
    ),
    _event(1, DIRECT, DANA, JOHN, "Hello John 👋 yes, three left.\nShall I put one aside?"),
    _event(2, GROUP, LAYLA, TEAM, "صباح الخير، وصلت الشحنة 🎉"),
    _event(3, DIRECT, JOHN, DANA, None, attachments=[{"filename": "photo.jpg"}]),
    _event(4, DIRECT, JOHN, DANA, "Yes please 🙏"),
    _event(5, GROUP, DANA, TEAM, "شكراً ليلى"),
)
SINGLE = _event(6, DIRECT, JOHN, DANA, "One more thing: do you deliver on Sundays?")
UNLUCKY = _event(7, DIRECT, DANA, JOHN, "We do, between 9 and 12.")
