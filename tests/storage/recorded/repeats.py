"""Of the recorded life: a resend, and a replay that is cancelled while it is put."""

from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.tables import queue
from hookbundle.storage.transitions.repeating.replaying import (
    CancelReplay,
    Replaying,
    StartReplay,
)
from hookbundle.storage.transitions.repeating.resending import ResendDelivery, Resent
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep
from hookbundle.tests.storage.scratch import OK, ScratchDatabase


def repeat(db: ScratchDatabase) -> None:
    """Of workspace 2, whose last resend still waits."""
    numbers = range(db.reads.meta().delivery_next - 1, 0, -1)
    heads = (db.delivery(number, webhook=2) for number in numbers)
    last = next(head.number for head in heads if head is not None and head.state == "delivered")
    _resend(db, last)
    db.attempt(OK, 2)
    start = StartReplay(
        workspace_id="now",
        wanted=ReplayFilter(states=("delivered", "dead_letter")),
        deliveries=1,
        messages=1,
        now_ms=db.now_ms,
        caller="test",
    )
    job = db.do(start, Replaying).replay.number
    assert not db.do(ReplayStep(2, 2, db.now_ms), Replayed).finished
    cancel = CancelReplay(workspace_id="now", number=job, now_ms=db.now_ms, caller="test")
    db.do(cancel, Replaying)
    while not db.do(ReplayStep(2, 2, db.now_ms), Replayed).finished:
        pass
    _resend(db, last)


def _resend(db: ScratchDatabase, number: int) -> None:
    head = db.delivery(number, webhook=2)
    assert head is not None
    resend = ResendDelivery(
        workspace_id="now",
        delivery_id=queue.delivery_id(2, head),
        now_ms=db.now_ms,
        caller="test",
    )
    db.do(resend, Resent)
