"""Messages are collected in windows, up to the limits of a bundle, or sent alone."""

import pytest

from hookbundle.engine import limits
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, ScratchDatabase, incoming


def test_the_first_message_opens_a_window_that_is_due_one_length_later(db: ScratchDatabase) -> None:
    db.workspace()

    first = db.accept("m1")
    db.now_ms += HOUR_MS // 2
    second = db.accept("m2")

    assert first.due_ms == second.due_ms == START_MS + HOUR_MS
    assert [(row.at_ms, row.kind, row.subject) for row in db.dues()] == [
        (START_MS + HOUR_MS, DueKind.WINDOW, b"c")
    ]


def test_an_overdue_window_is_sealed_before_a_new_message_opens_the_next(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.accept("m1")
    db.now_ms += HOUR_MS

    accepted = db.accept("m2")

    assert accepted == Accepted(1, 0, db.now_ms + HOUR_MS, wake=(1,))
    assert [(ids_in(delivery), delivery.reason) for delivery in db.queued()] == [(["m1"], "time")]


def test_a_bundle_is_full_with_a_thousand_messages(db: ScratchDatabase) -> None:
    db.workspace()

    db.accept(*(f"m{number}" for number in range(2_001)))

    assert [(delivery.messages, delivery.reason) for delivery in db.queued()] == [
        (1_000, "size"),
        (1_000, "size"),
    ]
    assert db.view().state.buffered_messages == 1


@pytest.mark.parametrize(
    "text",
    ["x", "&", "<", '"', "'", "\\", "\n", "\r\n", "\u0001", "\u2028", "\u0639", "\U0001f600"],
)
@pytest.mark.parametrize("chars", [limits.TEXT_CHARS_MAX, 4_000])
def test_no_text_makes_a_body_of_more_than_a_mebibyte(
    db: ScratchDatabase, text: str, chars: int
) -> None:
    db.workspace()
    full = (text * chars)[:chars]

    db.accept(*(incoming(f"m{number}", text=full) for number in range(60)))
    db.seal()

    bodies = [delivery.body for delivery in db.queued()]
    assert sum(delivery.messages for delivery in db.queued()) == 60
    assert max(map(len, bodies)) <= limits.BUNDLE_BODY_BYTES_MAX


def test_a_bundle_of_plain_texts_comes_near_its_limit(db: ScratchDatabase) -> None:
    db.workspace()

    db.accept(*(incoming(f"m{number}", text="x" * 4_000) for number in range(300)))

    assert len(db.queued()[0].body) > 0.8 * limits.BUNDLE_BODY_BYTES_MAX


# ---- without aggregation


def test_without_aggregation_each_message_is_a_delivery_at_once(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)

    accepted = db.accept("m1", "m2")

    assert accepted == Accepted(2, 0, 0, wake=(1,))
    assert [(ids_in(delivery), delivery.bundle) for delivery in db.queued()] == [
        (["m1"], False),
        (["m2"], False),
    ]


def test_without_aggregation_messages_collected_before_are_sent_first(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1", "m2")
    db.change("acme", aggregation_ms=0)

    db.accept("m3")

    assert [ids_in(delivery) for delivery in db.queued()] == [["m1", "m2"], ["m3"]]
    assert db.dues(DueKind.WINDOW) == []
