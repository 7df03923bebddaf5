"""What all rivals have in common: the shape of a message, the body of a bundle, the waits.

The shapes are hookbundle's, and all of a message is decoded and must have them. What hookbundle
checks beyond that, rivals don't: lengths, timestamps, e-mail addresses, the receiver's address, and
whether a message is a repeat. They sign nothing, count no errors, keep no logs and have no feed.
"""

import html
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

PRODUCT = "the inbox"
REQUEST_TIMEOUT_S = 15.0
RETRY_S = (5.0, 30.0, 120.0, 300.0, 900.0)  # hookbundle's first steps


class Account(msgspec.Struct, frozen=True):
    full_name: str
    email: str
    phone: str


class Chat(msgspec.Struct, frozen=True):
    full_name: str
    responsible_name: str
    responsible_email: str
    chat_url: str
    chat_id: str
    is_new_chat: bool
    is_group: bool
    phone: str


class Person(msgspec.Struct, frozen=True):
    full_name: str
    phone: str


class Message(msgspec.Struct, frozen=True):
    direction: str
    timestamp: int | str
    message_id: str
    sender: Person
    recipient: Person
    text: str


class Event(msgspec.Struct, frozen=True):
    whatsapp_account: Account
    chat: Chat
    message: Message


class Taken(NamedTuple):
    """A message as it is kept: the JSON of its event, on one line."""

    chat_id: str
    member: bytes


_one = msgspec.json.Decoder(Event)
_many = msgspec.json.Decoder(list[Event])
_encode = msgspec.json.Encoder().encode


def parse(body: bytes) -> list[Taken]:
    """The messages of a request, one or an array.

    Raises: msgspec.DecodeError.
    """
    events = _many.decode(body) if body.lstrip()[:1] == b"[" else [_one.decode(body)]
    return [Taken(event.chat.chat_id, _encode(event)) for event in events]


def bundle_body(members: Sequence[bytes]) -> bytes:
    """One POST for the messages of a window; account and chat are those of the newest."""
    events = [_one.decode(member) for member in members]
    newest = events[-1]
    lines = "".join(
        f"from {html.escape(event.message.sender.full_name)} on {event.message.timestamp}: "
        f"{html.escape(event.message.text)}<br/>"
        for event in events
    )
    link = html.escape(newest.chat.chat_url)
    return _encode(
        {
            "whatsapp_account": newest.whatsapp_account,
            "chat": newest.chat,
            "messages": [event.message for event in events],
            "first_message_timestamp": events[0].message.timestamp,
            "last_message_timestamp": newest.message.timestamp,
            "aggregation": f"{lines}Click <a href='{link}'>here</a> to open the conversation in "
            f"{PRODUCT}",
        }
    )


def headers(bundle: object) -> dict[str, str]:
    return {"Content-Type": "application/json; charset=utf-8", "webhook-id": f"dlv_{bundle}"}


def wait_s(errors: int) -> float:
    """How long to wait after so many errors in a row."""
    return RETRY_S[min(errors, len(RETRY_S)) - 1]
