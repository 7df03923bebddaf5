"""Deliveries on the move: steps made one by one, with the database checked after each."""

from collections.abc import Callable

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import ScratchDatabase

IDS = tuple(f"m{number}" for number in range(1, 7))
BOTH = (keyspace.QUEUED, keyspace.DEAD_LETTERS)


def move(db: ScratchDatabase, most: int = 2) -> Moved:
    assert db.dues(DueKind.MOVE), "nothing is being moved"
    return db.do(MoveDeliveries(1, most, db.now_ms), Moved)


def move_all(db: ScratchDatabase, most: int = 2, *, then: Callable[[], None] = lambda: None) -> int:
    """Moves everything; the database is sound after each step. Returns the number of steps."""
    steps, last = 0, Moved(finished=False)
    while not last.finished:
        last = move(db, most)
        steps += 1
        assert_sound(db)
        then()
    assert db.dues(DueKind.MOVE) == []
    return steps


def rows_written(db: ScratchDatabase, act: Callable[[], object]) -> int:
    db.collected = {}
    act()
    written, db.collected = len(db.collected), None
    return written


def states(db: ScratchDatabase) -> dict[int, str]:
    found = (db.delivery(number) for number in range(1, db.reads.meta().delivery_next))
    return {each.number: each.state for each in found if each is not None}
