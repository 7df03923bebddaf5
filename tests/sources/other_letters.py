"""What the other six kinds of sources get for a message; letters.py has the rest.

Each body is a sample's, with another id, chat and text.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from hookbundle.tests.engine.sources.posting import body_of
from hookbundle.tests.sources.letters import FIRST_S, Letter

FIELDS = {"message_id": "message.id", "chat_id": "message.chat", "text": "message.text"}
OTHER_SECRETS: dict[str, dict[str, Any]] = {
    "360dialog": {},
    "green-api": {"webhook_token": "token of green-api"},
    "whapi": {},
    "wati": {},
    "periskope": {"signing_key": "key of periskope"},
    "generic": {"fields": FIELDS},
}


def dialog_360(number: int, phone: str, text: str) -> Letter:
    body, message_id = body_of("360dialog", "01-text-is-metas-shape"), f"wamid.D{number}"
    value = body["entry"][0]["changes"][0]["value"]
    value["contacts"][0]["wa_id"] = phone
    value["messages"][0] |= {"id": message_id, "from": phone, "text": {"body": text}}
    value["messages"][0]["timestamp"] = str(FIRST_S + number)
    return Letter.of([message_id], body)


def green_api(number: int, phone: str, text: str) -> Letter:
    body, message_id = body_of("green-api", "01-text"), f"F7AE{number:016}"
    body |= {"idMessage": message_id, "timestamp": FIRST_S + number}
    body["senderData"] |= {"chatId": f"{phone}@c.us", "sender": f"{phone}@c.us"}
    body["messageData"]["textMessageData"]["textMessage"] = text
    return Letter.of([message_id], body)


def whapi(number: int, phone: str, text: str) -> Letter:
    body, message_id = body_of("whapi", "01-text-and-link-batch"), f"p.w30M7fgw-{number}"
    message = body["messages"][0] | {"id": message_id, "from": phone, "text": {"body": text}}
    message |= {"chat_id": f"{phone}@s.whatsapp.net", "timestamp": FIRST_S + number}
    return Letter.of([message_id], body | {"messages": [message]})


def wati(number: int, phone: str, text: str) -> Letter:
    body, message_id = body_of("wati", "01-message"), f"wamid.W{number}"
    body |= {"whatsappMessageId": message_id, "waId": phone, "text": text}
    body["timestamp"] = str(FIRST_S + number)
    return Letter.of([message_id], body)


def periskope(number: int, phone: str, text: str) -> Letter:
    body, bare = body_of("periskope", "01-created-short-offset"), f"3EBP{number:016}"
    body["data"] |= {
        "message_id": f"false_{phone}@c.us_{bare}",
        "sender_phone": f"{phone}@c.us",
        "chat_id": f"{phone}@c.us",
        "body": text,
    }
    return Letter.of([bare], body)


def generic(number: int, phone: str, text: str) -> Letter:
    message_id = f"g{number}"
    return Letter.of([message_id], {"message": {"id": message_id, "chat": phone, "text": text}})


OTHER_LETTERS: dict[str, Callable[[int, str, str], Letter]] = {
    "360dialog": dialog_360,
    "green-api": green_api,
    "whapi": whapi,
    "wati": wati,
    "periskope": periskope,
    "generic": generic,
}


def other_headers_of(kind: str, body: bytes) -> dict[str, str]:
    """The headers that the system sends with the body."""
    headers = {"Content-Type": "application/json"}
    if kind == "green-api":
        headers["Authorization"] = OTHER_SECRETS[kind]["webhook_token"]
    if kind == "periskope":
        key = OTHER_SECRETS[kind]["signing_key"].encode()
        headers["X-Periskope-Signature"] = hmac.new(key, body, hashlib.sha256).hexdigest()
    return headers
