"""Which chats a phone number has had: rows both ways, for as long as the chat has a delivery.

Only the digits of a phone are kept, so that it is found however it was written.
"""

from typing import NamedTuple

import msgspec

from hookbundle.engine.messages import phones
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.unit import Unit

PHONES_MAX = 16  # of a chat; somebody who sends another one with each message gets no more rows


class Contact(msgspec.Struct, frozen=True, gc=False):
    """What a chat's JSON says of its customer."""

    full_name: str | None = ""
    phone: str | None = ""


_decoder = msgspec.json.Decoder(Contact)


class Known(NamedTuple):
    name: str
    phone: str


def of_chat(chat: bytes) -> Known:
    """The name and the phone in a chat's JSON."""
    contact = _decoder.decode(chat)
    return Known(contact.full_name or "", contact.phone or "")


def digits_of(phone: str) -> bytes:
    """The digits of the phone; empty if there are too many for one."""
    return phones.digits_of(phone).encode()


def remember(unit: Unit, workspace: int, chat: bytes, phone: str) -> None:
    """The chat is found by the phone."""
    digits = digits_of(phone)
    if not digits:
        return
    key = keyspace.of_chat(keyspace.CHAT_PHONES, workspace, chat, digits)
    # Nearly always the rows are there. A look costs less than writing a page once more.
    if unit.get_raw(key) is not None:
        return
    prefix = keyspace.of_chat(keyspace.CHAT_PHONES, workspace, chat)
    if sum(1 for _ in unit.rows(prefix)) < PHONES_MAX:
        unit.put_flag(key)
        unit.put_flag(keyspace.phone_chat(workspace, digits, chat))


def forget(unit: Unit, workspace: int, chat: bytes) -> None:
    """The chat is found by no phone."""
    prefix = keyspace.of_chat(keyspace.CHAT_PHONES, workspace, chat)
    for key, _ in list(unit.rows(prefix)):
        unit.delete(key)
        unit.delete(keyspace.phone_chat(workspace, key[len(prefix) :], chat))


def forget_if_last(unit: Unit, workspace: int, chat: bytes) -> None:
    """A chat without a delivery is found by no phone."""
    deliveries = keyspace.of_chat(keyspace.CHAT_DELIVERIES, workspace, chat)
    if next(unit.rows(deliveries), None) is None:
        forget(unit, workspace, chat)
