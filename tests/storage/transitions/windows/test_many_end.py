"""Messages that end more windows than one transition may seal: they are sealed before, in steps."""

from typing import Any

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.sealing import DueSealed, SealDue, Sealed, SealWindow
from hookbundle.storage.transitions.unfinished import Unfinished
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, ScratchDatabase, incoming
from hookbundle.tests.storage.transitions.windows.ruled import window
from hookbundle.tests.storage.transitions.windows.stepping import steps, weighed
from hookbundle.tests.storage.webhooks import add_webhook

NAMES = ("outbound", "b", "c", "d", "e", "f", "g")
TEXT = "x" * 30_000
FULL = 15  # such messages, and no more, are in a bundle; a step seals three of them


def lives_of(db: ScratchDatabase, **settings: Any) -> None:
    db.workspace(**settings)
    for name in NAMES[1:]:
        add_webhook(db, "acme", name, **settings)


def fill(db: ScratchDatabase) -> None:
    """All windows are full, by their bytes."""
    for number in range(FULL):
        db.accept(incoming(f"m{number}", db.now_ms, text=TEXT))
    assert [len(db.queued(webhook_id=name)) for name in NAMES] == [0] * len(NAMES)


def queued(db: ScratchDatabase) -> list[list[list[str]]]:
    """The ids in the bundles of each webhook."""
    return [[ids_in(each) for each in db.queued(webhook_id=name)] for name in NAMES]


FIRST = [f"m{number}" for number in range(FULL)]


def test_they_are_sealed_some_at_a_time_and_then_the_message_is_taken(db: ScratchDatabase) -> None:
    lives_of(db)
    fill(db)
    late = db.accepting(incoming("late", db.now_ms, text=TEXT))

    seen = []
    for result in steps(db, late, Accepted):
        seen.append(sum(len(each) for each in queued(db)))
        if isinstance(result, Unfinished):
            assert not db.events("message.received")[FULL:], "it was accepted before its last step"

    assert seen == [3, 6, 7]
    assert queued(db) == [[FIRST]] * len(NAMES)
    assert {each.reason for name in NAMES for each in db.queued(webhook_id=name)} == {"size"}
    assert isinstance(result, Accepted)
    assert result.accepted == 1
    assert len(result.wake) == len(NAMES)
    record = db.chat()
    assert record is not None
    assert [each.window and each.window.count for each in record.collecting] == [1] * len(NAMES)


def test_no_step_weighs_more_than_a_step_and_one_window(db: ScratchDatabase) -> None:
    lives_of(db)
    fill(db)

    weights, result = weighed(db, db.accepting(incoming("late", db.now_ms, text=TEXT)))

    assert isinstance(result, Accepted)
    assert len(weights) == 3
    assert max(weights) < 2 * limits.STEP_WEIGHT


def test_windows_whose_time_is_up_end_for_that_reason(db: ScratchDatabase) -> None:
    lives_of(db)
    fill(db)
    db.now_ms += HOUR_MS

    *unfinished, result = steps(db, db.accepting("late"), Accepted)

    assert len(unfinished) == 2
    assert isinstance(result, Accepted)
    assert {each.reason for name in NAMES for each in db.queued(webhook_id=name)} == {"time"}


@pytest.mark.parametrize(
    ("rule", "later_ms", "reason"),
    [({"quiet": "30m"}, HOUR_MS, "quiet"), ({"quiet": "30m", "max": "24h"}, 0, "size")],
)
def test_windows_by_rule_end_as_they_would_together(
    db: ScratchDatabase, rule: Any, later_ms: int, reason: str
) -> None:
    lives_of(db, window=window(rule))
    fill(db)
    db.now_ms += later_ms

    *unfinished, result = steps(db, db.accepting(incoming("late", db.now_ms, text=TEXT)), Accepted)

    assert len(unfinished) == 2
    assert isinstance(result, Accepted)
    assert queued(db) == [[FIRST]] * len(NAMES)
    assert {each.reason for name in NAMES for each in db.queued(webhook_id=name)} == {reason}


