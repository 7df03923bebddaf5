"""A workspace as a reader sees it: its settings, its webhooks, and how they are doing."""

from collections.abc import Collection

import lmdb
import msgspec

from hookbundle.engine.errors import Code, NotFound
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.records import Usage, WebhookState, WorkspaceName
from hookbundle.storage.database.settings import OUTBOUND, Webhook, Workspace, no_webhook


class WebhookView(msgspec.Struct, frozen=True):
    """A webhook and its state at the same moment."""

    webhook: Webhook
    state: WebhookState


class WorkspaceView(msgspec.Struct, frozen=True):
    """A workspace, its webhooks, `outbound` first, and their states at the same moment."""

    settings: Workspace
    webhooks: tuple[WebhookView, ...]
    usage: Usage

    def find(self, webhook_id: str) -> WebhookView | None:
        return next((each for each in self.webhooks if each.webhook.id == webhook_id), None)

    def named(self, webhook_id: str) -> WebhookView:
        """Raises: NotFound."""
        found = self.find(webhook_id)
        if found is None:
            raise no_webhook(webhook_id, self.settings.id)
        return found

    def chosen(self, webhook_ids: Collection[str] = ()) -> tuple[WebhookView, ...]:
        """Those of these ids; without any, all. Raises: NotFound if one of them is not there."""
        for each in webhook_ids:
            self.named(each)
        wanted = frozenset(webhook_ids)
        return tuple(each for each in self.webhooks if not wanted or each.webhook.id in wanted)

    @property
    def first(self) -> WebhookView:
        """The one that is shown where a workspace stands for itself."""
        return self.webhooks[0]

    @property
    def webhook(self) -> Webhook:
        """`outbound`. Raises: NotFound."""
        return self.named(OUTBOUND).webhook

    @property
    def state(self) -> WebhookState:
        """Of `outbound`. Raises: NotFound."""
        return self.named(OUTBOUND).state


def view_in(txn: lmdb.Transaction, workspace_id: str) -> WorkspaceView:
    """Raises: NotFound."""
    return view_of(txn, settings_of(txn, workspace_id))


def view_of(txn: lmdb.Transaction, settings: Workspace) -> WorkspaceView:
    """The workspace with its webhooks and their states."""
    found = [
        WebhookView(webhook, state_in(txn, webhook))
        for webhook in rows.webhooks(txn, settings.number)
    ]
    return WorkspaceView(settings, tuple(found), usage_in(txn, settings.number))


def state_in(txn: lmdb.Transaction, webhook: Webhook) -> WebhookState:
    key = keyspace.owned(keyspace.STATES, webhook.number)
    return rows.get(txn, key, WebhookState) or WebhookState(webhook.workspace)


def usage_in(txn: lmdb.Transaction, workspace: int) -> Usage:
    return rows.get(txn, keyspace.owned(keyspace.USAGES, workspace), Usage) or Usage()


def webhooks_in(
    txn: lmdb.Transaction, settings: Workspace, ids: Collection[str] = ()
) -> tuple[Webhook, ...]:
    """The workspace's webhooks of these ids; without any, all of them. Raises: NotFound."""
    webhooks = rows.webhooks(txn, settings.number)
    by_id = {webhook.id: webhook for webhook in webhooks}
    for each in ids:
        if each not in by_id:
            raise no_webhook(each, settings.id)
    wanted = frozenset(ids)
    return tuple(webhook for webhook in webhooks if not wanted or webhook.id in wanted)


def webhook_of(txn: lmdb.Transaction, number: int) -> tuple[Workspace, Webhook] | None:
    """The webhook with this number and its workspace.

    None if it was deleted, or its workspace: then it is gone for every reader, though its records
    may still be there.
    """
    state = rows.get(txn, keyspace.owned(keyspace.STATES, number), WebhookState)
    key = keyspace.owned(keyspace.NAMES, state.workspace) if state else b""
    name = rows.get(txn, key, WorkspaceName) if key else None
    if state is None or name is None:
        return None
    webhook = rows.get(txn, keyspace.webhook(state.workspace, number), Webhook)
    if webhook is None or webhook.deleted_ms:
        return None
    return settings_of(txn, name.id), webhook


def settings_of(txn: lmdb.Transaction, workspace_id: str) -> Workspace:
    settings = rows.get(txn, keyspace.workspace(workspace_id), Workspace)
    if settings is None:
        raise NotFound.of(Code.NO_WORKSPACE, workspace=workspace_id)
    return settings
