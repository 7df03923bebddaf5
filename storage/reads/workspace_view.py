"""A workspace as a reader sees it: its settings, its webhook, and how they are doing."""

from collections.abc import Collection
from dataclasses import dataclass

import lmdb

from hookbundle.engine.errors import Code, NotFound
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.records import Usage, Webhook, WebhookState, Workspace


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """A workspace, its webhook `outbound`, and their states at the same moment."""

    settings: Workspace
    webhook: Webhook
    state: WebhookState
    usage: Usage


def view_in(txn: lmdb.Transaction, workspace_id: str) -> WorkspaceView:
    """Raises: NotFound."""
    return view_of(txn, settings_of(txn, workspace_id))


def view_of(txn: lmdb.Transaction, settings: Workspace) -> WorkspaceView:
    """The workspace with its webhook and their states."""
    (webhook, *_) = rows.webhooks(txn, settings.number)
    return WorkspaceView(settings, webhook, state_in(txn, webhook), usage_in(txn, settings.number))


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
            raise NotFound.of(Code.UNKNOWN_WEBHOOK, webhook=each, workspace=settings.id)
    wanted = frozenset(ids)
    return tuple(webhook for webhook in webhooks if not wanted or webhook.id in wanted)


def settings_of(txn: lmdb.Transaction, workspace_id: str) -> Workspace:
    settings = rows.get(txn, keyspace.workspace(workspace_id), Workspace)
    if settings is None:
        raise NotFound.of(Code.NO_WORKSPACE, workspace=workspace_id)
    return settings
