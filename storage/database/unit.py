"""A unit of work: one LMDB transaction, seen as records.

The Store applies a group of transitions in one unit, to pay for one sync instead of many. The small
records that nearly every transition touches (counters, webhook states, chats) are decoded once and
written once, however many transitions of the group change them. The events of all of them become
one row of the feed.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import lmdb
import msgspec

from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.records import (
    Action,
    Activity,
    FeedRow,
    Identity,
    Meta,
    WebhookState,
    Workspace,
    WorkspaceName,
)
from hookbundle.storage.facts import Fact, type_of

R = TypeVar("R", bound=msgspec.Struct)


class Unit:
    """Reads see what the unit has written, except that `rows` needs `flush_chats` before it.

    `workspaces` is a cache of settings by workspace number that the caller keeps from unit to unit.
    The unit updates it before the commit, so the caller must clear it if the unit fails.
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
        self._now_ms = 0  # the latest time of the transitions

    # ---- any record

    def get(self, key: bytes, kind: type[R]) -> R | None:
        return rows.get(self._txn, key, kind)

    def get_raw(self, key: bytes) -> bytes | None:
        return rows.get_raw(self._txn, key)

    def put(self, key: bytes, record: msgspec.Struct) -> None:
        self._txn.put(key, codec.pack(key, record))

    def put_flag(self, key: bytes) -> None:
        """Writes a key without a value; its presence is the information."""
        self._txn.put(key, b"")

    def delete(self, key: bytes) -> bool:
        """True if there was a record under the key."""
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
        """Raises: NotFound if it has been deleted."""
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
        """The state, which the caller changes in place; `flush` writes it."""
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
        """Drops the workspace's records that `flush` would write. Stored records remain."""
        self._workspaces.pop(number, None)
        self._states.pop(number, None)
        self._activities.pop(number, None)
        prefix = keyspace.owned(keyspace.CHATS, number)
        for key in [key for key in self._chats if key.startswith(prefix)]:
            del self._chats[key]

    # ---- chats

    def chat(self, number: int, chat: bytes) -> ChatRecord | None:
        """The chat's record, which the caller changes in place; `flush` writes it."""
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
        """The chats changed so far are in the transaction, where `rows` finds them."""
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

    def add_action(self, number: int, action: Action, keep: int) -> None:
        """Adds a line to the workspace's activity log, which keeps the newest `keep` lines."""
        actions = self.activity(number).actions
        actions.append(action)
        del actions[:-keep]

    def emit(self, fact: Fact, now_ms: int, workspace: str = "", chat: str = "") -> None:
        """Adds an event to the feed, with the next sequence number."""
        self.advance_time(now_ms)
        kind = type_of(type(fact))
        self._events.append(
            {"type": kind, "time": now_ms, "workspace": workspace, "chat": chat, "data": fact}
        )

    def advance_time(self, now_ms: int) -> None:
        """Records that the clock has reached this time.

        `Meta.last_ms` keeps it, so that after a restart a clock that was set back is noticed.
        `emit` calls this; a transition that acts on a time and emits nothing has to do so itself.
        """
        self._now_ms = max(self._now_ms, now_ms)

    def flush(self, keep_events: int, keep_ms: int) -> None:
        """All changes are in the transaction. Old rows of the feed are deleted, a few at a time.

        The feed keeps `keep_events` events, and none older than `keep_ms`.
        """
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
        """Deletes old rows, at most `rows_most`, until the feed is within its limits.

        `rows_most` is one more than the number of new events, because a row may hold as little as
        one event: if a commit of fifty events deleted only one or two rows, a busy hour after a
        quiet day would add events faster than it deletes them, and the feed would outgrow its
        limit. The bound keeps a commit short after the limits were lowered.
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
                return  # the newest row stays at any age: `feed_oldest_ms` is read from a row
            self.delete(oldest[0])
            meta.feed_oldest = keyspace.parse_number(oldest[0]) + 1
            meta.feed_oldest_ms = codec.unpack(*following, FeedRow).at_ms
