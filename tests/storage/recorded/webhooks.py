"""Of the recorded life: a second webhook that is disabled, merged, and deleted with all it has."""

from typing import Any

from hookbundle.engine.filters.parsing import written
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep, WebhookErasing
from hookbundle.storage.transitions.timed.merge_steps import Merged, MergeStep
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook
from hookbundle.tests.storage.scratch import OK, PRODUCT, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook, leave, seal_only

SEVERAL = "many"


def several(db: ScratchDatabase) -> None:
    """Of a workspace of its own, which has `outbound` alone before and after."""
    ws = db.workspace(SEVERAL)
    of_crm: dict[str, Any] = {"workspace_id": SEVERAL, "webhook_id": "crm", "caller": "test"}
    number = add_webhook(db, SEVERAL, "crm", filter=written({"text_contains": "several"}))
    db.accept("v0", ws=ws, chat="v")  # one that the filter does not want
    db.do(DisableWebhook(now_ms=db.now_ms, **of_crm), Switched)
    for chat, message_id in (("v", "several 1"), ("u", "several 2"), ("v", "several 3")):
        db.accept(message_id, ws=ws, chat=chat)
        seal_only(db, "crm", SEVERAL, chat)
    db.accept("several 4", "several 5", ws=ws, chat="w")  # in an open window, when it is deleted
    db.do(MergeWebhook(now_ms=db.now_ms, **of_crm), MergeBegun)
    while db.dues(DueKind.MERGE):
        db.do(MergeStep(number, 1, db.now_ms, PRODUCT), Merged)
    db.do(EnableWebhook(discard=False, now_ms=db.now_ms, **of_crm), Switched)
    db.attempt(OK, number)
    leave(db, SEVERAL, "crm")
    while db.dues(DueKind.RETIME):
        db.do(RetimeWindows(number, 2, db.now_ms, PRODUCT), Retimed)
    while db.dues(DueKind.DELETE):
        db.do(DeleteStep(number, 1, db.now_ms), WebhookErasing)
