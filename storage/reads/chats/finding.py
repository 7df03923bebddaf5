"""Chats found by what somebody has of them: the id, a phone of the customer, a part of the name.

The id is looked up, and the phone among those of chats with deliveries. For the name there is no
index, nor for the phone of a chat that collects for it and has no delivery with it: the chats are
walked past, one look-up for each, a bounded number for a page; what follows is another page. A chat
is there while it has a delivery or an open window.
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
from hookbundle.storage.tables import contacts

CHATS_A_SLICE = 128
CHATS_MOST = 20_000  # looked at for one page
OF_A_PHONE_MOST = 50
COLLECTING = keyspace.PHONE_CHATS  # of a place: those that collect for the phone


class FoundChat(NamedTuple):
    chat_id: str
    name: ChatName
    is_collecting: bool


@dataclass(slots=True)
class ChatSearch:
    """A page of chats. `read_on()` reads a slice; True as long as the page needs another one.

    `position`: where the page begins, and in the end where the next one does; None after the last.
    """

    env: Environment
    workspace_id: str
    text: str
    limit: int
    position: bytes | None = b""
    found: list[FoundChat] = field(default_factory=list)
    _seen: int = 0

    def read_on(self) -> bool:
        """Raises: NotFound."""
        with self.env.read() as txn:
            view = view_in(txn, self.workspace_id)
            if not self.position:
                self._look_up(txn, view)
                if self.found and not self._may_collect(view):
                    self.position = None
                    return False
                self.position = COLLECTING if self.found else keyspace.CHAT_DELIVERIES
            return self._walk(txn, view)

    def _may_collect(self, view: WorkspaceView) -> bool:
        """Whether more chats may have the text for their phone than those that were looked up."""
        is_phone = bool(names.phone_digits(self.text))
        return is_phone and any(each.state.windows for each in view.webhooks)

    def _look_up(self, txn: lmdb.Transaction, view: WorkspaceView) -> None:
        workspace, chat = view.settings.number, self.text.encode()
        found = [chat] if len(chat) <= limits.CHAT_ID_BYTES_MAX else []
        found += _of_phone(txn, workspace, self.text)
        for each in dict.fromkeys(found):
            shown = _shown(txn, view, each)
            if shown is not None:
                self.found.append(shown)

    def _walk(self, txn: lmdb.Transaction, view: WorkspaceView) -> bool:
        assert self.position is not None
        looked_up = self._looked_up(txn, view) if self.position[:1] == COLLECTING else set()
        for seen, place in enumerate(_places(txn, view.settings.number, self.position), 1):
            self.position = place
            shown = _shown(txn, view, place[1:])
            if shown is not None and self._is_wanted(txn, view, place, shown, looked_up):
                self.found.append(shown)
            self._seen += 1
            if len(self.found) >= self.limit or self._seen >= CHATS_MOST:
                return False
            if seen == CHATS_A_SLICE:
                return True
        self.position = None
        return False

    def _looked_up(self, txn: lmdb.Transaction, view: WorkspaceView) -> set[bytes]:
        """Those of the first page."""
        return {self.text.encode(), *_of_phone(txn, view.settings.number, self.text)}

    def _is_wanted(
        self,
        txn: lmdb.Transaction,
        view: WorkspaceView,
        place: bytes,
        shown: FoundChat,
        looked_up: set[bytes],
    ) -> bool:
        """Whether the text is in it, and this is its place: each chat is found once."""
        letter, chat = place[:1], place[1:]
        if letter == COLLECTING:
            if not shown.is_collecting or chat in looked_up:
                return False
            bare = _bare_of(self.text)
            return bool(bare) and _bare(contacts.digits_of(shown.name.phone)) == bare
        if letter == keyspace.CHATS and _has_delivery(txn, view.settings.number, chat):
            return False  # it was met among those with deliveries
        return names.has(shown.chat_id, shown.name, self.text.casefold())


def _places(txn: lmdb.Transaction, workspace: int, position: bytes) -> Iterator[bytes]:
    """A letter and a chat each, after the position: first those with deliveries, then all others
    that may have a window; only the latter if the position has the letter COLLECTING."""
    letter, after = position[:1], position[1:]
    others = COLLECTING if letter == COLLECTING else keyspace.CHATS
    if letter == keyspace.CHAT_DELIVERIES:
        for chat in _with_deliveries(txn, workspace, after):
            yield keyspace.CHAT_DELIVERIES + chat
        after = b""
    prefix = keyspace.owned(keyspace.CHATS, workspace)
    for key, _ in rows.rows(txn, prefix, prefix + after if after else b""):
        yield others + key_fields.subject(key)


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
    bare, found = _bare_of(text), list[bytes]()
    for digits in (bare, b"00" + bare) if bare else ():
        prefix = keyspace.of_chat(keyspace.PHONE_CHATS, workspace, digits)
        found += [key[len(prefix) :] for key in rows.first_of(txn, prefix, OF_A_PHONE_MOST)]
    return found


def _bare_of(text: str) -> bytes:
    """The phone's digits, with 00 or without; empty if the text is none."""
    return _bare(names.phone_digits(text))


def _bare(digits: bytes) -> bytes:
    return digits.removeprefix(b"00")


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
