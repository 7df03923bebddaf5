"""A workspace's open windows in the order in which they fall due, found by what people know.

The due index has the windows of all workspaces, sorted by time. The page of a workspace that has
many of them is read from it. For one that has few it would mean to walk past those of all others,
and to pay for what they have: then the workspace's own chats are looked through instead, and the
few windows sorted. The order and the positions are the same, so a workspace may change from one to
the other between two pages.

Each slice is a short read transaction. A walk looks at a bounded number of rows; a page that ends
before it is full says where the next one goes on.
"""

from dataclasses import dataclass, field

import lmdb

from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.chats import names
from hookbundle.storage.reads.listing import OpenWindow, window_of, windows_in
from hookbundle.storage.reads.workspace_view import view_in

FEW = 2_000  # open windows; so many are sorted in a millisecond or two
ROWS_A_SLICE = 4_096  # of others, 0.3 microseconds each
RECORDS_A_SLICE = 64
RECORD_BYTES_A_SLICE = 128 * 1024
CHATS_MOST = 50_000  # of its own that are looked through for a workspace with few windows
ROWS_MOST = 500_000  # of the index, for one page

PREFIX = keyspace.due_of(DueKind.WINDOW)


@dataclass(slots=True)
class DueOrder:
    """A page of them. `read_on()` reads a slice; True as long as the page needs another one.

    `words`: casefolded; those are found whose chat's id, name or phone contains them. `position`:
    where the page begins, and in the end where the next one does; None after the last one.
    `webhook_ids`: of these webhooks; none: of all.
    """

    env: Environment
    workspace_id: str
    limit: int
    position: bytes | None = b""
    words: str = ""
    due_by_ms: int | None = None
    webhook_ids: tuple[str, ...] = ()
    found: list[OpenWindow] = field(default_factory=list)
    _walked: int = 0
    _from_chats: bool | None = None
    _after_chat: bytes = b""
    _sorted: list[tuple[bytes, OpenWindow]] = field(default_factory=list)

    def read_on(self) -> bool:
        """Raises: NotFound, also for an unknown webhook."""
        with self.env.read() as txn:
            found = view_in(txn, self.workspace_id).chosen(self.webhook_ids)
            if self._from_chats is None:
                self._from_chats = sum(each.state.windows for each in found) <= FEW
            webhooks = {each.webhook.number: each.webhook for each in found}
            if self._from_chats:
                return self._look_through(txn, webhooks)
            return self._walk(txn, webhooks)

    def _walk(self, txn: lmdb.Transaction, webhooks: dict[int, Webhook]) -> bool:
        """Along the due index, past the windows of others."""
        records = size = 0
        after = PREFIX + self.position if self.position else b""
        for seen, (key, _) in enumerate(rows.rows(txn, PREFIX, after), 1):
            row = key_fields.due(key)
            if self.due_by_ms is not None and row.at_ms > self.due_by_ms:
                break
            self.position = key.removeprefix(PREFIX)
            webhook = webhooks.get(row.number)
            if webhook is not None:
                records += 1
                size += self._take(txn, webhook, row.subject)
                if len(self.found) == self.limit:
                    return False
            if seen == ROWS_A_SLICE or records == RECORDS_A_SLICE or size > RECORD_BYTES_A_SLICE:
                self._walked += seen
                return self._walked < ROWS_MOST
        self.position = None
        return False

    def _take(self, txn: lmdb.Transaction, webhook: Webhook, chat: bytes) -> int:
        """The chat's window is found, if the words are in it. Returns the bytes that were read."""
        window, size = window_of(txn, self.workspace_id, webhook, chat)
        if window is not None:
            self.found += [window] if self._is_meant(window) else []
        return size

    def _look_through(self, txn: lmdb.Transaction, webhooks: dict[int, Webhook]) -> bool:
        """All chats of the workspace, in the order of their ids; the first due of them are kept."""
        workspace = next(iter(webhooks.values())).workspace
        prefix = keyspace.owned(keyspace.CHATS, workspace)
        after = prefix + self._after_chat if self._after_chat else b""
        for seen, (key, value) in enumerate(rows.rows(txn, prefix, after), 1):
            chat = key_fields.subject(key)
            record = damaged.without(key, value, ChatRecord)
            for window in windows_in(self.workspace_id, chat, record, webhooks):
                due = Due(window.due_ms, DueKind.WINDOW, window.number, chat)
                place = keyspace.due(due).removeprefix(PREFIX)
                is_due = self.due_by_ms is None or window.due_ms <= self.due_by_ms
                if is_due and place > (self.position or b"") and self._is_meant(window):
                    self._sorted.append((place, window))
            if seen == RECORDS_A_SLICE:
                self._after_chat = chat
                return self._has_looked(seen)
        self._sort()
        is_last = len(self._sorted) <= self.limit
        self.found = [shown for _, shown in self._sorted[: self.limit]]
        self.position = None if is_last else self._sorted[self.limit - 1][0]
        return False

    def _has_looked(self, seen: int) -> bool:
        """At so many more chats. Past the bound the index is walked after all."""
        self._walked += seen
        if len(self._sorted) > self.limit + FEW:
            self._sort()
        if self._walked >= CHATS_MOST:
            self._from_chats, self._walked = False, 0
        return True

    def _sort(self) -> None:
        self._sorted.sort(key=lambda each: each[0])
        del self._sorted[self.limit + 1 :]

    def _is_meant(self, window: OpenWindow) -> bool:
        return not self.words or names.has(window.chat_id, window.name, self.words)
