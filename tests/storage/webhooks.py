"""Workspaces with several webhooks, for tests."""

from typing import Any

import msgspec

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Secret, Webhook
from hookbundle.storage.transitions.sealing import Sealed, SealWindow
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, ScratchDatabase

CRM_URL = "https://crm.example/hook"


def add_webhook(
    db: ScratchDatabase, ws: str, webhook_id: str, url: str = CRM_URL, **settings: Any
) -> int:
    """The workspace has one more webhook, by default with windows of an hour. Returns its number.

    What the chats have collected so far is not offered to it.
    """
    with db.unit() as unit:
        before = unit.workspace(ws)
        number = unit.meta.workspace_next
        unit.meta.workspace_next += 1
        webhook = Webhook(
            id=webhook_id,
            number=number,
            workspace=before.workspace.number,
            url=url,
            secrets=(Secret(value=f"whsec_{webhook_id}"),),
            created_ms=db.now_ms,
            **{"aggregation_ms": HOUR_MS, **settings},
        )
        unit.keep_state(number, WebhookState(workspace=before.workspace.number))
        unit.keep_settings(before.with_webhook(webhook))
    return number


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


def leave(db: ScratchDatabase, ws: str, webhook_id: str) -> Webhook:
    """The webhook is deleted, and not a record of it is erased yet."""
    with db.unit() as unit:
        before = unit.workspace(ws)
        webhook = msgspec.structs.replace(before.named(webhook_id), deleted_ms=db.now_ms)
        unit.keep_settings(before.with_leaving(webhook))
    return webhook


def kept_rows(db: ScratchDatabase, number: int) -> int:
    """How many deliveries of the webhook with this number are stored."""
    prefix = keyspace.owned(keyspace.DELIVERIES, number)
    return sum(key.startswith(prefix) for key in db.dump())
