"""What chats are called: the name and the phone of the customer, as of the newest message.

They stand in the chat's open window, or in the head of its newest delivery. A chat that has neither
is known by its id alone.
"""

from collections.abc import Iterable
from typing import NamedTuple

import lmdb
import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.delivery_view import erased_before
from hookbundle.storage.tables import contacts, history


class ChatName(NamedTuple):
    """`phone` as it came. `is_group`: False where it is not known."""

    name: str = ""
    phone: str = ""
    is_group: bool = False


class _Chat(msgspec.Struct, frozen=True, gc=False):
    full_name: str | None = ""
    phone: str | None = ""
    is_group: bool = False


UNNAMED = ChatName()
PHONE_DIGITS_MIN = 5  # of fewer it is a part of a name
WRITTEN_IN_PHONES = frozenset("0123456789+-()./ \u00a0\u200e\u202a\u202c")
_decoder = msgspec.json.Decoder(_Chat)


def has(chat_id: str, name: ChatName, words: str) -> bool:
    """Whether the words, in casefold, are a part of the id, the name or the phone.

    A phone is the same however its digits are written, and with 00 for the plus sign.
    """
    texts = (chat_id, name.name, name.phone)
    if any(words in text.casefold() for text in texts):
        return True
    digits = phone_digits(words)
    return bool(digits) and digits.removeprefix(b"00") in contacts.digits_of(name.phone)


def phone_digits(words: str) -> bytes:
    """The digits of the words, if these may be a phone."""
    digits = contacts.digits_of(words)
    is_one = len(digits) >= PHONE_DIGITS_MIN and set(words) <= WRITTEN_IN_PHONES
    return digits if is_one else b""


def of_json(chat: bytes) -> ChatName:
    """Of the chat's JSON in a window; without a name if it is empty or can't be read."""
    if not chat:
        return UNNAMED
    try:
        found = _decoder.decode(chat)
    except msgspec.DecodeError:
        return UNNAMED
    return ChatName(found.full_name or "", found.phone or "", found.is_group)


def of_chat(txn: lmdb.Transaction, workspace: int, chat: bytes) -> ChatName:
    """Damaged records are passed over, and named in the daemon's log."""
    try:
        record = rows.get(txn, keyspace.owned(keyspace.CHATS, workspace, chat), ChatRecord)
    except CorruptRecord as exc:
        damaged.say(exc)
        record = None
    for collecting in record.collecting if record else ():
        if collecting.window is not None and collecting.window.chat:
            return of_json(collecting.window.chat)
    newest = newest_delivery(txn, workspace, chat)
    return ChatName(newest.chat_name, newest.phone) if newest else UNNAMED


def newest_delivery(txn: lmdb.Transaction, workspace: int, chat: bytes) -> Delivery | None:
    """The head of the chat's newest delivery; None without one, or if it is damaged or erased."""
    if len(chat) > limits.CHAT_ID_BYTES_MAX:
        return None
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, workspace, chat)
    last = next(rows.rows_before(txn, prefix, prefix + b"\xff"), None)
    if last is None:
        return None
    number, webhook = key_fields.chat_delivery(last[0])
    try:
        found = rows.get(txn, history.key_of(webhook, number), Delivery)
        is_erased = found is not None and number < erased_before(txn, workspace, chat)
    except CorruptRecord as exc:
        damaged.say(exc)
        return None
    return None if is_erased else found


class ChatNames:
    """Of one environment, from any thread."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def of(self, workspace: int, chats: Iterable[str]) -> dict[str, ChatName]:
        """The names of chats of the workspace with that number; a few dozen at a time."""
        with self._env.read() as txn:
            return {chat: of_chat(txn, workspace, chat.encode()) for chat in set(chats) if chat}
