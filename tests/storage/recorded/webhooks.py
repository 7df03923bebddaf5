"""Of the recorded life: windows by rule; a second webhook that is merged, and then deleted."""

from typing import Any

from hookbundle.engine.filters.parsing import written
from hookbundle.engine.windows.parsing import written as written_window
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep, WebhookErasing
from hookbundle.storage.transitions.timed.merge_steps import Merged, MergeStep
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook
from hookbundle.tests.storage.scratch import OK, PRODUCT, ScratchDatabase
from hookbundle.tests.storage.transitions.rendering import rendered
from hookbundle.tests.storage.webhooks import add_webhook, leave, seal_only

SEVERAL, RULED, FORMATTED = "many", "ruled", "formatted"
MINUTE_MS = 60_000


def of_webhooks(db: ScratchDatabase) -> None:
    several(db)
    by_rule(db)
    formatted(db)


def formatted(db: ScratchDatabase) -> None:
    """Of a workspace of its own: a body of a format that is sent, and one that can't be made."""
    ws = db.workspace(FORMATTED, aggregation_ms=0, format=rendered.NOTE)
    db.accept("f1", "f2", ws=ws, chat="f")
    db.finish(rendered.begun(db, ws), OK, ws=ws)
    rendered.store(db, rendered.asked(db, ws), rendered.BROKEN)


def by_rule(db: ScratchDatabase) -> None:
    """Of a workspace of its own: a first message, a window that stays empty, a new rule."""
    quiet = written_window({"quiet": "10m", "first": "now"})
    ws = db.workspace(RULED, window=quiet)
    db.accept("r1", ws=ws, chat="r")
    db.accept("r1", "r2", "r3", ws=ws, chat="r")
    db.accept("s1", ws=ws, chat="s")
    db.now_ms += 10 * MINUTE_MS
    rows = tuple(row for row in db.dues(DueKind.WINDOW) if row.number == ws)
    db.do(SealDue(rows, db.now_ms, PRODUCT), DueSealed)
    db.accept("r4", "r5", ws=ws, chat="r")
    by_text = {"match": {"text_contains": "r4"}, "window": {"at": ["18:00"]}}
    rules = written_window({"rules": [by_text], "else": {"quiet": "1m"}})
    db.change(RULED, window=rules)
    while db.dues(DueKind.RETIME):
        db.do(RetimeWindows(ws, 2, db.now_ms, PRODUCT), Retimed)
    db.change(RULED, time_zone="Asia/Jerusalem")
    db.accept("r6", ws=ws, chat="r")
    while db.dues(DueKind.RETIME):
        db.do(RetimeWindows(ws, 2, db.now_ms, PRODUCT), Retimed)


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
