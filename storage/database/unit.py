"""A unit of work: one LMDB transaction, seen as records.

The Store applies a group of transitions in one unit, to pay for one sync instead of many. The small
records that nearly every transition touches (counters, states, chats) are decoded once and written
once, however many transitions of the group change them. The events of all of them become one row of
the feed.

Every write of the daemon goes through a unit, which can collect the rows that it writes: put into
another database, in the same order of units, they make an equal one.
"""

from typing import TypeVar

import lmdb
import msgspec

from hookbundle.engine.errors import Code, CorruptRecord, NotFound
from hookbundle.engine.fairness.webhook_owners import WebhookOwners
from hookbundle.storage.daemon_facts import Fact
from hookbundle.storage.database import codec, feed_rows, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Head, Heads
from hookbundle.storage.database.keeping.kept import Kept
from hookbundle.storage.database.records import Identity, Meta, Usage, WebhookState, WorkspaceName
from hookbundle.storage.database.retention import KEEP_ALL, Retention
from hookbundle.storage.database.rows import Collected, Writes
from hookbundle.storage.database.settings import (
    Settings,
    TokenChanges,
    Webhook,
    Workspace,
    settings_of,
)

R = TypeVar("R", bound=msgspec.Struct)


class Unit(Writes):
    """Reads see what the unit has written, except that `rows` needs `flush_chats` before it.

    `kept`: what the units before have decoded. The unit changes it before the commit, so the caller
    must drop it if the unit fails. `owners` learns whose the webhooks are that the unit comes upon.
    `heads`: decoded records of chats, which are used as far as they are what is stored; nothing
    need be done about them if the unit fails. `tokens` is told before one is written; the caller
    has it around the transaction.
    """

    def __init__(
        self,
        txn: lmdb.Transaction,
        identity: Identity,
        kept: Kept | None = None,
        *,
        retention: Retention = KEEP_ALL,
        collected: Collected | None = None,
        owners: WebhookOwners | None = None,
        heads: Heads | None = None,
        tokens: TokenChanges | None = None,
    ) -> None:
        super().__init__(txn, collected)
        self.identity = identity
        self.retention = retention
        kept = Kept() if kept is None else kept
        self.meta = kept.meta = kept.meta or self.get(keyspace.META, Meta) or Meta()
        self._kept = kept
        self._known = kept.settings
        self._owners = owners
        self._states: dict[int, WebhookState] = {}
        self._usages: dict[int, Usage] = {}
        self._chats: dict[bytes, ChatRecord] = {}
        self._heads = Heads() if heads is None else heads
        self.tokens = TokenChanges() if tokens is None else tokens
        self._heads_of: dict[bytes, Head] = {}  # those that get a record of `_chats` with `flush`
        self.events: list[feed_rows.Event] = []
        self.found_by: list[tuple[int, bytes]] = []  # of the events, those found by their chats
        self.now_ms = 0  # the latest time of the transitions

    # ---- workspaces and their webhooks

    def find_workspace(self, workspace_id: str) -> Settings | None:
        workspace = self.get(keyspace.workspace(workspace_id), Workspace)
        if workspace is None:
            return None
        number = workspace.number
        if number not in self._known:
            found = settings_of(workspace, rows.all_webhooks(self._txn, number))
            if not found.webhooks:
                raise CorruptRecord(f"workspace number {number} has no webhook")
            self._know(found)
        return self._known[number]

    def workspace(self, workspace_id: str) -> Settings:
        """Raises: NotFound."""
        found = self.find_workspace(workspace_id)
        if found is None:
            raise NotFound.of(Code.NO_WORKSPACE, workspace=workspace_id)
        return found

    def workspace_numbered(self, number: int) -> Settings:
        """Raises: NotFound if it has been deleted."""
        known = self._known.get(number)
        if known is not None:
            return known
        name = self.get(keyspace.owned(keyspace.NAMES, number), WorkspaceName)
        if name is None:
            raise NotFound.of(Code.WORKSPACE_DELETED, number=number)
        return self.workspace(name.id)

    def webhook_numbered(self, number: int) -> tuple[Settings, Webhook]:
        """A webhook with its workspace. Raises: NotFound if it has been deleted."""
        known = self._known.get(number)  # of `outbound`, which has its workspace's number
        if known is not None:
            return known, known.webhook(number)
        settings = self.workspace_numbered(self._state_of(number).workspace)
        return settings, settings.webhook(number)

    def any_webhook_numbered(self, number: int) -> tuple[Settings, Webhook]:
        """As `webhook_numbered`, but also one that is being erased."""
        settings = self.workspace_numbered(self._state_of(number).workspace)
        return settings, settings.any_webhook(number)

    def forget_webhook(self, settings: Settings, webhook: Webhook) -> None:
        """Nothing is left of a webhook that was erased."""
        self.delete(keyspace.webhook(webhook.workspace, webhook.number))
        self.delete(keyspace.owned(keyspace.STATES, webhook.number))
        self._states.pop(webhook.number, None)
        self._kept.states.pop(webhook.number, None)
        self._known[webhook.workspace] = settings.without(webhook.number)
        if self._owners is not None:
            self._owners.forget(webhook.number)

    def keep_settings(self, settings: Settings) -> None:
        workspace = settings.workspace
        self._know(settings)
        self.put(keyspace.workspace(workspace.id), workspace)
        for webhook in settings.all:
            self.put(keyspace.webhook(workspace.number, webhook.number), webhook)

    def _know(self, settings: Settings) -> None:
        self._known[settings.workspace.number] = settings
        if self._owners is None:
            return
        self._owners.count(settings.workspace.number, len(settings.offered))
        if len(settings.all) > 1:
            for webhook in settings.all:
                self._owners.learn(webhook.number, webhook.workspace)

    def state(self, webhook: int) -> WebhookState:
        """The state, changed in place; `flush` writes it. Raises: CorruptRecord."""
        state = self._states.get(webhook) or self._find_state(webhook)
        if state is None:
            raise CorruptRecord(f"webhook number {webhook} has no state")
        return state

    def _state_of(self, number: int) -> WebhookState:
        """Raises: NotFound."""
        state = self._find_state(number)
        if state is None:
            raise NotFound.of(Code.NO_WEBHOOK, number=number)
        return state

    def _find_state(self, webhook: int) -> WebhookState | None:
        state = self._states.get(webhook) or self._kept.states.get(webhook)
        if state is None:
            state = self.get(keyspace.owned(keyspace.STATES, webhook), WebhookState)
        if state is not None:
            self._states[webhook] = state
        return state

    def keep_state(self, webhook: int, state: WebhookState) -> None:
        self._states[webhook] = state

    def usage(self, workspace: int) -> Usage:
        """What the workspace has on disk, changed in place. Raises: CorruptRecord."""
        usage = self._usages.get(workspace) or self.find_usage(workspace)
        if usage is None:
            raise CorruptRecord(f"workspace number {workspace} has no record of its usage")
        return usage

    def find_usage(self, workspace: int) -> Usage | None:
        """None if the workspace was deleted."""
        usage = self._usages.get(workspace) or self._kept.usages.get(workspace)
        if usage is None and workspace:
            usage = self.get(keyspace.owned(keyspace.USAGES, workspace), Usage)
        if usage is not None:
            self._usages[workspace] = usage
        return usage

    def keep_usage(self, workspace: int, usage: Usage) -> None:
        self._usages[workspace] = usage

    def forget_workspace(self, settings: Settings) -> None:
        """Drops what `flush` would write of the workspace. Stored records remain."""
        number = settings.workspace.number
        self._usages.pop(number, None)
        for webhook in settings.all:
            self._states.pop(webhook.number, None)
        self._kept.forget(settings)
        prefix = keyspace.owned(keyspace.CHATS, number)
        for key in [key for key in self._chats if key.startswith(prefix)]:
            del self._chats[key]

    # ---- chats

    def chat(self, workspace: int, chat: bytes) -> ChatRecord | None:
        """The chat's record, which the caller changes in place; `flush` writes it."""
        key = keyspace.owned(keyspace.CHATS, workspace, chat)
        record = self._chats.get(key)
        if record is not None:
            return record
        head = self._heads.find(key)
        record = self.find_chat(key, head)
        if record is not None:
            self._chats[key] = record
            if head is not None:
                self._heads_of[key] = head
        return record

    def find_chat(self, key: bytes, head: Head | None = None) -> ChatRecord | None:
        """The chat's record, for one who may leave it as it is. It is not written unless it has
        been changed before; who changes it calls `keep_chat` first. `head`: it may be in there."""
        record = self._chats.get(key)
        if record is not None or head is None:
            return record or self.get(key, ChatRecord)
        stored = self.get_raw(key)
        if stored is None:
            return None
        return self._heads.take(head, stored) or codec.unpack(key, stored, ChatRecord)

    def keep_chat(self, key: bytes, record: ChatRecord, head: Head | None = None) -> None:
        """`flush` writes the record; the head has it then, if a window of the chat is open."""
        self._chats[key] = record
        if head is not None:
            self._heads_of[key] = head

    def delete_chat(self, workspace: int, chat: bytes) -> None:
        key = keyspace.owned(keyspace.CHATS, workspace, chat)
        self._chats.pop(key, None)
        self._heads_of.pop(key, None)
        self.delete(key)

    def flush_chats(self) -> None:
        """The chats changed so far are in the transaction, where `rows` finds them."""
        chats, heads = self._chats, self._heads_of
        for key in sorted(chats):
            record = chats[key]
            stored = codec.pack(key, record)
            self.put_raw(key, stored)
            head = heads.get(key)
            if head is not None and record.is_collecting():
                self._heads.keep(head, key, stored, record)
        chats.clear()
        heads.clear()

    # ---- feed

    def tell(
        self, workspace: Workspace, fact: Fact, now_ms: int, chat: str = "", webhook: str = ""
    ) -> None:
        """Adds an event about the workspace to the feed, with the next sequence number.

        `chat`, `webhook`: ids, if it is about one.
        """
        if now_ms > self.now_ms:
            self.now_ms = now_ms
        packed = feed_rows.packed(fact, now_ms, workspace.id, chat, webhook)
        number = workspace.number
        usage = self._usages.get(number) or self.usage(number)
        if not usage.events:
            self.meta.feed_owners += 1
        usage.events += 1
        usage.event_bytes += len(packed)
        self.events.append((number, packed))

    def emit(self, fact: Fact, now_ms: int, workspace_id: str = "") -> None:
        """Adds an event about the daemon, or a workspace that is gone, to the feed."""
        self.advance_time(now_ms)
        packed = feed_rows.packed(fact, now_ms, workspace_id)
        self.meta.feed_own_events += 1
        self.meta.feed_own_bytes += len(packed)
        self.events.append((0, packed))

    def advance_time(self, now_ms: int) -> None:
        """`Meta.last_ms` keeps the time, as after `tell`: a clock that was set back is noticed."""
        if now_ms > self.now_ms:
            self.now_ms = now_ms

    def flush(self) -> None:
        """All changes are in the transaction. The feed is trimmed, a few rows at a time."""
        self.flush_chats()
        feed_rows.write(self)
        for webhook, state in self._states.items():
            self.put(keyspace.owned(keyspace.STATES, webhook), state)
        for workspace, usage in self._usages.items():
            self.put(keyspace.owned(keyspace.USAGES, workspace), usage)
        self._kept.keep(self._states, self._usages)
        self.meta.last_ms = max(self.meta.last_ms, self.now_ms)
        self.put_meta(self.meta)
