"""Look-ups of single records and short lists. Each is one short read transaction."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import islice

import lmdb

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Window
from hookbundle.storage.database.delivery_records import Action, Delivery, Exchange
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.records import Meta, Token, WebhookState, WorkspaceName
from hookbundle.storage.database.settings import Workspace
from hookbundle.storage.reads import damaged, requests_made
from hookbundle.storage.reads.requests_made import JoinedAction
from hookbundle.storage.reads.workspace_view import (
    WorkspaceView,
    settings_of,
    view_in,
    view_of,
    webhooks_in,
)
from hookbundle.storage.tables import bodies, history, moving, queue, windows
from hookbundle.storage.transitions import tokens

PAGE_BYTES = 512 * 1024  # of what a page of a list shows; it ends with the item that passes this


@dataclass(frozen=True, slots=True)
class WorkspacePage:
    """`after`: where the next page begins; empty after the last one. `size`: bytes of its texts."""

    found: list[WorkspaceView]
    after: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class TokenPage:
    """`after`: where the next page begins; empty after the last one."""

    found: list[Token]
    after: bytes


@dataclass(frozen=True, slots=True)
class LogEntries:
    """The numbers of the entries that a webhook's detailed log had at one moment."""

    workspace_id: str
    webhook: int
    numbers: tuple[int, ...]
    webhook_id: str


