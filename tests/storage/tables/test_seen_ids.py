"""Message ids: known for 48 hours and while their message waits, at a cost that does not grow."""

from collections.abc import Sequence

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.tests.storage.deleting import assert_sound, delete_chat, erase
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase

MANY = 300  # more than four parts of 64


def ids(first: int, count: int) -> list[str]:
    return [f"m{number}" for number in range(first, first + count)]


def fill(db: ScratchDatabase, first: int = 0, count: int = MANY) -> None:
    for start in range(first, first + count, 10):
        db.accept(*ids(start, 10))


def rows(db: ScratchDatabase, prefix: bytes) -> int:
    return sum(key.startswith(prefix) for key in db.dump())


def forget(db: ScratchDatabase) -> int:
    """Acts on what is due, as the timer does. Returns the number of steps."""
    steps = 0
    while due := [row for row in db.dues(DueKind.FORGET) if row.at_ms <= db.now_ms]:
        db.done(Forget(tuple(due), db.now_ms))
        db.now_ms += 10
        steps += 1
    return steps


def test_every_id_is_known_whether_in_the_record_or_in_a_part(db: ScratchDatabase) -> None:
    db.workspace()
    fill(db)

    one_by_one = sum(db.accept(message).duplicate for message in ids(0, MANY))
    together = db.accept(*ids(0, MANY), "new")

    assert one_by_one == MANY
    assert (together.accepted, together.duplicate) == (1, MANY)
    assert_sound(db)


def test_an_id_stays_known_while_its_window_is_open(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=24 * HOUR_MS)
    fill(db)
    db.now_ms += 23 * HOUR_MS
    db.change("acme", aggregation_ms=0)  # re-timing has not begun: the window stays open
    db.change("acme", aggregation_ms=24 * HOUR_MS)
    window = db.window()
    assert window is not None

    db.now_ms = window.due_ms - 1
    with db.unit() as unit:  # as after a stop of three days: the timer is late
        chat = unit.chat(1, b"c")
        assert chat is not None
        late = chat.window_of(1)
        assert late is not None
        unit.delete_due(db.dues(DueKind.WINDOW)[0])
        late.due_ms += 100 * HOUR_MS
        unit.put_due(keyspace.Due(late.due_ms, DueKind.WINDOW, 1, b"c"))
    db.now_ms += 72 * HOUR_MS
    fill(db, first=1_000, count=200)

    assert db.accept("m0").duplicate == 1
    assert_sound(db)


def test_a_busy_chat_drops_what_is_old_part_by_part(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    fill(db)
    before = rows(db, keyspace.SEEN_IDS)

    db.now_ms += limits.REMEMBERED_MS + 1
    fill(db, first=1_000, count=700)

    assert rows(db, keyspace.SEEN_IDS) < 768 < before + 700
    assert db.accept("m0").accepted == 1
    assert db.accept("m1000").duplicate == 1
    assert_sound(db)


def test_a_silent_chat_is_forgotten_in_steps_and_leaves_nothing(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    fill(db, count=1_000)
    db.now_ms += limits.REMEMBERED_MS + 1

    steps = forget(db)

    assert steps > 1
    assert db.chat() is None
    assert rows(db, keyspace.SEEN_IDS) == rows(db, keyspace.SEEN_PARTS) == 0
    assert db.view().usage.seen_bytes == 0
    assert_sound(db)


def test_a_chat_that_speaks_while_it_is_forgotten_is_remembered(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    fill(db, count=1_000)
    db.now_ms += limits.REMEMBERED_MS + 1
    db.done(Forget(tuple(db.dues(DueKind.FORGET)), db.now_ms))

    db.accept("late")
    forget(db)

    assert db.accept("late").duplicate == 1
    assert_sound(db)


def test_a_deleted_chat_that_begins_anew_knows_only_what_came_since(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    fill(db)
    delete_chat(db)

    again = sum(db.accept(message).accepted for message in ids(0, MANY))
    erase(db, most=100)

    assert again == MANY
    assert sum(db.accept(message).duplicate for message in ids(0, MANY)) == MANY
    assert_sound(db)


def test_looking_for_an_id_reads_one_row_however_many_there_are(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    fill(db, count=2_000)
    with db.unit() as unit:
        reads: list[bytes] = []
        which_exist = unit.which_exist

        def counting(keys: Sequence[bytes]) -> set[bytes]:
            reads.extend(keys)
            return which_exist(keys)

        unit.which_exist = counting  # type: ignore[method-assign]
        table.apply(unit, db.accepting("m5"))

    assert len(reads) == 1


def test_a_large_request_makes_parts_of_64_ids(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*ids(0, 1_000))

    chat = db.chat()
    assert chat is not None
    assert chat.seen_next == 15
    assert db.accept(*ids(0, 1_000)).duplicate == 1_000
    assert_sound(db)
