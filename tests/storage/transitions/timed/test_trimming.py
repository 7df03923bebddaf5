"""History is trimmed oldest first, in steps, and never what waits or what the logs show."""

from hookbundle.engine import limits
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.tables import history
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, ScratchDatabase, failed, incoming

ALL = 2**62


def trim(
    db: ScratchDatabase, *, before_ms: int | None = None, bytes_max: int = ALL, most: int = 500
) -> Trimmed:
    transition = TrimHistory(
        workspace_number=1,
        before_ms=db.now_ms if before_ms is None else before_ms,
        bytes_max=bytes_max,
        most=most,
        now_ms=db.now_ms,
    )
    return db.do(transition, Trimmed)


def delivered(db: ScratchDatabase, count: int, chat: str = "c") -> None:
    """So many deliveries, a second after one another."""
    for number in range(count):
        db.now_ms += 1_000
        db.accept(f"{chat} {number} {db.now_ms}", chat=chat)
        db.attempt(OK)


def numbers(db: ScratchDatabase) -> list[int]:
    """The deliveries that are kept."""
    heads = [key for key in db.dump() if key.startswith(keyspace.DELIVERIES)]
    return [key_fields.number(key) for key in heads]


def rows(db: ScratchDatabase, *prefixes: bytes) -> int:
    return sum(key[:1] in prefixes for key in db.dump())


