"""Look-ups of single records and short lists. Each is one short read transaction."""

from collections.abc import Container
from dataclasses import dataclass
from functools import partial

import lmdb

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Window
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.records import (
    Action,
    Activity,
    Delivery,
    Exchange,
    Mail,
    Meta,
    Token,
    WebhookState,
    Workspace,
    WorkspaceName,
)
from hookbundle.storage.tables import windows


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """A workspace's settings, and the state of its webhook at the same moment."""

    settings: Workspace
    state: WebhookState


class Reads:
    """Reads of one environment, from any thread."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    # ---- workspaces

    def workspace(self, workspace_id: str) -> WorkspaceView:
        """Raises: NotFound."""
        with self._env.read() as txn:
            return self._view(txn, workspace_id)

    def workspace_number(self, workspace_id: str) -> int:
        """Raises: NotFound."""
        with self._env.read() as txn:
            return _settings(txn, workspace_id).number

    def workspace_numbered(self, number: int) -> WorkspaceView:
        """Raises: NotFound."""
        with self._env.read() as txn:
            name = rows.get(txn, keyspace.owned(keyspace.NAMES, number), WorkspaceName)
            if name is None:
                raise NotFound(f"workspace number {number} was deleted")
            return self._view(txn, name.id)

    def workspaces(self, limit: int, after: str = "") -> list[WorkspaceView]:
        """The workspaces whose ids follow `after`, sorted by id."""
        with self._env.read() as txn:
            found = []
            after_key = keyspace.workspace(after) if after else b""
            for key, value in rows.rows(txn, keyspace.WORKSPACES, after_key):
                settings = codec.unpack(key, value, Workspace)
                found.append(WorkspaceView(settings, _state(txn, settings.number)))
                if len(found) == limit:
                    break
            return found

    def disabled(self, limit: int) -> list[str]:
        """Ids of workspaces whose webhook is disabled."""
        with self._env.read() as txn:
            found: list[str] = []
            for key, _ in rows.rows(txn, keyspace.DISABLED):
                number = keyspace.owned(keyspace.NAMES, keyspace.parse_owner(key))
                name = rows.get(txn, number, WorkspaceName)
                found += [name.id] if name else []
                if len(found) == limit:
                    break
            return found

    def activity(self, workspace_id: str) -> list[Action]:
        """The activity log, newest first. Raises: NotFound."""
        with self._env.read() as txn:
            number = self._view(txn, workspace_id).settings.number
            activity = rows.get(txn, keyspace.owned(keyspace.ACTIVITIES, number), Activity)
            return activity.actions[::-1] if activity else []

    def log(self, workspace_id: str) -> list[Exchange]:
        """The detailed log, newest first. Raises: NotFound."""
        with self._env.read() as txn:
            number = self._view(txn, workspace_id).settings.number
            found = rows.rows(txn, keyspace.owned(keyspace.LOG, number))
            return [codec.unpack(key, value, Exchange) for key, value in found][::-1]

    def exchange(self, workspace_id: str, number: int) -> Exchange:
        """An entry of the detailed log by its number. Raises: NotFound."""
        with self._env.read() as txn:
            owner = self._view(txn, workspace_id).settings.number
            key = keyspace.owned_numbered(keyspace.LOG, owner, number)
            found = rows.get(txn, key, Exchange)
            if found is None:
                raise NotFound(f"request {number} is no longer in the detailed log")
            return found

    # ---- chats and windows

    def window(self, workspace_number: int, chat_id: str) -> Window | None:
        """The chat's open window, or None."""
        with self._env.read() as txn:
            key = keyspace.owned(keyspace.CHATS, workspace_number, chat_id.encode())
            record = rows.get(txn, key, ChatRecord)
            return record.window if record else None

    def preview(self, workspace_id: str, chat_id: str, product_name: str) -> tuple[Window, bytes]:
        """The chat's open window, and the body of the bundle if it were sealed now.

        Raises: NotFound if the workspace does not exist or the chat has no open window.
        """
        with self._env.read() as txn:
            number = self._view(txn, workspace_id).settings.number
            chat = chat_id.encode()
            record = rows.get(txn, keyspace.owned(keyspace.CHATS, number, chat), ChatRecord)
            if record is None or record.window is None:
                raise NotFound(f"chat {chat_id!r} of {workspace_id!r} has no open window")
            members = windows.members(partial(rows.get_raw, txn), number, chat, record.window)
            return record.window, windows.body(record.window, members, product_name)

    # ---- due index and queues

    def due(self, at_ms: int, limit: int, but: Container[bytes] = ()) -> list[Due]:
        """The rows due at `at_ms` or earlier, earliest first, except those with a key in `but`."""
        with self._env.read() as txn:
            found: list[Due] = []
            end = keyspace.due_before(at_ms)
            for key, _ in rows.rows(txn, keyspace.DUES):
                if key >= end or len(found) == limit:
                    break
                if key not in but:
                    found.append(keyspace.parse_due(key))
            return found

    def next_due_ms(self, but: Container[bytes] = ()) -> int | None:
        """When the earliest row is due whose key is not in `but`; None if there is none."""
        with self._env.read() as txn:
            for key, _ in rows.rows(txn, keyspace.DUES):
                if key not in but:
                    return keyspace.parse_due(key).at_ms
            return None

    def ready(self, after: int, limit: int) -> list[int]:
        """Numbers, greater than `after`, of the workspaces whose webhook is ready to send."""
        with self._env.read() as txn:
            found = []
            for key, _ in rows.rows(txn, keyspace.READY, keyspace.owned(keyspace.READY, after)):
                found.append(keyspace.parse_owner(key))
                if len(found) == limit:
                    break
            return found

    def deliveries(
        self, workspace_id: str, prefix: bytes, limit: int, after: int = 0
    ) -> list[Delivery]:
        """Deliveries under QUEUED or DEAD_LETTERS with a number above `after`, oldest first.

        With their bodies, which may be large; Listing.deliveries leaves them out.

        Raises: NotFound.
        """
        with self._env.read() as txn:
            number = self._view(txn, workspace_id).settings.number
            owned = keyspace.owned(prefix, number)
            after_key = keyspace.owned_numbered(prefix, number, after) if after else b""
            found = []
            for key, value in rows.rows(txn, owned, after_key):
                found.append(codec.unpack(key, value, Delivery))
                if len(found) == limit:
                    break
            return found

    def token(self, digest: bytes) -> Token | None:
        """The token with that SHA-256, or None."""
        with self._env.read() as txn:
            return rows.get(txn, keyspace.TOKENS + digest, Token)

    def tokens(self) -> list[Token]:
        with self._env.read() as txn:
            found = rows.rows(txn, keyspace.TOKENS)
            return [codec.unpack(key, value, Token) for key, value in found]

    def mail(self, number: int) -> Mail | None:
        with self._env.read() as txn:
            return rows.get(txn, keyspace.numbered(keyspace.MAILS, number), Mail)

    def meta(self) -> Meta:
        with self._env.read() as txn:
            return rows.get(txn, keyspace.META, Meta) or Meta()

    def _view(self, txn: lmdb.Transaction, workspace_id: str) -> WorkspaceView:
        settings = _settings(txn, workspace_id)
        return WorkspaceView(settings, _state(txn, settings.number))


def _settings(txn: lmdb.Transaction, workspace_id: str) -> Workspace:
    settings = rows.get(txn, keyspace.workspace(workspace_id), Workspace)
    if settings is None:
        raise NotFound(f"there is no workspace {workspace_id!r}")
    return settings


def _state(txn: lmdb.Transaction, number: int) -> WebhookState:
    return rows.get(txn, keyspace.owned(keyspace.STATES, number), WebhookState) or WebhookState()
