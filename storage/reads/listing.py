"""Long lists, read a page at a time: open windows, and deliveries that are not delivered yet.

A page is one short read transaction, limited both in what it returns and in how many records it
reads: a workspace with a million chats and one open window takes several pages, not one long
transaction. So a page may be short, or even empty, without being the last. The last page is the one
whose `position` is None.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import lmdb

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Window
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import Delivery, WebhookState, Workspace, WorkspaceName
from hookbundle.storage.tables import queue

ROWS_MOST = 2_000
BYTES_MOST = 4 * 1024 * 1024  # of deliveries; a page ends with the one that exceeds it

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`position`: where the next page begins, for the same call; None after the last page."""

    found: list[T]
    position: bytes | None


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A chat's open window; `messages` is a count."""

    workspace_id: str
    chat_id: str
    opened_ms: int
    due_ms: int
    messages: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery, which is queued or a dead letter, and the state of its webhook."""

    id: str
    workspace_id: str
    dead_letter: bool
    delivery: Delivery
    webhook: WebhookState


class Listing:
    """Lists of one environment, from any thread."""

    def __init__(
        self, env: Environment, *, rows_most: int = ROWS_MOST, bytes_most: int = BYTES_MOST
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
            prefix = keyspace.owned(keyspace.CHATS, _workspace(txn, workspace_id).number)
            found: list[OpenWindow] = []
            for seen, (key, value) in enumerate(_after(txn, prefix, position), 1):
                window = codec.unpack(key, value, ChatRecord).window
                chat = keyspace.parse_subject(key)
                if window and (due_by_ms is None or window.due_ms <= due_by_ms):
                    found.append(_open_window(workspace_id, chat, window))
                if len(found) == limit or seen == self._rows_most:
                    return Page(found, chat)
            return Page(found, None)

    def windows_by_due(
        self, limit: int, position: bytes = b"", due_by_ms: int | None = None
    ) -> Page[OpenWindow]:
        """Open windows of all workspaces, sorted by due time, up to `due_by_ms` if given."""
        with self._env.read() as txn:
            found: list[OpenWindow] = []
            names: dict[int, str] = {}
            for seen, (key, _) in enumerate(_after(txn, keyspace.DUES, position), 1):
                row = keyspace.parse_due(key)
                if due_by_ms is not None and row.at_ms > due_by_ms:
                    break
                if row.kind is DueKind.WINDOW:
                    chat_key = keyspace.owned(keyspace.CHATS, row.number, row.subject)
                    record = rows.get(txn, chat_key, ChatRecord)
                    name = _name(txn, row.number, names)
                    if record and record.window and name:
                        found.append(_open_window(name, row.subject, record.window))
                if len(found) == limit or seen == self._rows_most:
                    return Page(found, key.removeprefix(keyspace.DUES))
            return Page(found, None)

    def deliveries(
        self, workspace_id: str, prefixes: tuple[bytes, ...], limit: int, position: bytes = b""
    ) -> Page[Waiting]:
        """Deliveries under DEAD_LETTERS, QUEUED or both, in this order, each oldest first.

        Their bodies are left out: a page of them would be too large.

        Raises: NotFound.
        """
        with self._env.read() as txn:
            workspace = _workspace(txn, workspace_id)
            webhook = _webhook(txn, workspace.number)
            found: list[Waiting] = []
            size = 0
            for prefix in sorted(prefixes):
                if prefix < position[:1]:
                    continue
                start = position[1:] if position[:1] == prefix else b""
                owned = keyspace.owned(prefix, workspace.number)
                for key, value in _after(txn, owned, start):
                    delivery = codec.unpack(key, value, Delivery)
                    delivery.body = b""
                    found.append(self._waiting(workspace, webhook, prefix, delivery))
                    size += len(value)
                    if len(found) == limit or size > self._bytes_most:
                        return Page(found, prefix + keyspace.parse_subject(key))
            return Page(found, None)

    def delivery(self, delivery_id: str, workspace_id: str = "") -> Waiting:
        """The delivery with its body.

        Raises: NotFound if it is not stored, or if it is not a delivery of the given workspace.
        """
        _, number, delivery_number = queue.parse_delivery_id(delivery_id)
        with self._env.read() as txn:
            name = _name(txn, number, {})
            if name and workspace_id in ("", name):
                workspace = _workspace(txn, name)
                for prefix in (keyspace.QUEUED, keyspace.DEAD_LETTERS):
                    key = keyspace.owned_numbered(prefix, number, delivery_number)
                    delivery = rows.get(txn, key, Delivery)
                    # The whole id is compared: another epoch may have had the same number.
                    if delivery and queue.delivery_id(number, delivery) == delivery_id:
                        return self._waiting(workspace, _webhook(txn, number), prefix, delivery)
        raise NotFound(
            f"delivery {delivery_id!r} not found: it was delivered or discarded, or belongs to "
            "another workspace"
        )

    def _waiting(
        self, workspace: Workspace, webhook: WebhookState, prefix: bytes, delivery: Delivery
    ) -> Waiting:
        return Waiting(
            id=queue.delivery_id(workspace.number, delivery),
            workspace_id=workspace.id,
            dead_letter=prefix == keyspace.DEAD_LETTERS,
            delivery=delivery,
            webhook=webhook,
        )


def _after(txn: lmdb.Transaction, prefix: bytes, position: bytes) -> Iterator[tuple[bytes, bytes]]:
    return rows.rows(txn, prefix, prefix + position if position else b"")


def _open_window(workspace_id: str, chat: bytes, window: Window) -> OpenWindow:
    return OpenWindow(
        workspace_id=workspace_id,
        chat_id=chat.decode(),
        opened_ms=window.opened_ms,
        due_ms=window.due_ms,
        messages=window.count,
    )


def _workspace(txn: lmdb.Transaction, workspace_id: str) -> Workspace:
    found = rows.get(txn, keyspace.workspace(workspace_id), Workspace)
    if found is None:
        raise NotFound(f"there is no workspace {workspace_id!r}")
    return found


def _webhook(txn: lmdb.Transaction, number: int) -> WebhookState:
    return rows.get(txn, keyspace.owned(keyspace.STATES, number), WebhookState) or WebhookState()


def _name(txn: lmdb.Transaction, number: int, known: dict[int, str]) -> str:
    """The id of the workspace with that number; empty if it was deleted."""
    if number not in known:
        key = keyspace.owned(keyspace.NAMES, number)
        found = rows.get(txn, key, WorkspaceName)
        known[number] = found.id if found else ""
    return known[number]
