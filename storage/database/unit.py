"""A unit of work: one LMDB transaction, seen as records.

A group of transitions shares one unit. The small records that nearly every transition touches
(counters, webhook states, chats) are decoded once and written once, however many transitions of
the group change them. Facts for the feed are collected and written as one row.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import lmdb
import msgspec

from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.records import (
    Action,
    Activity,
    ChatRecord,
    FeedRow,
    Identity,
    Meta,
    WebhookState,
    Workspace,
    WorkspaceName,
)

R = TypeVar("R", bound=msgspec.Struct)


class Unit:
    """Reads see what the unit has written, except `rows`, which wants `flush_chats` first.

    `workspaces` are settings by number that are known from units before and still hold. The unit
    keeps the table up to date; once it has failed, the table is worth nothing.
    """

    def __init__(
        self,
        txn: lmdb.Transaction,
        identity: Identity,
        workspaces: dict[int, Workspace] | None = None,
    ) -> None:
        self._txn = txn
        self.identity = identity
        self.meta = self.get(keyspace.META, Meta) or Meta()
        self._workspaces = {} if workspaces is None else workspaces
        self._states: dict[int, WebhookState] = {}
        self._chats: dict[bytes, ChatRecord] = {}
        self._activities: dict[int, Activity] = {}
        self._events: list[dict[str, Any]] = []
        self._now_ms = 0

    # ---- any record

    def get(self, key: bytes, kind: type[R]) -> R | None:
        return rows.get(self._txn, key, kind)

    def get_raw(self, key: bytes) -> bytes | None:
        return rows.get_raw(self._txn, key)

    def put(self, key: bytes, record: msgspec.Struct) -> None:
        self._txn.put(key, codec.pack(key, record))

    def put_flag(self, key: bytes) -> None:
        """A key whose presence is the whole fact."""
        self._txn.put(key, b"")

    def delete(self, key: bytes) -> bool:
        """True if there was such a record."""
        return self._txn.delete(key)

    def rows(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Keys and raw values under the prefix, from the first key greater than `after`."""
        return rows.rows(self._txn, prefix, after)

    def delete_rows(self, prefix: bytes, most: int) -> int:
        return rows.delete_rows(self._txn, prefix, most)

    # ---- workspaces

    def find_workspace(self, workspace_id: str) -> Workspace | None:
        workspace = self.get(keyspace.workspace(workspace_id), Workspace)
        if workspace is not None:
            return self._workspaces.setdefault(workspace.number, workspace)
        return None

    def workspace(self, workspace_id: str) -> Workspace:
        """Raises: NotFound."""
        workspace = self.find_workspace(workspace_id)
        if workspace is None:
            raise NotFound(f"there is no workspace {workspace_id!r}")
        return workspace

    def workspace_numbered(self, number: int) -> Workspace:
        """Raises: NotFound if it was deleted meanwhile."""
        known = self._workspaces.get(number)
        if known is not None:
            return known
        name = self.get(keyspace.owned(keyspace.NAMES, number), WorkspaceName)
        if name is None:
            raise NotFound(f"workspace number {number} was deleted")
        return self.workspace(name.id)

    def keep_workspace(self, workspace: Workspace) -> None:
        self._workspaces[workspace.number] = workspace
        self.put(keyspace.workspace(workspace.id), workspace)

    def state(self, number: int) -> WebhookState:
        """The state, to be changed in place; it is written when the unit ends."""
        state = self._states.get(number)
        if state is None:
            key = keyspace.owned(keyspace.STATES, number)
            state = self.get(key, WebhookState)
            if state is None:
                raise CorruptRecord(f"workspace number {number} has no state")
            self._states[number] = state
        return state

    def keep_state(self, number: int, state: WebhookState) -> None:
        self._states[number] = state

    def forget_workspace(self, number: int) -> None:
        """The unit holds nothing of the workspace any more that it would write."""
        self._workspaces.pop(number, None)
        self._states.pop(number, None)
        self._activities.pop(number, None)
        prefix = keyspace.owned(keyspace.CHATS, number)
        for key in [key for key in self._chats if key.startswith(prefix)]:
            del self._chats[key]

    # ---- chats

    def chat(self, number: int, chat: bytes) -> ChatRecord | None:
        """The chat's record, to be changed in place; it is written when the unit ends."""
        key = keyspace.owned(keyspace.CHATS, number, chat)
        record = self._chats.get(key) or self.get(key, ChatRecord)
        if record is not None:
            self._chats[key] = record
        return record

    def keep_chat(self, number: int, chat: bytes, record: ChatRecord) -> None:
        self._chats[keyspace.owned(keyspace.CHATS, number, chat)] = record

    def delete_chat(self, number: int, chat: bytes) -> None:
        key = keyspace.owned(keyspace.CHATS, number, chat)
        self._chats.pop(key, None)
        self.delete(key)

    def flush_chats(self) -> None:
        for key in sorted(self._chats):
            self.put(key, self._chats[key])
        self._chats.clear()

    # ---- due index, activity, feed

    def put_due(self, row: Due) -> None:
        self._txn.put(keyspace.due(row), b"")

    def delete_due(self, row: Due) -> None:
        self._txn.delete(keyspace.due(row))

    def activity(self, number: int) -> Activity:
        known = self._activities.get(number)
        if known is None:
            key = keyspace.owned(keyspace.ACTIVITIES, number)
            known = self._activities[number] = self.get(key, Activity) or Activity()
        return known

    def act(self, number: int, action: Action, keep: int) -> None:
        """Adds a line to the activity log, which keeps the newest `keep`."""
        actions = self.activity(number).actions
        actions.append(action)
        del actions[:-keep]

    def emit(
        self, kind: str, now_ms: int, workspace: str = "", chat: str = "", **data: Any
    ) -> None:
        """Adds a fact to the feed; its sequence number is the next one."""
        self.saw(now_ms)
        self._events.append(
            {"type": kind, "time": now_ms, "workspace": workspace, "chat": chat, "data": data}
        )

    def saw(self, now_ms: int) -> None:
        """The time is at least this: no start will count from an earlier one.

        For what acts on a time without a fact to tell; `emit` does it by itself.
        """
        self._now_ms = max(self._now_ms, now_ms)

    def flush(self, keep_events: int, keep_ms: int) -> None:
        """Everything the unit holds is in the transaction; the feed is trimmed a little."""
        self.flush_chats()
        for number, state in self._states.items():
            self.put(keyspace.owned(keyspace.STATES, number), state)
        for number, activity in self._activities.items():
            self.put(keyspace.owned(keyspace.ACTIVITIES, number), activity)
        meta = self.meta
        count = len(self._events)
        if count:
            meta.feed_next += count
            meta.feed_oldest_ms = meta.feed_oldest_ms or self._now_ms
            row = FeedRow(
                at_ms=self._now_ms,
                count=count,
                events=codec.pack_events(self._events),
            )
            self.put(keyspace.numbered(keyspace.FEED, meta.feed_next - 1), row)
            self._events = []
        meta.last_ms = max(meta.last_ms, self._now_ms)
        self._trim_feed(keep_events, keep_ms, rows_most=count + 1)
        self.put(keyspace.META, meta)

    def _trim_feed(self, keep_events: int, keep_ms: int, rows_most: int) -> None:
        """Rows of the past go, a row more than facts came: so the feed shrinks to its bounds.

        A row holds one fact at least. If rows went one for one, those of busy times would push
        out those of quiet ones, and the feed would grow far beyond what it is to keep.
        """
        meta = self.meta
        for _ in range(rows_most):
            too_many = meta.feed_next - meta.feed_oldest > keep_events
            too_old = self._now_ms - meta.feed_oldest_ms > keep_ms
            if meta.feed_oldest >= meta.feed_next or not (too_many or too_old):
                return
            feed = self.rows(keyspace.FEED)
            oldest, following = next(feed, None), next(feed, None)
            if oldest is None or following is None:
                return  # the newest row stays, whatever its age
            self.delete(oldest[0])
            meta.feed_oldest = keyspace.parse_number(oldest[0]) + 1
            meta.feed_oldest_ms = codec.unpack(*following, FeedRow).at_ms
