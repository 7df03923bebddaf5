"""A delivery's body, and the rows of the indexes that are made of what stands in it."""

from typing import NamedTuple

import msgspec

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Chunk, Delivery
from hookbundle.storage.maintenance.migration.target import Target
from hookbundle.storage.tables import contacts
from hookbundle.storage.tables.bodies import CHUNK_BYTES


class Body(NamedTuple):
    """What a body says of its delivery."""

    messages: int
    is_bundle: bool
    chat_name: str
    phone: str


class _Bundle(msgspec.Struct, frozen=True, gc=False):
    """The fields of a body that are needed; a single message has no `messages`."""

    chat: contacts.Contact = contacts.Contact()
    messages: list[msgspec.Raw] | None = None


_decoder = msgspec.json.Decoder(_Bundle)


def put(target: Target, webhook: int, delivery: int, body: bytes) -> Body:
    """The body is in the new database, in chunks."""
    for number, start in enumerate(range(0, len(body), CHUNK_BYTES)):
        key = keyspace.of_delivery(keyspace.BODIES, webhook, delivery, number)
        target.put(key, Chunk(body=body[start : start + CHUNK_BYTES]))
    try:
        read = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Body(1, is_bundle=False, chat_name="", phone="")
    return Body(
        messages=1 if read.messages is None else max(len(read.messages), 1),
        is_bundle=read.messages is not None,
        chat_name=read.chat.full_name or "",
        phone=read.chat.phone or "",
    )


def put_indexes(target: Target, workspace: int, delivery: Delivery) -> None:
    """The delivery is found by its chat, and the chat by its phone unless it was deleted since."""
    chat, number = delivery.chat_id.encode(), delivery.number
    target.put_flag(keyspace.chat_delivery(workspace, chat, number, workspace))
    if target.is_erased(workspace, chat, number):
        return
    digits = contacts.digits_of(delivery.phone)
    key = keyspace.of_chat(keyspace.CHAT_PHONES, workspace, chat, digits)
    if not digits or target.has(key):
        return
    phones = keyspace.of_chat(keyspace.CHAT_PHONES, workspace, chat)
    if target.count(phones, contacts.PHONES_MAX) < contacts.PHONES_MAX:
        target.put_flag(key)
        target.put_flag(keyspace.phone_chat(workspace, digits, chat))
