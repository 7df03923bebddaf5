"""Long lists, read a page at a time: open windows, and what waits in the order of sending.

A page is one short read transaction, limited in what it returns, by count and by bytes, and in how
many records it reads, to a millisecond or two: a workspace with a million chats and one open window
takes many pages, not one long transaction. What is damaged is left out, and named in the daemon's
log, so that it hides nothing else. So a page may be short, or even empty, without being the
last. The last page is the one whose `position` is None. server/http/lists.py puts several together.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from heapq import merge
from typing import Generic, NamedTuple, TypeVar

import lmdb
import msgspec

from hookbundle.engine.windows.ends import Why
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Collecting, Window
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.settings import Webhook, Workspace
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.chats import names
from hookbundle.storage.reads.chats.names import UNNAMED, ChatName
from hookbundle.storage.reads.delivery_view import DeliveryView, delivery_of, is_erased
from hookbundle.storage.reads.workspace_view import (
    WebhookView,
    settings_of,
    view_in,
    webhook_of,
    webhooks_in,
)
from hookbundle.storage.tables import history, moving
from hookbundle.storage.tables.rules import ends

WAITING = (keyspace.QUEUED, keyspace.DEAD_LETTERS)  # what a list of deliveries may be of
ROWS_MOST = 64
READ_BYTES_MAX = 128 * 1024  # of the records of a page; the one that passes it is the last
PLACE_BYTES = 8  # of a webhook's number in a position
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


class OpenWindow(msgspec.Struct, frozen=True):
    """A chat's open window of a webhook, by its id; `messages` is a count.

    `number`: the webhook's. `name`: as of its newest message. `why`: what will end it then, in the
    words of a delivery's reason. `first`: the message that opened it left at once.
    """

    workspace_id: str
    webhook_id: str
    number: int
    chat_id: str
    opened_ms: int
    due_ms: int
    messages: int
    name: ChatName = UNNAMED
    why: Why = "time"
    first: bool = False


class ChatPlace(NamedTuple):
    """Where a page of windows ended: in this chat. `webhook`: 0 if all of the chat was looked at,
    or the number of the last webhook that was."""

    webhook: int
    chat: bytes

    def packed(self) -> bytes:
        return self.webhook.to_bytes(PLACE_BYTES, "big") + self.chat

    @classmethod
    def unpacked(cls, position: bytes) -> "ChatPlace":
        return cls(int.from_bytes(position[:PLACE_BYTES], "big"), position[PLACE_BYTES:])


class Listing:
    """Lists of one environment, from any thread."""

    def __init__(
        self, env: Environment, *, rows_most: int = ROWS_MOST, bytes_most: int = READ_BYTES_MAX
    ) -> None:
        self._env = env
        self._rows_most = rows_most
        self._bytes_most = bytes_most

    def windows(
        self,
        workspace_id: str,
        limit: int,
        position: bytes = b"",
        due_by_ms: int | None = None,
        webhook_ids: Collection[str] = (),
    ) -> Page[OpenWindow]:
        """Open windows of the workspace's webhooks of these ids, or of all of them.

        They are sorted by chat id, those of a chat by the age of their webhooks. `due_by_ms`: only
        those due by then. Raises: NotFound, also for an unknown webhook.
        """
        with self._env.read() as txn:
            settings = settings_of(txn, workspace_id)
            webhooks = {each.number: each for each in webhooks_in(txn, settings, webhook_ids)}
            found: list[OpenWindow] = []
            seen = read_bytes = 0
            place = ChatPlace.unpacked(position)
            chats = _chats_from(txn, settings.number, place)
            for seen, (key, value) in enumerate(chats, 1):
                read_bytes += len(value)
                record = damaged.without(key, value, ChatRecord)
                chat = key_fields.subject(key)
                after = place.webhook if chat == place.chat else 0
                for window in windows_in(workspace_id, chat, record, webhooks):
                    is_due = due_by_ms is None or window.due_ms <= due_by_ms
                    if window.number > after and is_due:
                        found.append(window)
                    if len(found) == limit:
                        return Page(found, ChatPlace(window.number, chat).packed(), seen)
                if self._is_enough(seen, read_bytes):
                    return Page(found, ChatPlace(0, chat).packed(), seen)
            return Page(found, None, seen)

    def windows_by_due(
        self, limit: int, position: bytes = b"", due_by_ms: int | None = None
    ) -> Page[OpenWindow]:
        """Open windows of all workspaces, sorted by due time, up to `due_by_ms` if given."""
        with self._env.read() as txn:
            found: list[OpenWindow] = []
            known: dict[int, tuple[Workspace, Webhook] | None] = {}  # those met so far
            prefix = keyspace.due_of(DueKind.WINDOW)
            seen = read_bytes = 0
            for seen, (key, _) in enumerate(_after(txn, prefix, position), 1):
                row = key_fields.due(key)
                if due_by_ms is not None and row.at_ms > due_by_ms:
                    break
                if row.number not in known:
                    known[row.number] = webhook_of(txn, row.number)
                owner = known[row.number]
                if owner is not None:
                    settings, webhook = owner
                    window, size = window_of(txn, settings.id, webhook, row.subject)
                    read_bytes += size
                    found += [window] if window else []
                if len(found) == limit or self._is_enough(seen, read_bytes):
                    return Page(found, key.removeprefix(prefix), seen)
            return Page(found, None, seen)

    def deliveries(
        self,
        workspace_id: str,
        prefixes: tuple[bytes, ...],
        limit: int,
        position: bytes = b"",
        webhook_ids: Collection[str] = (),
    ) -> Page[DeliveryView]:
        """Deliveries under DEAD_LETTERS, QUEUED or both, in this order, each oldest first.

        Those of the webhooks of these ids, or of all. Raises: NotFound, also for an unknown one.
        """
        with self._env.read() as txn:
            view = view_in(txn, workspace_id)
            found: list[DeliveryView] = []
            owner, webhooks = view.settings.number, view.chosen(webhook_ids)
            seen = size = 0
            for prefix in sorted(prefixes):
                if prefix < position[:1]:
                    continue
                after = int.from_bytes(position[1:9], "big") if position[:1] == prefix else 0
                for number, at in _in_order(txn, webhooks, prefix, after):
                    seen += 1
                    webhook, state = webhooks[at].webhook, webhooks[at].state
                    key = history.key_of(webhook.number, number)
                    value = rows.get_raw(txn, key)
                    delivery = None if value is None else damaged.without(key, value, Delivery)
                    if delivery is not None and not is_erased(txn, view.usage, owner, delivery):
                        found.append(delivery_of(workspace_id, webhook, state, delivery))
                        size += len(delivery.chat_id) + len(delivery.last_error) + FLAT_BYTES
                    if len(found) == limit or self._is_enough(seen, size):
                        return Page(found, prefix + number.to_bytes(8, "big"), seen, size)
            return Page(found, None, seen, size)

    def _is_enough(self, seen: int, read_bytes: int) -> bool:
        return seen >= self._rows_most or read_bytes >= self._bytes_most


def _after(txn: lmdb.Transaction, prefix: bytes, position: bytes) -> Iterator[tuple[bytes, bytes]]:
    return rows.rows(txn, prefix, prefix + position if position else b"")


def _chats_from(
    txn: lmdb.Transaction, workspace: int, place: ChatPlace
) -> Iterator[tuple[bytes, bytes]]:
    """The workspace's chats from the place on: its own one too, if that is not done."""
    prefix = keyspace.owned(keyspace.CHATS, workspace)
    value = rows.get_raw(txn, prefix + place.chat) if place.webhook else None
    if value is not None:
        yield prefix + place.chat, value
    yield from _after(txn, prefix, place.chat)


