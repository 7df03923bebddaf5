"""What was sent, sent once more: commands and steps for the tests; the database stays sound."""

from typing import Any

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Replay, ReplayFilter
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import queue
from hookbundle.storage.transitions.repeating.replaying import (
    CancelReplay,
    Replaying,
    StartReplay,
)
from hookbundle.storage.transitions.repeating.resending import ResendDelivery, Resent
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import queued

BOTH = ("dead_letter", "delivered")


def delivered(db: ScratchDatabase, *message_ids: str, **settings: Any) -> None:
    """A workspace with a delivery a message, which the receiver took."""
    queued(db, *message_ids, **settings)
    for _ in message_ids:
        db.attempt(OK)


def sent(db: ScratchDatabase, count: int) -> list[str]:
    return [ids_in(db.attempt(OK))[0] for _ in range(count)]


def some_of_each(db: ScratchDatabase) -> None:
    """1 and 3 are dead letters, 2 and 4 were delivered, 5 is queued."""
    db.workspace(aggregation_ms=0)
    for number, outcome in ((1, NO), (2, OK), (3, NO), (4, OK)):
        db.accept(f"m{number}", chat="odd" if number % 2 else "even")
        for _ in range(3 if outcome is NO else 1):
            db.attempt(outcome)
        db.now_ms += HOUR_MS
    db.accept("m5")


def id_of(db: ScratchDatabase, number: int) -> str:
    head = db.delivery(number)
    assert head is not None
    return queue.delivery_id(1, head)


def resend(db: ScratchDatabase, number: int) -> Resent:
    transition = ResendDelivery(
        workspace_id="acme", delivery_id=id_of(db, number), now_ms=db.now_ms, caller="ann"
    )
    resent = db.do(transition, Resent)
    assert_sound(db)
    return resent


def replay(db: ScratchDatabase, *states: str, **wanted: Any) -> Replay:
    """A replay was asked for; no step of it is made."""
    transition = StartReplay(
        workspace_id="acme",
        wanted=ReplayFilter(states=states or ("dead_letter",), **wanted),
        deliveries=2,
        messages=2,
        now_ms=db.now_ms,
        caller="ann",
    )
    replaying = db.do(transition, Replaying)
    assert_sound(db)
    return replaying.replay


def step(db: ScratchDatabase, most: int = 1) -> Replayed:
    assert db.dues(DueKind.REPLAY), "no replay has a step to make"
    replayed = db.do(ReplayStep(1, most, db.now_ms), Replayed)
    assert_sound(db)
    return replayed


def put_all(db: ScratchDatabase, most: int = 1) -> None:
    while not step(db, most).finished:
        pass


def cancel(db: ScratchDatabase, number: int = 1) -> Replay:
    transition = CancelReplay(workspace_id="acme", number=number, now_ms=db.now_ms, caller="ann")
    replaying = db.do(transition, Replaying)
    assert_sound(db)
    return replaying.replay


def found(db: ScratchDatabase, number: int = 1) -> Replay:
    key = keyspace.owned_numbered(keyspace.REPLAYS, 1, number)
    return codec.unpack(key, db.dump()[key], Replay)


def resending(db: ScratchDatabase) -> list[int]:
    heads = (db.delivery(number) for number in range(1, db.reads.meta().delivery_next))
    return [head.number for head in heads if head is not None and head.resending]
