"""When a message arrives it costs four bytes, and a row now and then; nobody's are lost or kept."""

import pytest

from hookbundle.engine import limits
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.tests.storage.arriving import (
    DAY_MS,
    MIDNIGHT_MS,
    counts,
    days,
    in_record,
    rows_of,
    trim_if_due,
)
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, ScratchDatabase, incoming
from hookbundle.tests.storage.webhooks import add_webhook

TODAY = START_MS // DAY_MS


def forget(db: ScratchDatabase) -> None:
    rows = tuple(row for row in db.dues(DueKind.FORGET) if row.at_ms <= db.now_ms)
    db.done(Forget(rows, db.now_ms))


@pytest.mark.parametrize("aggregation_ms", [0, HOUR_MS])
def test_what_has_left_is_in_the_chats_record_whatever_the_window(
    db: ScratchDatabase, aggregation_ms: int
) -> None:
    db.workspace(aggregation_ms=aggregation_ms)

    db.accept(incoming("m1", text="x" * 3_200))
    db.now_ms += 90_500
    db.accept("m2")
    db.seal()

    (first, second) = in_record(db)
    assert (first.at_ms, second.at_ms) == (START_MS, START_MS + 90_000)
    assert 2 * 3_200 < first.weight < 2 * 3_600
    assert rows_of(db) == []


def test_what_is_enough_for_a_row_is_moved_to_one(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)

    for number in range(50):
        db.now_ms += 1_000
        db.accept(f"m{number}")

    assert counts(db) == [24, 24]
    assert len(in_record(db)) == 2
    assert_sound(db)


def test_a_bundle_is_a_row_and_a_repeat_is_not_counted(db: ScratchDatabase) -> None:
    db.workspace()

    db.accept(*(f"m{number}" for number in range(100)))
    db.accept(*(f"m{number}" for number in range(101)))
    assert (rows_of(db), in_record(db)) == ([], [])
    db.seal()

    assert counts(db) == [101]
    assert_sound(db)


def test_small_bundles_gather_in_the_record(db: ScratchDatabase) -> None:
    db.workspace()

    for number in range(9):
        db.accept(*(f"{number}-{each}" for each in range(5)))
        db.seal()

    assert counts(db) == [25]
    assert len(in_record(db)) == 20


def test_a_window_of_several_days_is_noted_on_each(db: ScratchDatabase) -> None:
    """Its messages, in the order in which they came, not in that of their timestamps."""
    db.workspace(aggregation_ms=24 * HOUR_MS)
    db.now_ms = MIDNIGHT_MS - 2_000
    for number in range(5):
        db.accept(incoming(f"m{number}", START_MS - number))
        db.now_ms += 1_000

    db.seal()

    assert rows_of(db) == [(1, "c", TODAY, 2)]
    assert [each.at_ms - MIDNIGHT_MS for each in in_record(db)] == [0, 1_000, 2_000]
    assert_sound(db)


def test_what_is_moved_in_the_same_millisecond_is_not_lost(db: ScratchDatabase) -> None:
    db.workspace()

    for batch in range(3):
        db.accept(*(f"{batch}-{number}" for number in range(30)))
        db.seal()

    assert counts(db) == [90]
    assert_sound(db)


def test_a_new_day_begins_with_an_empty_record(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.now_ms = MIDNIGHT_MS - 1
    db.accept("m1")

    db.now_ms = MIDNIGHT_MS
    db.accept("m2")

    assert rows_of(db) == [(1, "c", TODAY, 1)]
    assert [each.at_ms for each in in_record(db)] == [MIDNIGHT_MS]


def test_each_webhook_knows_what_it_was_offered(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0, filter=b'{"chat_ids":["vip"]}')

    db.accept("m1", "m2")
    db.accept(incoming("m3", chat=b'{"chat_id":"vip"}'), chat="vip")

    found = [len(in_record(db, chat, number)) for chat in ("c", "vip") for number in (1, crm)]
    assert found == [2, 0, 1, 1]


def test_a_record_of_twenty_webhooks_does_not_grow_twentyfold(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(19):
        add_webhook(db, "acme", f"w{number}", aggregation_ms=0)

    for number in range(25):
        db.accept(f"m{number}")
        record = db.chat()
        assert record is not None
        assert sum(len(each.arrivals) for each in record.collecting) <= 20 * 16

    assert sum(counts(db)) == 20 * 25
    assert_sound(db)


def test_a_forgotten_chat_leaves_its_arrivals(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")

    db.now_ms += limits.REMEMBERED_MS
    forget(db)

    assert db.chat() is None
    assert rows_of(db) == [(1, "c", TODAY, 1)]
    assert_sound(db)


def test_arrivals_that_are_too_old_when_their_chat_is_forgotten_are_gone(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")

    db.now_ms += 12 * DAY_MS
    forget(db)

    assert (db.chat(), rows_of(db)) == (None, [])


@pytest.mark.parametrize("wanted", ["by the other", "by none"])
def test_a_live_chat_keeps_no_old_arrivals_of_a_webhook_that_gets_nothing_any_more(
    db: ScratchDatabase, wanted: str
) -> None:
    db.workspace(aggregation_ms=0)
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    db.accept("m1")
    for webhook in ("outbound", "crm") if wanted == "by none" else ("crm",):
        add_webhook(db, "acme", webhook, filter=b'{"chat_ids":["vip"]}')

    for _ in range(13):
        db.now_ms += DAY_MS
        db.accept(f"at {db.now_ms}")
        forget(db)
        trim_if_due(db)

    assert in_record(db, webhook=crm) == []
    assert [row for row in rows_of(db) if row[0] == crm] == []


def test_a_workspace_past_its_bound_keeps_no_more_of_today_and_says_since_when_it_knows(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARRIVALS_BYTES_MAX", 1_000)
    db.workspace(aggregation_ms=0)
    before_ms = db.view().usage.arrivals_since_ms

    for number in range(50):
        db.now_ms += 1_000
        db.accept(*(f"{number}-{each}" for each in range(24)))
        trim_if_due(db)

    usage = db.view().usage
    assert usage.arrival_bytes < 1_000 * 5 // 4 + 200
    assert (before_ms, usage.arrivals_since_ms) == (START_MS, db.now_ms)
    assert_sound(db)


def test_a_workspace_past_its_bound_loses_its_oldest_days_first(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARRIVALS_BYTES_MAX", 1_000)
    db.workspace(aggregation_ms=0)

    for number in range(9):
        db.accept(*(f"{number}-{each}" for each in range(48)))
        trim_if_due(db)
        assert_sound(db)
        db.now_ms += DAY_MS

    known = days(db)
    assert len(known) > 1
    assert known == list(range(known[0], 9))
    since_ms = (TODAY + known[0]) * DAY_MS
    assert db.view().usage.arrivals_since_ms == since_ms
