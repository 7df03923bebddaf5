"""A webhook with records of every kind, deleted, and erased step by step; the check after each."""

from typing import Any

from hookbundle.engine.preconditions import Precondition
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.transitions.repeating.replaying import Replaying, StartReplay
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep, WebhookErasing
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import (
    ChangeWebhook,
    DeleteWebhook,
    WebhookChanged,
    WebhookDeleted,
)
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.populated import recording
from hookbundle.tests.storage.scratch import NO, OK, PRODUCT, ScratchDatabase, incoming
from hookbundle.tests.storage.webhooks import CRM_URL, add_webhook

STEPS_MAX = 200


def changing(db: ScratchDatabase, webhook_id: str = "crm", **given: Any) -> ChangeWebhook:
    """By default what PATCH asks for; `must_match` and `may_create` make it PUT."""
    names = ("precondition", "may_create", "must_match", "secret", "ws")
    how = {name: given.pop(name) for name in names if name in given}
    return ChangeWebhook(
        workspace_id=how.get("ws", "acme"),
        webhook_id=webhook_id,
        changes=WebhookChanges(**given),
        precondition=how.get("precondition"),
        may_create=how.get("may_create", False),
        must_match=how.get("must_match", False),
        new_secret=how.get("secret", f"whsec_{webhook_id}"),
        now_ms=db.now_ms,
        caller="test",
    )


def put(db: ScratchDatabase, webhook_id: str = "crm", **given: Any) -> WebhookChanged:
    how = {"url": CRM_URL, "may_create": True, "must_match": True, **given}
    return db.do(changing(db, webhook_id, **how), WebhookChanged)


def drop(
    db: ScratchDatabase,
    webhook_id: str = "crm",
    precondition: Precondition | None = None,
    most: int | None = None,
) -> WebhookDeleted:
    return db.do(dropping(db, webhook_id, precondition, most), WebhookDeleted)


def dropping(
    db: ScratchDatabase,
    webhook_id: str = "crm",
    precondition: Precondition | None = None,
    most: int | None = None,
) -> DeleteWebhook:
    return DeleteWebhook(
        workspace_id="acme",
        webhook_id=webhook_id,
        precondition=precondition,
        now_ms=db.now_ms,
        caller="test",
        messages_most=most,
    )


def step(db: ScratchDatabase, row: Due, most: int = 2) -> bool:
    """The next step of the row's chain, as the timer takes it. True if its chain is over."""
    if row.kind is DueKind.RETIME:
        return db.do(RetimeWindows(row.number, most, db.now_ms, PRODUCT), Retimed).finished
    return db.do(DeleteStep(row.number, most, db.now_ms), WebhookErasing).finished


def chain(db: ScratchDatabase) -> list[Due]:
    """Rows of the due index that go on with erasing webhooks."""
    return [*db.dues(DueKind.RETIME), *db.dues(DueKind.DELETE)]


def erase(db: ScratchDatabase, most: int = 2) -> int:
    """Erases all that was deleted, and looks at the database after each step. Returns how many."""
    for steps in range(STEPS_MAX):
        rows = chain(db)
        if not rows:
            return steps
        step(db, rows[0], most)
        assert_sound(db)
    raise AssertionError(f"it is not erased after {STEPS_MAX} steps: {chain(db)}")


def rows_of(db: ScratchDatabase, number: int) -> list[bytes]:
    """All keys that belong to the webhook, which is not its workspace's first."""
    return [key for key in db.dump() if number in _owners(key)]


def _owners(key: bytes) -> set[int]:
    """The numbers of webhooks in a key."""
    letter = key[:1]
    if letter == keyspace.DUES:
        row = key_fields.due(key)
        return {row.number} if row.kind is not DueKind.MAIL else set()
    if letter == keyspace.WEBHOOKS:
        return {int.from_bytes(key[5:9], "big")}
    if letter == keyspace.PARTS:
        return {key_fields.part(key)[2]}
    if letter in (keyspace.CHAT_DELIVERIES, keyspace.ENDED):
        return {key_fields.chat_delivery(key)[1]}
    owned = (keyspace.STATES, *keyspace.OF_A_WEBHOOK)
    return {key_fields.owner(key)} if letter in owned else set()


def busy(db: ScratchDatabase, webhook_id: str = "crm") -> int:
    """`acme` has `outbound` and this one, which has records of nearly every kind.

    Of each the same: windows with parts, a queue, dead letters, history, a resend of a replay that
    goes on, a test, and an attempt under way.
    """
    db.workspace()
    crm = add_webhook(db, "acme", webhook_id)
    for chat in ("c0", "c1", "c2", "c3", "c4"):
        db.accept("m1", "m2", chat=chat)
        db.seal(chat)
    for number in (1, crm):
        db.attempt(OK, number)
        for _ in range(3):
            db.attempt(NO, number)  # the third makes it a dead letter
        db.done(recording(db, number))
        db.wait(number)
        db.begun(number)
        replay(db, number)
        db.do(ReplayStep(number, 1, db.now_ms), Replayed)
    db.accept(*(incoming(f"l{i}", text="t" * 600) for i in range(20)), chat="c0")
    db.accept("n1", chat="c1")
    db.accept("n2", chat="new")
    assert_sound(db)
    return crm


def replay(db: ScratchDatabase, number: int) -> None:
    """Of what the webhook has delivered."""
    (webhook_id,) = (
        view.webhook.id for view in db.view().webhooks if view.webhook.number == number
    )
    start = StartReplay(
        workspace_id="acme",
        webhook_id=webhook_id,
        wanted=ReplayFilter(states=("delivered",)),
        deliveries=1,
        messages=1,
        now_ms=db.now_ms,
        caller="test",
    )
    db.do(start, Replaying)
