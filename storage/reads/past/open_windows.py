"""The open windows of a workspace that have its newest messages."""

import heapq
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import islice

import lmdb
import msgspec

from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Member, Part, Window
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.workspace_view import settings_of, state_in

FEW = 2_000  # open windows of a workspace; with more of them its chats are not looked through
CHATS_MOST = 50_000
INDEX_ROWS_MOST = 100_000  # of windows of all workspaces
CHATS_A_STEP = 256
INDEX_ROWS_A_STEP = 4_096


class Opened(msgspec.Struct, frozen=True):
    """An open window. `arrived_ms`: when its newest message came."""

    workspace: int
    webhook: int
    chat: bytes
    arrived_ms: int
    window: Window

    def members(self, txn: lmdb.Transaction) -> Iterator[Member]:
        """The newest first; a part is read when those after it are not enough."""
        yield from reversed(self.window.tail)
        for number in reversed(range(self.window.parts)):
            key = keyspace.part(self.workspace, self.chat, self.webhook, number)
            value = rows.get_raw(txn, key)
            part = None if value is None else damaged.without(key, value, Part)
            if part is None:  # sealed meanwhile, or damaged
                return
            yield from reversed(part.members)


@dataclass(slots=True)
class OpenWindows:
    """`searched_to_ms`: windows that were opened before were not looked at; 0 if all were."""

    env: Environment
    workspace_id: str
    most: int
    searched_to_ms: int = 0
    _found: list[Opened] = field(default_factory=list)
    _by_rule: bool = False

    def read(self) -> Generator[None, None, list[Opened]]:
        """The `most` newest messages are in these, which are sorted by their newest ones.

        Yields after each read transaction. Raises: NotFound.
        """
        with self.env.read() as txn:
            workspace = settings_of(txn, self.workspace_id).number
            webhooks = rows.webhooks(txn, workspace)
            windows = sum(state_in(txn, each).windows for each in webhooks)
        numbers = frozenset(each.number for each in webhooks)
        self._by_rule = any(each.window for each in webhooks)
        yield from (self._of_chats if windows <= FEW else self._of_index)(workspace, numbers)
        return heapq.nlargest(self.most, self._found, key=lambda opened: opened.arrived_ms)

    def _of_chats(self, workspace: int, webhooks: frozenset[int]) -> Generator[None, None, None]:
        """Looks through the chats of a workspace that has few windows."""
        prefix = keyspace.owned(keyspace.CHATS, workspace)
        after, seen = b"", 0
        while seen < CHATS_MOST:
            with self.env.read() as txn:
                step = list(islice(rows.rows(txn, prefix, after), CHATS_A_STEP))
                for key, value in step:
                    self._take(workspace, key_fields.subject(key), key, value, webhooks)
            yield
            if len(step) < CHATS_A_STEP:
                return
            after, seen = step[-1][0], seen + len(step)
        self._is_cut()

    def _of_index(self, workspace: int, webhooks: frozenset[int]) -> Generator[None, None, None]:
        """Looks at the windows that close last: of one webhook, those that were opened last."""
        prefix = keyspace.due_of(DueKind.WINDOW)
        before, seen = keyspace.after_kind(DueKind.WINDOW), 0
        while seen < INDEX_ROWS_MOST and len(self._found) < self.most:
            with self.env.read() as txn:
                of_all = rows.rows_before(txn, prefix, before)
                step = [key for key, _ in islice(of_all, INDEX_ROWS_A_STEP)]
                for row in map(key_fields.due, step):
                    if row.number in webhooks and len(self._found) < self.most:
                        key = keyspace.owned(keyspace.CHATS, workspace, row.subject)
                        value = rows.get_raw(txn, key) or b""
                        self._take(workspace, row.subject, key, value, {row.number})
            yield
            if len(step) < INDEX_ROWS_A_STEP:
                return
            before, seen = step[-1], seen + len(step)
        self._is_cut()

    def _take(
        self,
        workspace: int,
        chat: bytes,
        key: bytes,
        value: bytes,
        webhooks: frozenset[int] | set[int],
    ) -> None:
        record = damaged.without(key, value, ChatRecord) if value else None
        for each in record.collecting if record else ():
            window = each.window
            if window is not None and each.webhook in webhooks:
                arrived_ms = max(each.arrived_ms, window.opened_ms)
                self._found.append(Opened(workspace, each.webhook, chat, arrived_ms, window))

    def _is_cut(self) -> None:
        opened = [each.window.opened_ms for each in self._found]
        # Those that end last are those that were opened last if all have the same length. By a rule
        # an older one may end later: then nothing older than the newest was surely looked at.
        self.searched_to_ms = (max if self._by_rule else min)(opened, default=0)
