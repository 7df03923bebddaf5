"""A webhook deleted: gone at once, erased step by step, nothing of anybody else's touched."""

import msgspec
import pytest

from hookbundle.engine.errors import Changed, Code, Conflict, NotFound
from hookbundle.engine.preconditions import at_version
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.storage.transitions.webhooks.lifetime import WebhookDeleted
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import HOUR_MS, OK, ScratchDatabase, failed
from hookbundle.tests.storage.tables.routing.webhooks import disable, enable
from hookbundle.tests.storage.transitions.webhooks.leaving import (
    busy,
    chain,
    drop,
    dropping,
    erase,
    put,
    rows_of,
    step,
)
from hookbundle.tests.storage.webhooks import add_webhook


def test_a_deleted_webhook_is_found_by_nobody(db: ScratchDatabase) -> None:
    crm = busy(db)

    deleted = drop(db)

    assert deleted == WebhookDeleted(windows=3, deliveries=4, messages=4 * 2 + 22)
    assert [each.webhook.id for each in db.view().webhooks] == ["outbound"]
    with pytest.raises(NotFound):
        db.view().named("crm")
    with pytest.raises(NotFound):
        drop(db)
    with pytest.raises(NotFound):
        db.do(BeginAttempt(crm, db.now_ms), Begun)
    assert crm not in db.reads.ready(0, 10)
    assert_sound(db)


def test_it_is_erased_in_steps_until_nothing_but_the_feed_knows_of_it(db: ScratchDatabase) -> None:
    crm = busy(db)
    before = {key: db.dump()[key] for key in rows_of(db, 1) if key[:1] != b"S"}
    drop(db)

    steps = erase(db)

    assert steps > 5
    assert rows_of(db, crm) == []
    record = db.chat("c0")
    assert record is not None
    assert [each.webhook for each in record.collecting] == [1]
    changed = {k for k in before if k[:1] not in b"AV"}  # it has the lines about the workspace
    assert {key: db.dump()[key] for key in changed} == {key: before[key] for key in changed}
    told = db.events("webhook.deleted", "webhook.erased")
    assert [(fact["type"], fact["webhook"]) for fact in told] == [
        ("webhook.deleted", "crm"),
        ("webhook.erased", "crm"),
    ]


def test_what_it_counted_is_counted_no_longer(db: ScratchDatabase) -> None:
    db.workspace()
    for chat in ("c0", "c1"):
        db.accept("m1", chat=chat)
    before, usage = msgspec.structs.asdict(db.reads.meta()), db.view().usage
    kept = ("windows", "queued", "dead_letters", "resending", "history_bytes")
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    db.accept("m2", chat="c0")
    db.attempt(OK, crm)
    db.accept("m3", "m4", chat="c1")
    for _ in range(11):
        db.attempt(failed(), crm)

    drop(db)
    erase(db)

    meta = msgspec.structs.asdict(db.reads.meta())
    assert {name: meta[name] for name in kept} == {name: before[name] for name in kept}
    now = db.view().usage
    assert (now.history, now.history_bytes, now.test_bytes) == (
        usage.history,
        usage.history_bytes,
        usage.test_bytes,
    )
    assert meta["totals"].discarded == 2


def test_what_a_discard_has_only_marked_is_erased_with_the_rest(db: ScratchDatabase) -> None:
    crm = busy(db)
    disable(db, "crm")
    enable(db, "crm", discard=True)
    discarded = db.reads.meta().totals.discarded

    deleted = drop(db)
    db.do(MoveDeliveries(crm, 1, db.now_ms), Moved)
    assert_sound(db)
    erase(db)

    assert deleted.deliveries == 1  # the one under way
    assert rows_of(db, crm) == []
    assert db.dues(DueKind.MOVE) == []
    assert db.reads.meta().totals.discarded == discarded + 1


@pytest.mark.parametrize("after", range(12))
def test_the_steps_go_on_after_a_crash_between_any_two(db: ScratchDatabase, after: int) -> None:
    crm = busy(db)
    drop(db)
    for _ in range(after):
        if chain(db):
            step(db, chain(db)[0])

    db.reopen()
    erase(db)

    assert rows_of(db, crm) == []


@pytest.mark.parametrize("most", [1, 3, 500])
def test_steps_of_any_size_erase_it(db: ScratchDatabase, most: int) -> None:
    crm = busy(db)
    drop(db)

    erase(db, most)

    assert rows_of(db, crm) == []


def test_one_that_is_being_retimed_already_is_erased_once(db: ScratchDatabase) -> None:
    """Its windows were sealed meanwhile: a re-timing that finds none is under way."""
    db.workspace()
    crm = add_webhook(db, "acme", "crm")
    db.accept("m1")
    version = db.view().named("crm").webhook.version
    put(db, aggregation_ms=2 * HOUR_MS, precondition=at_version(version))
    db.seal()
    assert [row.number for row in db.dues(DueKind.RETIME)] == [crm]

    drop(db)
    assert_sound(db)
    erase(db)

    assert rows_of(db, crm) == []


def test_it_sends_nothing_that_was_ready_or_waited(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    waits, ready = (add_webhook(db, "acme", each, aggregation_ms=0) for each in ("b", "c"))
    db.accept("m1")
    db.attempt(failed(), waits)

    drop(db, "b")
    drop(db, "c")

    assert db.reads.ready(0, 10) == [1]
    assert db.dues(DueKind.RETRY) == []
    assert_sound(db)
    erase(db)
    assert rows_of(db, waits) == rows_of(db, ready) == []


def test_the_only_one_stays(db: ScratchDatabase) -> None:
    db.workspace()
    before = db.dump()

    with pytest.raises(Conflict) as refused:
        drop(db, "outbound")

    assert refused.value.code is Code.LAST_WEBHOOK
    assert db.dump() == before


def test_another_version_or_more_messages_than_the_caller_saw_are_not_deleted(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    add_webhook(db, "acme", "crm")
    version = db.view().named("crm").webhook.version
    db.accept("m1", "m2")
    before = db.dump()

    with pytest.raises(Changed) as stale:
        drop(db, precondition=at_version(version + 1))
    with pytest.raises(Changed) as more:
        drop(db, most=1)

    assert stale.value.code is Code.WEBHOOK_CHANGED
    assert more.value.code is Code.MORE_TO_DISCARD
    assert db.dump() == before
    assert drop(db, precondition=at_version(version), most=2).messages == 2


def test_in_the_commit_in_which_it_got_its_first_message_it_is_erased_all_the_same(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    crm = add_webhook(db, "acme", "crm")

    db.group(db.accepting("m1"), dropping(db), db.accepting("m2"))
    assert_sound(db)
    erase(db)

    assert rows_of(db, crm) == []
    assert db.view().state.buffered_messages == 2
