"""Chats found by what somebody has of them: the id, a phone of the customer, a part of the name.

The id is looked up, and the phone among those of chats with deliveries. For the name there is no
index, nor for the phone of a chat that only collects: the chats are walked past, one look-up for
each, a bounded number for a page; what follows is another page. A chat is there while it has a
delivery or an open window.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import lmdb

from hookbundle.engine import limits
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.chats import names
from hookbundle.storage.reads.chats.names import ChatName
from hookbundle.storage.reads.workspace_view import WorkspaceView, view_in

CHATS_A_SLICE = 128
CHATS_MOST = 20_000  # looked at for one page
OF_A_PHONE_MOST = 50


class FoundChat(NamedTuple):
    chat_id: str
    name: ChatName
    is_collecting: bool


@dataclass(slots=True)
class ChatSearch:
    """A page of chats. `read_on()` reads a slice; True as long as the page needs another one.

    `position`: where the page begins, and in the end where the next one does; None after the last.
    `exact`: the id or the phone is that of the first ones found, without a look at names.
    """

    env: Environment
    workspace_id: str
    text: str
    limit: int
    position: bytes | None = b""
    found: list[FoundChat] = field(default_factory=list)
    exact: bool = False
    _seen: int = 0

    def read_on(self) -> bool:
        """Raises: NotFound."""
        with self.env.read() as txn:
            view = view_in(txn, self.workspace_id)
            if not self.position:
                self._look_up(txn, view)
                if self.exact:
                    self.position = None
                    return False
                self.position = keyspace.CHAT_DELIVERIES
            return self._walk(txn, view)

    def _look_up(self, txn: lmdb.Transaction, view: WorkspaceView) -> None:
        workspace, chat = view.settings.number, self.text.encode()
        found = [chat] if len(chat) <= limits.CHAT_ID_BYTES_MAX else []
        found += _of_phone(txn, workspace, self.text)
        for each in dict.fromkeys(found):
            shown = _shown(txn, view, each)
            if shown is not None:
                self.found.append(shown)
        self.exact = bool(self.found)

    def _walk(self, txn: lmdb.Transaction, view: WorkspaceView) -> bool:
        words = self.text.casefold()
        assert self.position is not None
        for seen, place in enumerate(_places(txn, view.settings.number, self.position), 1):
            self.position = place
            shown = _shown(txn, view, place[1:])
            # Of a chat with deliveries this is not the place: it was met among those.
            is_here = place[:1] == keyspace.CHAT_DELIVERIES or not _has_delivery(
                txn, view.settings.number, place[1:]
            )
            if shown is not None and is_here and names.has(shown.chat_id, shown.name, words):
                self.found.append(shown)
            self._seen += 1
            if len(self.found) >= self.limit or self._seen >= CHATS_MOST:
                return False
            if seen == CHATS_A_SLICE:
                return True
        self.position = None
        return False


def _places(txn: lmdb.Transaction, workspace: int, position: bytes) -> Iterator[bytes]:
    """A letter and a chat each, after the position: first those with deliveries, then all others
    that may have a window."""
    letter, after = position[:1], position[1:]
    if letter == keyspace.CHAT_DELIVERIES:
        for chat in _with_deliveries(txn, workspace, after):
            yield keyspace.CHAT_DELIVERIES + chat
        after = b""
    prefix = keyspace.owned(keyspace.CHATS, workspace)
    for key, _ in rows.rows(txn, prefix, prefix + after if after else b""):
        yield keyspace.CHATS + key_fields.subject(key)


def _with_deliveries(txn: lmdb.Transaction, workspace: int, after: bytes) -> Iterator[bytes]:
    """The chats with deliveries, each once, after that one."""
    prefix = keyspace.owned(keyspace.CHAT_DELIVERIES, workspace)
    start = keyspace.of_chat(keyspace.CHAT_DELIVERIES, workspace, after) if after else prefix
    while True:
        last = start + b"\xff" if start != prefix else b""
        row = next(rows.rows(txn, prefix, last), None)
        if row is None:
            return
        _, chat, _ = key_fields.of_chat(row[0])
        start = keyspace.of_chat(keyspace.CHAT_DELIVERIES, workspace, chat)
        yield chat


def _of_phone(txn: lmdb.Transaction, workspace: int, text: str) -> list[bytes]:
    """The chats that have had this phone, however it is written."""
    digits = names.phone_digits(text)
    if not digits:
        return []
    prefix = keyspace.of_chat(keyspace.PHONE_CHATS, workspace, digits)
    return [key[len(prefix) :] for key in rows.first_of(txn, prefix, OF_A_PHONE_MOST)]


def _shown(txn: lmdb.Transaction, view: WorkspaceView, chat: bytes) -> FoundChat | None:
    """The chat, if it has a delivery or an open window."""
    key = keyspace.owned(keyspace.CHATS, view.settings.number, chat)
    value = rows.get_raw(txn, key)
    record = damaged.without(key, value, ChatRecord) if value is not None else None
    is_collecting = record is not None and record.is_collecting()
    newest = names.newest_delivery(txn, view.settings.number, chat)
    if newest is None and not is_collecting:
        return None
    return FoundChat(chat.decode(), names.of_chat(txn, view.settings.number, chat), is_collecting)


def _has_delivery(txn: lmdb.Transaction, workspace: int, chat: bytes) -> bool:
    return names.newest_delivery(txn, workspace, chat) is not None