def test_a_delivered_delivery_stays_with_its_body_and_its_attempts(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.attempt(NO)
    db.attempt(OK)

    kept = db.delivery(1)

    assert kept is not None
    assert (kept.state, kept.attempts, kept.ended_ms) == ("delivered", 2, db.now_ms)
    assert b"m1" in db.reads.body(1, 1)
    assert rows(db, keyspace.ATTEMPTS) == 2
    assert (db.view().usage.history, db.view().usage.history_bytes) == (1, history.weight(kept))
    assert db.view().state.waiting_bytes == 0
    assert_sound(db)


def test_what_the_detailed_log_shows_stays_however_old(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    delivered(db, limits.LOG_ENTRIES + 20)

    trimmed = trim(db)

    assert trimmed.finished
    assert numbers(db) == list(range(21, limits.LOG_ENTRIES + 21))
    assert len(log_of(db.reads, "acme")) == limits.LOG_ENTRIES
    assert_sound(db)


def test_what_an_activity_line_names_stays_though_the_log_has_moved_on(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    delivered(db, 1)
    db.accept("lost")
    for _ in range(limits.LOG_ENTRIES + 5):
        db.begun()  # each is found lost by the next one, which writes no line of activity

    trim(db)

    assert {entry.result.outcome for entry in log_of(db.reads, "acme")} == {"unknown"}
    assert 1 in numbers(db)
    assert_sound(db)


def test_only_what_has_ended_long_enough_ago_goes(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    delivered(db, 10)
    then_ms = db.now_ms
    db.now_ms += HOUR_MS
    delivered(db, limits.LOG_ENTRIES + 10)

    trim(db, before_ms=then_ms)

    assert numbers(db)[0] == 11
    assert db.dues(DueKind.TRIM)[0].at_ms > then_ms
    assert_sound(db)


def test_queued_deliveries_and_dead_letters_are_never_trimmed(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("dead")
    for _ in range(3):
        db.attempt(NO)
    delivered(db, limits.LOG_ENTRIES + 5)
    db.accept("queued")
    db.now_ms += 100 * 24 * HOUR_MS

    trim(db, bytes_max=0)

    assert [each.number for each in db.dead_letters()] == [1]
    assert b"dead" in db.reads.body(1, 1)
    assert len(db.queued()) == 1
    assert_sound(db)


def test_trimming_leaves_no_record_and_no_index_row_of_a_delivery(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    chat = b'{"chat_id":"c","full_name":"Dana","phone":"+972 50-1"}'
    db.accept(incoming("m1", db.now_ms, chat=chat, text="x" * 61_000))
    db.attempt(OK)
    assert rows(db, keyspace.BODIES) == 2
    assert rows(db, keyspace.CHAT_PHONES, keyspace.PHONE_CHATS) == 2
    delivered(db, limits.LOG_ENTRIES, chat="other")

    trim(db)

    of_it = keyspace.of_chat(keyspace.CHAT_DELIVERIES, 1, b"c")
    assert 1 not in numbers(db)
    assert rows(db, keyspace.CHAT_PHONES, keyspace.PHONE_CHATS) == 0
    assert not any(key.startswith(of_it) for key in db.dump())
    assert rows(db, keyspace.ENDED) == limits.LOG_ENTRIES
    assert rows(db, keyspace.BODIES) == limits.LOG_ENTRIES
    assert_sound(db)


def test_it_goes_in_steps_that_end(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    delivered(db, limits.LOG_ENTRIES + 10)

    steps = [trim(db, most=4).finished for _ in range(3)]

    assert steps == [False, False, True]
    assert len(numbers(db)) == limits.LOG_ENTRIES
    assert_sound(db)


def test_past_its_bytes_a_workspace_is_trimmed_at_once_and_oldest_first(
    db: ScratchDatabase,
) -> None:
    db.retention = Retention(history_bytes=50_000, feed_ms=ALL)
    db.workspace(aggregation_ms=0)
    delivered(db, limits.LOG_ENTRIES + 100)
    assert db.dues(DueKind.TRIM)[0] == Due(0, DueKind.TRIM, 1)
    limit = db.view().usage.history_bytes - 1

    trim(db, before_ms=0, bytes_max=limit)

    assert numbers(db) == list(range(2, limits.LOG_ENTRIES + 101))
    assert_sound(db)


def test_an_unfinished_step_over_the_bytes_leaves_a_row_that_is_due_now(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    delivered(db, limits.LOG_ENTRIES + 10)

    trimmed = trim(db, before_ms=0, bytes_max=0, most=3)

    assert not trimmed.finished
    assert db.dues(DueKind.TRIM) == [Due(0, DueKind.TRIM, 1)]


def test_an_attempt_writes_nothing_of_the_body(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(incoming("m1", db.now_ms, text="x" * 50_000))
    before = db.dump()

    db.attempt(NO)

    after = db.dump()
    written = sum(len(value) for key, value in after.items() if before.get(key) != value)
    assert written < 3_000
    assert (
        db.dump()[keyspace.of_delivery(keyspace.BODIES, 1, 1, 0)]
        == before[keyspace.of_delivery(keyspace.BODIES, 1, 1, 0)]
    )


def test_of_a_delivery_the_newest_hundred_attempts_are_kept(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    for _ in range(limits.LOG_ENTRIES + 7):
        db.begun()

    kept = [key for key in db.dump() if key.startswith(keyspace.ATTEMPTS)]

    assert [key_fields.of_delivery(key)[2] for key in kept] == list(range(7, 107))
    assert_sound(db)


def test_what_was_passed_over_is_looked_at_again_a_day_later(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    delivered(db, 1)

    trim(db)

    assert db.dues(DueKind.TRIM) == [Due(db.now_ms + 86_400_000, DueKind.TRIM, 1)]
    assert_sound(db)


def test_a_row_later_than_what_just_ended_holds_nothing_back(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    delivered(db, 1)
    trim(db)  # its row waits for the logs: a day, and longer than with a short history.keep

    delivered(db, 1)

    assert db.dues(DueKind.TRIM) == [Due(db.now_ms, DueKind.TRIM, 1)]
    assert_sound(db)


def test_a_step_is_bounded_by_the_rows_of_what_it_trims(db: ScratchDatabase) -> None:
    db.policy = BackoffPolicy(errors_max=10**6)
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2", "m3")
    for _ in range(3):
        for _ in range(40):
            db.attempt(failed())
        db.attempt(OK)
    delivered(db, limits.LOG_ENTRIES)  # the logs show these

    first = trim(db, most=3)  # a delivery with forty attempts is as much as three with a few

    assert not first.finished
    assert numbers(db)[:2] == [2, 3]
    while not trim(db, most=3).finished:
        pass
    assert numbers(db)[0] == 4
