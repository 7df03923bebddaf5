"""Long lists, read a page at a time: open windows, and what waits in the order of sending.

A page is one short read transaction, limited in what it returns, by count and by bytes, and in how
many records it reads, to a millisecond or two: a workspace with a million chats and one open window
takes many pages, not one long transaction. What is damaged is left out, and named in the daemon's
log, so that it hides nothing else. So a page may be short, or even empty, without being the
last. The last page is the one whose `position` is None. server/http/lists.py puts several together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import lmdb

from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Window
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.chats import names
from hookbundle.storage.reads.chats.names import UNNAMED, ChatName
from hookbundle.storage.reads.delivery_view import DeliveryView, delivery_of, is_erased
from hookbundle.storage.reads.lookup import owner_of
from hookbundle.storage.reads.workspace_view import view_in
from hookbundle.storage.tables import history, moving

WAITING = (keyspace.QUEUED, keyspace.DEAD_LETTERS)  # what a list of deliveries may be of
ROWS_MOST = 64
READ_BYTES_MAX = 128 * 1024  # of the records of a page; the one that passes it is the last
FLAT_BYTES = 512  # of a delivery in a list, beside its texts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`position`: where the next page begins, for the same call; None after the last page.

    `seen`: how many records were looked at. `size`: bytes of what is shown, where they may be many.
    `reached_ms`: the time of the last one looked at, in a list that is sorted by time; else 0.
    """

    found: list[T]
    position: bytes | None
    seen: int = 0
    size: int = 0
    reached_ms: int = 0


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A chat's open window; `messages` is a count. `name`: as of its newest message."""

    workspace_id: str
    chat_id: str
    opened_ms: int
    due_ms: int
    messages: int
    name: ChatName = UNNAMED


class Listing:
    """Lists of one environment, from any thread."""

    def __init__(
        self, env: Environment, *, rows_most: int = ROWS_MOST, bytes_most: int = READ_BYTES_MAX
    ) -> None:
        self._env = env
        self._rows_most = rows_most
        self._bytes_most = bytes_most

    def windows(
        self, workspace_id: str, limit: int, position: bytes = b"", due_by_ms: int | None = None
    ) -> Page[OpenWindow]:
        """The workspace's open windows, sorted by chat id; those due by `due_by_ms`, if given.

        Raises: NotFound.
        """
        with self._env.read() as txn:
            number = view_in(txn, workspace_id).webhook.number
            prefix = keyspace.owned(keyspace.CHATS, number)
            found: list[OpenWindow] = []
            seen = read_bytes = 0
            for seen, (key, value) in enumerate(_after(txn, prefix, position), 1):
                read_bytes += len(value)
                record = damaged.without(key, value, ChatRecord)
                window = record.window_of(number) if record else None
                chat = key_fields.subject(key)
                if window and (due_by_ms is None or window.due_ms <= due_by_ms):
                    found.append(open_window(workspace_id, chat, window))
                if len(found) == limit or self._is_enough(seen, read_bytes):
                    return Page(found, chat, seen)
            return Page(found, None, seen)

    def windows_by_due(
        self, limit: int, position: bytes = b"", due_by_ms: int | None = None
    ) -> Page[OpenWindow]:
        """Open windows of all workspaces, sorted by due time, up to `due_by_ms` if given."""
        with self._env.read() as txn:
            found: list[OpenWindow] = []
            names: dict[int, tuple[int, str]] = {}  # those found so far
            prefix = keyspace.due_of(DueKind.WINDOW)
            seen = read_bytes = 0
            for seen, (key, _) in enumerate(_after(txn, prefix, position), 1):
                row = key_fields.due(key)
                if due_by_ms is not None and row.at_ms > due_by_ms:
                    break
                if row.number not in names:
                    names[row.number] = owner_of(txn, row.number)
                owner, name = names[row.number]
                chat_key = keyspace.owned(keyspace.CHATS, owner, row.subject)
                value = rows.get_raw(txn, chat_key) if name else None
                read_bytes += len(value or b"")
                record = damaged.without(chat_key, value, ChatRecord) if value is not None else None
                window = record.window_of(row.number) if record else None
                if window:
                    found.append(open_window(name, row.subject, window))
                if len(found) == limit or self._is_enough(seen, read_bytes):
                    return Page(found, key.removeprefix(prefix), seen)
            return Page(found, None, seen)

    def deliveries(
        self, workspace_id: str, prefixes: tuple[bytes, ...], limit: int, position: bytes = b""
    ) -> Page[DeliveryView]:
        """Deliveries under DEAD_LETTERS, QUEUED or both, in this order, each oldest first.

        Raises: NotFound.
        """
        with self._env.read() as txn:
            view = view_in(txn, workspace_id)
            found: list[DeliveryView] = []
            owner, webhook = view.settings.number, view.webhook.number
            seen = size = 0
            for prefix in sorted(prefixes):
                if prefix < position[:1]:
                    continue
                after = int.from_bytes(position[1:9], "big") if position[:1] == prefix else 0
                of_all = partial(rows.rows, txn)
                for number in moving.numbers(of_all, view.state, webhook, prefix, after):
                    seen += 1
                    key = history.key_of(webhook, number)
                    value = rows.get_raw(txn, key)
                    delivery = None if value is None else damaged.without(key, value, Delivery)
                    if delivery is not None and not is_erased(txn, view.usage, owner, delivery):
                        found.append(delivery_of(workspace_id, view.webhook, view.state, delivery))
                        size += len(delivery.chat_id) + len(delivery.last_error) + FLAT_BYTES
                    if len(found) == limit or self._is_enough(seen, size):
                        return Page(found, prefix + number.to_bytes(8, "big"), seen, size)
            return Page(found, None, seen, size)

    def _is_enough(self, seen: int, read_bytes: int) -> bool:
        return seen >= self._rows_most or read_bytes >= self._bytes_most


def _after(txn: lmdb.Transaction, prefix: bytes, position: bytes) -> Iterator[tuple[bytes, bytes]]:
    return rows.rows(txn, prefix, prefix + position if position else b"")


def open_window(workspace_id: str, chat: bytes, window: Window) -> OpenWindow:
    """The window as it is shown in lists."""
    return OpenWindow(
        workspace_id=workspace_id,
        chat_id=chat.decode(),
        opened_ms=window.opened_ms,
        due_ms=window.due_ms,
        messages=window.count,
        name=names.of_json(window.chat),
    )