def _in_order(
    txn: lmdb.Transaction, webhooks: tuple[WebhookView, ...], prefix: bytes, after: int
) -> Iterator[tuple[int, int]]:
    """Numbers of deliveries after that one, each with its webhook's place: the oldest first."""

    def walk(place: int, each: WebhookView) -> Iterator[tuple[int, int]]:
        of_all = partial(rows.rows, txn)
        for number in moving.numbers(of_all, each.state, each.webhook.number, prefix, after):
            yield number, place

    return merge(*(walk(place, each) for place, each in enumerate(webhooks)))


def windows_in(
    workspace_id: str, chat: bytes, record: ChatRecord | None, webhooks: Mapping[int, Webhook]
) -> list[OpenWindow]:
    """The chat's open windows of these webhooks, that of the oldest webhook first."""
    found = [
        open_window(workspace_id, webhooks[each.webhook], chat, each, each.window)
        for each in (record.collecting if record else ())
        if each.window is not None and each.webhook in webhooks
    ]
    return sorted(found, key=lambda each: each.number) if len(found) > 1 else found


def window_of(
    txn: lmdb.Transaction, workspace_id: str, webhook: Webhook, chat: bytes
) -> tuple[OpenWindow | None, int]:
    """The chat's open window of the webhook, and the bytes that were read."""
    key = keyspace.owned(keyspace.CHATS, webhook.workspace, chat)
    value = rows.get_raw(txn, key)
    record = damaged.without(key, value, ChatRecord) if value is not None else None
    of = record.of(webhook.number) if record else None
    if of is None or of.window is None:
        return None, len(value or b"")
    return open_window(workspace_id, webhook, chat, of, of.window), len(value or b"")


def open_window(
    workspace_id: str, webhook: Webhook, chat: bytes, collecting: Collecting, window: Window
) -> OpenWindow:
    """The window, which is that of `collecting`, as it is shown in lists."""
    return OpenWindow(
        workspace_id=workspace_id,
        webhook_id=webhook.id,
        number=webhook.number,
        chat_id=chat.decode(),
        opened_ms=window.opened_ms,
        due_ms=window.due_ms,
        messages=window.count,
        name=names.of_json(window.chat),
        why=ends.why_of(webhook, collecting, window),
        first=window.first > 0,
    )
