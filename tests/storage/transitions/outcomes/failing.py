"""A webhook whose receiver fails over the head of its queue, for the tests of that."""

from hookbundle.engine.delivery.outcomes import Failed, Outcome
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import OK, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import queued

OOPS = Failed("status 500", 500)


def sent(db: ScratchDatabase, outcome: Outcome) -> int:
    """The number of the delivery that the next attempt was made with."""
    number = db.attempt(outcome).delivery.number
    assert_sound(db)
    return number


def failing(db: ScratchDatabase, *message_ids: str) -> None:
    """The receiver has failed five times over the head of the queue."""
    queued(db, *message_ids)
    assert [sent(db, OOPS) for _ in range(5)] == [1] * 5


def set_aside(db: ScratchDatabase, *message_ids: str) -> None:
    """The head is a dead letter, because the receiver took the next one."""
    failing(db, *message_ids)
    assert sent(db, OK) == 2
    assert [each.number for each in db.dead_letters()] == [1]


def numbers(db: ScratchDatabase) -> tuple[list[int], list[int]]:
    return [each.number for each in db.queued()], [each.number for each in db.dead_letters()]


def moved(db: ScratchDatabase) -> None:
    while not db.do(MoveDeliveries(1, 1, db.now_ms), Moved).finished:
        assert_sound(db)
