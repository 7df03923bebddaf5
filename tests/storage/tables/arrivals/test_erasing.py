"""Of what is deleted it is not known either when its messages came."""

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.deliveries import DiscardDelivery, Discarded
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep, WebhookErasing
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.storage.arriving import DAY_MS, counts, in_record, rows_of
from hookbundle.tests.storage.deleting import assert_sound, delete, delete_chat, erase
from hookbundle.tests.storage.scratch import PRODUCT, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook, leave


def fill(db: ScratchDatabase, chat: str = "c", ws: int = 1, days: int = 3) -> None:
    """The chat has a row of each day, and one arrival in its record."""
    for _ in range(days):
        db.accept(*(f"{db.now_ms}-{each}" for each in range(24)), chat=chat, ws=ws)
        db.now_ms += DAY_MS
    db.accept(f"{db.now_ms}", chat=chat, ws=ws)


def chats_of(db: ScratchDatabase) -> set[str]:
    return {chat for _, chat, _, _ in rows_of(db)}


def leave_and_erase(db: ScratchDatabase, webhook_id: str) -> None:
    """The webhook is deleted, and erased as the timer does it."""
    number = db.view().named(webhook_id).webhook.number
    leave(db, "acme", webhook_id)
    assert_sound(db)
    while not db.do(RetimeWindows(number, 1, db.now_ms, PRODUCT), Retimed).finished:
        assert_sound(db)
    while not db.do(DeleteStep(number, 2, db.now_ms), WebhookErasing).finished:
        assert_sound(db)
    assert_sound(db)


def test_a_deleted_chat_has_none_for_any_webhook(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    add_webhook(db, "acme", "crm")
    fill(db)
    fill(db, "ca")

    delete_chat(db)
    assert_sound(db)
    erase(db)

    assert chats_of(db) == {"ca"}


def test_a_chat_of_which_nothing_else_is_left_is_erased(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1")
    db.seal()
    discard = DiscardDelivery(
        workspace_id="acme",
        number=1,
        reason="a test",
        alive_since_ms=0,
        now_ms=db.now_ms,
        caller="test",
    )
    db.do(discard, Discarded)
    for number in range(12):  # the activity log shows it no longer
        db.change("acme", name=f"name {number}")
    trim = {"before_ms": db.now_ms, "bytes_max": 0, "most": 10, "now_ms": db.now_ms}
    db.do(TrimHistory(workspace_number=1, **trim), Trimmed)
    db.now_ms += 3 * DAY_MS
    db.done(Forget(tuple(db.dues(DueKind.FORGET)), db.now_ms))
    assert (db.chat(), chats_of(db), db.delivery(1)) == (None, {"c"}, None)

    delete_chat(db)
    while db.dues(DueKind.ERASE):
        erase(db)

    assert rows_of(db) == []


def test_a_chat_that_began_anew_keeps_what_came_since(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    fill(db)

    delete_chat(db)
    db.now_ms += 1
    db.accept(*(f"new {number}" for number in range(30)))
    erase(db)

    assert counts(db) == [24]
    assert len(in_record(db)) == 6


def test_a_deleted_webhook_leaves_none_also_in_chats_without_a_window(db: ScratchDatabase) -> None:
    db.workspace()
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    fill(db)
    assert len(in_record(db, webhook=crm)) == 1

    leave_and_erase(db, "crm")

    assert {webhook for webhook, *_ in rows_of(db)} == {1}
    record = db.chat()
    assert record is not None
    assert [each.webhook for each in record.collecting] == [1]


def test_the_last_webhook_with_arrivals_takes_the_row_of_the_due_index_along(
    db: ScratchDatabase,
) -> None:
    db.workspace(filter=b'{"chat_ids":["none"]}')
    add_webhook(db, "acme", "crm")
    fill(db)

    leave_and_erase(db, "crm")

    assert (rows_of(db), db.dues(DueKind.ARRIVALS)) == ([], [])
    assert db.view().usage.arrival_bytes == 0


def test_a_deleted_workspace_leaves_none(db: ScratchDatabase) -> None:
    db.workspace()
    add_webhook(db, "acme", "crm")
    fill(db)
    other = db.workspace("other")
    fill(db, ws=other)

    delete(db)
    assert_sound(db)
    erase(db)

    assert {webhook for webhook, *_ in rows_of(db)} == {other}
    assert [row.number for row in db.dues(DueKind.ARRIVALS)] == [other]
