"""Workspaces of several webhooks, for tests of what each of them gets."""

from typing import Any

from hookbundle.storage.maintenance.check import check
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import ChangeWebhook, WebhookChanged
from hookbundle.tests.storage.scratch import HOUR_MS, URL, ScratchDatabase


def webhook(db: ScratchDatabase, webhook_id: str, **changes: Any) -> int:
    """Makes a webhook of `acme`, or changes it. Returns its number."""
    given = {"url": URL, "aggregation_ms": HOUR_MS, **changes}
    transition = ChangeWebhook(
        workspace_id="acme",
        webhook_id=webhook_id,
        changes=WebhookChanges(**given),
        precondition=None,
        may_create=True,
        new_secret="whsec_another",
        now_ms=db.now_ms,
        caller="test",
    )
    return db.do(transition, WebhookChanged).number


def disable(db: ScratchDatabase, webhook_id: str) -> None:
    transition = DisableWebhook(
        workspace_id="acme", webhook_id=webhook_id, now_ms=db.now_ms, caller="test"
    )
    db.do(transition, Switched)


def enable(db: ScratchDatabase, webhook_id: str, *, discard: bool = False) -> None:
    transition = EnableWebhook(
        workspace_id="acme",
        webhook_id=webhook_id,
        discard=discard,
        now_ms=db.now_ms,
        caller="test",
    )
    db.do(transition, Switched)


def holds(db: ScratchDatabase, webhook_id: str) -> int:
    """How many messages wait in its windows, queue and dead letters."""
    state = db.view().named(webhook_id).state
    return state.queued_messages + state.buffered_messages + state.dead_letter_messages


def is_sound(db: ScratchDatabase) -> bool:
    with db.env.read() as txn:
        return not list(check(txn))