class Reads:
    """Reads of one environment, from any thread."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    # ---- workspaces

    def workspace(self, workspace_id: str) -> WorkspaceView:
        """Raises: NotFound."""
        with self._env.read() as txn:
            return view_in(txn, workspace_id)

    def workspace_number(self, workspace_id: str) -> int:
        """Raises: NotFound."""
        with self._env.read() as txn:
            return settings_of(txn, workspace_id).number

    def workspace_numbered(self, number: int) -> WorkspaceView:
        """Raises: NotFound."""
        with self._env.read() as txn:
            name = rows.get(txn, keyspace.owned(keyspace.NAMES, number), WorkspaceName)
            if name is None:
                raise NotFound.of(Code.WORKSPACE_DELETED, number=number)
            return view_in(txn, name.id)

    def workspaces(self, limit: int, after: str = "") -> WorkspacePage:
        """The workspaces whose ids follow `after`, sorted by id; fewer if they are large.

        Those with a damaged record are left out, and named in the daemon's log.
        """
        with self._env.read() as txn:
            found: list[WorkspaceView] = []
            size, after_key = 0, keyspace.workspace(after) if after else b""
            for key, value in rows.rows(txn, keyspace.WORKSPACES, after_key):
                try:
                    view = view_of(txn, codec.unpack(key, value, Workspace))
                except CorruptRecord as exc:
                    damaged.say(exc)
                    continue
                found.append(view)
                size += len(value) + len(view.webhook.url) + len(view.state.last_error)
                if len(found) == limit or size >= PAGE_BYTES:
                    return WorkspacePage(found, view.settings.id, size)
            return WorkspacePage(found, "", size)

    def disabled(self, limit: int) -> list[str]:
        """Ids of workspaces whose webhook is disabled; without those that can't be read."""
        with self._env.read() as txn:
            found: list[str] = []
            for key, _ in rows.rows(txn, keyspace.DISABLED):
                with suppress(CorruptRecord):  # the status is wanted most when something is damaged
                    _, name = owner_of(txn, key_fields.owner(key))
                    found += [name] if name else []
                if len(found) == limit:
                    break
            return found

    def activity(self, workspace_id: str) -> list[Action]:
        """The activity log, newest first. Raises: NotFound."""
        with self._env.read() as txn:
            return requests_made.actions(txn, view_in(txn, workspace_id).webhook.number)

    def activity_joined(
        self, workspace_id: str, webhook_ids: tuple[str, ...] = ()
    ) -> list[JoinedAction]:
        """The newest lines of the webhooks' activity logs, with what joins them to the other log.

        Without ids: of all webhooks of the workspace. Newest first. Raises: NotFound.
        """
        with self._env.read() as txn:
            settings = settings_of(txn, workspace_id)
            of_each = [
                [requests_made.joined(txn, webhook, line) for line in lines]
                for webhook in webhooks_in(txn, settings, webhook_ids)
                if (lines := requests_made.actions(txn, webhook.number))
            ]
        found = merge(*of_each, key=lambda each: each.action.at_ms, reverse=True)
        return list(islice(found, limits.ACTIVITY_ENTRIES))

    def log_entries(self, workspace_id: str, webhook_ids: tuple[str, ...] = ()) -> LogEntries:
        """What the first of the webhooks' detailed logs has now, newest first. Raises: NotFound."""
        with self._env.read() as txn:
            webhook, *_ = webhooks_in(txn, settings_of(txn, workspace_id), webhook_ids)
            log = keyspace.owned(keyspace.LOG, webhook.number)
            keys = rows.first_of(txn, log, limits.LOG_ENTRIES)
            numbers = tuple(map(key_fields.number, keys))[::-1]
            return LogEntries(workspace_id, webhook.number, numbers, webhook.id)

    def log_entry(self, entries: LogEntries, number: int) -> Exchange | None:
        """One of the entries; None if it is no longer there. Raises: CorruptRecord."""
        with self._env.read() as txn:
            _, name = owner_of(txn, entries.webhook)
            key = keyspace.owned_numbered(keyspace.LOG, entries.webhook, number)
            value = rows.get_raw(txn, key) if name == entries.workspace_id else None
            return None if value is None else requests_made.entry(txn, entries.webhook, key, value)

    def exchange(self, workspace_id: str, number: int) -> Exchange:
        """An entry of the detailed log by its number. Raises: NotFound."""
        with self._env.read() as txn:
            webhook = view_in(txn, workspace_id).webhook.number
            key = keyspace.owned_numbered(keyspace.LOG, webhook, number)
            value = rows.get_raw(txn, key)
            found = None if value is None else requests_made.entry(txn, webhook, key, value)
            if found is None:
                raise NotFound.of(Code.NO_REQUEST, number=number)
            return found

    # ---- chats and windows

    def window(self, workspace_number: int, chat_id: str) -> Window | None:
        """The chat's open window, or None."""
        with self._env.read() as txn:
            key = keyspace.owned(keyspace.CHATS, workspace_number, chat_id.encode())
            record = rows.get(txn, key, ChatRecord)
            return record.window_of(workspace_number) if record else None

    def preview(self, workspace_id: str, chat_id: str, product_name: str) -> tuple[Window, bytes]:
        """The chat's open window, and the body of the bundle if it were sealed now.

        Raises: NotFound if the workspace does not exist or the chat has no open window.
        """
        with self._env.read() as txn:
            webhook = view_in(txn, workspace_id).webhook
            chat = chat_id.encode()
            key = keyspace.owned(keyspace.CHATS, webhook.workspace, chat)
            record = rows.get(txn, key, ChatRecord)
            window = record.window_of(webhook.number) if record else None
            if window is None:
                raise NotFound.of(Code.NO_WINDOW, chat=chat_id, workspace=workspace_id)
            members = windows.members(partial(rows.get_raw, txn), webhook, chat, window)
            return window, windows.body(window, members, product_name)

    # ---- queues

    def state(self, webhook: int) -> WebhookState | None:
        """The state of the webhook with this number, or None if it was deleted."""
        with self._env.read() as txn:
            return rows.get(txn, keyspace.owned(keyspace.STATES, webhook), WebhookState)

    def ready(self, after: int, limit: int) -> list[int]:
        """Numbers, greater than `after`, of the webhooks that are ready to send."""
        with self._env.read() as txn:
            found = []
            for key, _ in rows.rows(txn, keyspace.READY, keyspace.owned(keyspace.READY, after)):
                found.append(key_fields.owner(key))
                if len(found) == limit:
                    break
            return found

    def deliveries(
        self, workspace_id: str, prefix: bytes, limit: int, after: int = 0
    ) -> list[Delivery]:
        """Deliveries under QUEUED or DEAD_LETTERS with a number above `after`, oldest first.

        Raises: NotFound.
        """
        with self._env.read() as txn:
            view = view_in(txn, workspace_id)
            number, found = view.webhook.number, list[Delivery]()
            of_all = partial(rows.rows, txn)
            for each in moving.numbers(of_all, view.state, number, prefix, after):
                delivery = rows.get(txn, history.key_of(number, each), Delivery)
                found += [moving.as_seen(view.state, delivery)] if delivery else []
                if len(found) == limit:
                    break
            return found

    def body(self, webhook: int, delivery: int) -> bytes:
        """The body of a delivery. Raises: NotFound if there is no such delivery."""
        with self._env.read() as txn:
            head = rows.get(txn, history.key_of(webhook, delivery), Delivery)
            if head is None:
                delivery_id = queue.id_of(self._env.identity.epoch, webhook, delivery)
                raise NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)
            return bodies.read(partial(rows.get_raw, txn), webhook, delivery, head.body_bytes)

    def token(self, digest: bytes) -> Token | None:
        """The token with that SHA-256, or None."""
        with self._env.read() as txn:
            return rows.get(txn, keyspace.TOKENS + digest, Token)

    def token_named(self, token_id: str) -> Token:
        """The token with that id. Raises: NotFound."""
        with self._env.read() as txn:
            for key, value in rows.rows(txn, tokens.prefix_of(token_id)):
                token = codec.unpack(key, value, Token)
                if token.id == token_id:
                    return token
        raise NotFound.of(Code.UNKNOWN_TOKEN, token=token_id)

    def tokens(self, limit: int, after: bytes = b"") -> TokenPage:
        """Tokens in the order of their digests, of which `after` is one; no damaged ones."""
        with self._env.read() as txn:
            found: list[Token] = []
            after_key = keyspace.TOKENS + after if after else b""
            for key, value in rows.rows(txn, keyspace.TOKENS, after_key):
                token = damaged.without(key, value, Token)
                found += [token] if token else []
                if len(found) == limit:
                    return TokenPage(found, key.removeprefix(keyspace.TOKENS))
            return TokenPage(found, b"")

    def mail(self, number: int) -> Mail | None:
        with self._env.read() as txn:
            return rows.get(txn, keyspace.numbered(keyspace.MAILS, number), Mail)

    def meta(self) -> Meta:
        with self._env.read() as txn:
            return rows.get(txn, keyspace.META, Meta) or Meta()


def owner_of(txn: lmdb.Transaction, webhook: int) -> tuple[int, str]:
    """The number and the id of the webhook's workspace; 0 and an empty id if it was deleted."""
    state = rows.get(txn, keyspace.owned(keyspace.STATES, webhook), WebhookState)
    key = keyspace.owned(keyspace.NAMES, state.workspace) if state else b""
    name = rows.get(txn, key, WorkspaceName) if key else None
    return (state.workspace, name.id) if state and name else (0, "")
