"""Rendered bodies go with their deliveries, however these go."""

from hookbundle.storage.database import keyspace
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep, WebhookErasing
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.storage import deleting
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import NEVER_MS, OK, PRODUCT, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.rendering.rendered import NOTE, begun
from hookbundle.tests.storage.webhooks import add_webhook, leave


def rendered_rows(db: ScratchDatabase) -> int:
    return sum(key.startswith(keyspace.RENDERED) for key in db.dump())


def sent(db: ScratchDatabase, *chats: str, webhook: int = 1) -> None:
    """A delivered bundle of each chat, and of the last one a second that waits after an error."""
    for chat in chats:
        db.accept(f"m{db.now_ms}", chat=chat)
        db.seal(chat)
        db.finish(begun(db, webhook), OK, ws=webhook)
        db.now_ms += 1_000
    db.accept(f"m{db.now_ms}", chat=chats[-1])
    db.seal(chats[-1])
    db.finish(begun(db, webhook), failed(), ws=webhook)
    assert rendered_rows(db) == len(chats) + 1


def test_with_a_deleted_chat(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE)
    sent(db, "a", "b")

    deleting.delete_chat(db, "b")
    deleting.erase(db)

    assert rendered_rows(db) == 1
    assert_sound(db)


def test_with_a_deleted_workspace(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE)
    sent(db, "a")

    deleting.delete(db)
    deleting.erase(db)

    assert rendered_rows(db) == 0


def test_with_a_deleted_webhook(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    crm = add_webhook(db, "acme", "crm", format=NOTE)
    sent(db, "a", webhook=crm)

    leave(db, "acme", "crm")
    while not db.do(RetimeWindows(crm, 9, db.now_ms, PRODUCT), Retimed).finished:
        pass
    while not db.do(DeleteStep(crm, 1, db.now_ms), WebhookErasing).finished:
        assert_sound(db)

    assert rendered_rows(db) == 0
    assert_sound(db)


def test_with_history_that_is_trimmed(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE)
    for number in range(101):  # more than the logs show
        db.accept(f"m{number}", chat=f"c{number}")
        db.seal(f"c{number}")
        db.finish(begun(db), OK)
    trim = TrimHistory(
        workspace_number=1, before_ms=NEVER_MS, bytes_max=0, most=1_000, now_ms=db.now_ms
    )

    trimmed = db.do(trim, Trimmed)

    assert trimmed.freed_bytes > 0
    assert rendered_rows(db) == 100
    assert_sound(db)


def test_with_a_delivery_whose_head_is_damaged(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE)
    sent(db, "a")
    with db.env.write() as txn:
        key = keyspace.owned_numbered(keyspace.DELIVERIES, 1, 1)
        txn.put(key, b"damaged")

    deleting.delete_chat(db, "a")
    while not deleting.step(db).finished:
        pass

    assert rendered_rows(db) == 0