def test_windows_that_are_little_work_end_with_the_message(db: ScratchDatabase) -> None:
    lives_of(db, messages_max=2)
    db.accept("m1")

    assert db.accept("m2", "m3").accepted == 2

    assert queued(db) == [[["m1", "m2"]]] * len(NAMES)


def test_a_single_webhook_needs_no_steps(db: ScratchDatabase) -> None:
    db.workspace()
    for number in range(3 * FULL + 1):
        assert db.accept(incoming(f"m{number}", db.now_ms, text=TEXT)).accepted == 1

    assert [len(ids_in(each)) for each in db.queued()] == [FULL] * 3


def test_full_windows_that_are_too_many_are_sealed_by_the_timer_and_are_full(
    db: ScratchDatabase,
) -> None:
    lives_of(db, messages_max=FULL)
    for number in range(FULL - 1):
        db.accept(incoming(f"m{number}", db.now_ms, text=TEXT))

    db.accept(incoming(FIRST[-1], db.now_ms, text=TEXT))

    at_once = sum(len(each) for each in queued(db))
    rows = [row for row in db.dues(DueKind.WINDOW) if row.at_ms <= db.now_ms]
    assert (at_once, len(rows)) == (3, 4)
    while rows := [row for row in db.dues(DueKind.WINDOW) if row.at_ms <= db.now_ms]:
        db.do(SealDue(tuple(rows), db.now_ms, PRODUCT), DueSealed)
    assert queued(db) == [[FIRST]] * len(NAMES)
    assert {each.reason for name in NAMES for each in db.queued(webhook_id=name)} == {"size"}


def test_and_so_are_those_by_rule(db: ScratchDatabase) -> None:
    lives_of(db, messages_max=FULL, window=window({"quiet": "30m"}))
    for message in FIRST:
        db.accept(incoming(message, db.now_ms, text=TEXT))

    while rows := [row for row in db.dues(DueKind.WINDOW) if row.at_ms <= db.now_ms]:
        db.do(SealDue(tuple(rows), db.now_ms, PRODUCT), DueSealed)

    assert queued(db) == [[FIRST]] * len(NAMES)
    assert {each.reason for name in NAMES for each in db.queued(webhook_id=name)} == {"size"}


def test_after_a_crash_between_two_steps_nothing_is_lost_or_twice(db: ScratchDatabase) -> None:
    lives_of(db)
    fill(db)
    late = db.accepting(incoming("late", db.now_ms, text=TEXT))
    db.do(late, Unfinished)
    db.reopen()

    *_, result = steps(db, late, Accepted)

    assert isinstance(result, Accepted)
    assert (result.accepted, result.duplicate) == (1, 0)
    assert queued(db) == [[FIRST]] * len(NAMES)


def test_a_flush_seals_some_at_a_time_and_says_how_many_messages_it_sealed(
    db: ScratchDatabase,
) -> None:
    lives_of(db)
    fill(db)
    flush = SealWindow(workspace_number=1, chat_id="c", now_ms=db.now_ms, product_name=PRODUCT)

    *unfinished, result = steps(db, flush, Sealed)

    assert len(unfinished) == 2
    assert isinstance(result, Sealed)
    assert result.messages == FULL * len(NAMES)
    assert len(result.wake) == len(NAMES)
    assert queued(db) == [[FIRST]] * len(NAMES)


def test_a_damaged_window_refuses_the_message_and_the_others_are_whole(
    db: ScratchDatabase,
) -> None:
    lives_of(db)
    fill(db)
    last = db.view("acme").named("g").webhook.number
    key = keyspace.part(1, b"c", last, 0)
    with db.env.write() as txn:
        txn.put(key, bytes(txn.get(key) or b"")[:-9])

    with pytest.raises(CorruptRecord):
        list(steps(db, db.accepting(incoming("late", db.now_ms, text=TEXT)), Accepted))

    assert [len(each) for each in queued(db)] == [1, 1, 1, 1, 1, 1, 0]
    assert len(db.events("message.received")) == FULL
