"""Workspaces with several webhooks, for tests."""

from typing import Any

from hookbundle.storage.database import keyspace
from hookbundle.storage.transitions.sealing import Sealed, SealWindow
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import (
    ChangeWebhook,
    DeleteWebhook,
    WebhookChanged,
    WebhookDeleted,
)
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, ScratchDatabase

CRM_URL = "https://crm.example/hook"


def add_webhook(
    db: ScratchDatabase, ws: str, webhook_id: str, url: str = CRM_URL, **settings: Any
) -> int:
    """The workspace has one more webhook, by default with windows of an hour. Returns its number.

    What the chats have collected so far is not offered to it.
    """
    made = ChangeWebhook(
        workspace_id=ws,
        webhook_id=webhook_id,
        changes=WebhookChanges(**{"url": url, "aggregation_ms": HOUR_MS, **settings}),
        precondition=None,
        may_create=True,
        new_secret=f"whsec_{webhook_id}",
        now_ms=db.now_ms,
        caller="test",
    )
    return db.do(made, WebhookChanged).number


def seal_only(db: ScratchDatabase, webhook_id: str, ws: str = "acme", chat: str = "c") -> Sealed:
    """The chat's window of this webhook alone is sealed."""
    view = db.view(ws)
    seal = SealWindow(
        workspace_number=view.settings.number,
        chat_id=chat,
        now_ms=db.now_ms,
        product_name=PRODUCT,
        webhook=view.named(webhook_id).webhook.number,
    )
    return db.do(seal, Sealed)


def leave(db: ScratchDatabase, ws: str, webhook_id: str) -> None:
    """The webhook is deleted, and not a record of it is erased yet."""
    gone = DeleteWebhook(
        workspace_id=ws, webhook_id=webhook_id, precondition=None, now_ms=db.now_ms, caller="test"
    )
    db.do(gone, WebhookDeleted)


def kept_rows(db: ScratchDatabase, number: int) -> int:
    """How many deliveries of the webhook with this number are stored."""
    prefix = keyspace.owned(keyspace.DELIVERIES, number)
    return sum(key.startswith(prefix) for key in db.dump())
