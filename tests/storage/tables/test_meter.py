"""The meter of a webhook counts what is sealed for it, on the day, whatever becomes of it."""

from hookbundle.engine.windows import meter
from hookbundle.engine.windows.meter import Count
from hookbundle.tests.storage.arriving import DAY_MS
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase
from hookbundle.tests.storage.transitions.timed.merging import disabled, merge, merge_on
from hookbundle.tests.storage.webhooks import add_webhook


def total(db: ScratchDatabase, days: int = 7, webhook: str = "outbound") -> Count:
    return meter.total(db.view().named(webhook).state.meter, db.now_ms, days)


def test_bundles_and_single_messages_are_calls(db: ScratchDatabase) -> None:
    db.workspace()
    add_webhook(db, "acme", "crm", aggregation_ms=0)

    db.accept("m1", "m2", "m3")
    assert (total(db), total(db, webhook="crm")) == (Count(0, 0), Count(3, 3))
    db.seal()

    assert total(db) == Count(3, 1)


def test_what_becomes_of_a_delivery_changes_nothing(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")

    db.attempt(OK)
    for _ in range(3):
        db.attempt(NO)
    db.enable()
    db.enable(discard=True)

    assert total(db) == Count(2, 2)


def test_merged_deliveries_are_one_call_and_their_messages_stay_on_their_days(
    db: ScratchDatabase,
) -> None:
    disabled(db, ("c", "m1 m2"))
    db.now_ms += DAY_MS
    db.accept("m3")
    db.seal()
    assert total(db) == Count(3, 2)

    merge(db)
    merge_on(db)

    assert [each.messages for each in db.queued()] == [3]
    assert total(db) == Count(3, 1)
    assert total(db, days=1) == Count(1, 0)
