"""What people do to deliveries, as the API hands it to the Store."""

from typing import Any

from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    Discarded,
    Retried,
    RetryDeadLetters,
    RetryDelivery,
)
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import NO, START_MS, ScratchDatabase


def queued(db: ScratchDatabase, *message_ids: str, **settings: Any) -> None:
    """A workspace with a delivery a message."""
    db.workspace(aggregation_ms=0, **settings)
    db.accept(*message_ids)


def dead_letters(db: ScratchDatabase, *message_ids: str, then: tuple[str, ...] = ()) -> None:
    """The first ones are rejected until they are dead letters, `then` the others are queued."""
    queued(db, *message_ids)
    for _ in message_ids:
        for _ in range(3):
            db.attempt(NO)
    db.accept(*then)
    assert len(db.dead_letters()) == len(message_ids)


def retry(db: ScratchDatabase, number: int, ws: str = "acme") -> Retried:
    transition = RetryDelivery(workspace_id=ws, number=number, now_ms=db.now_ms, caller="ann")
    return db.do(transition, Retried)


def retry_dead_letters(db: ScratchDatabase) -> Retried:
    transition = RetryDeadLetters(workspace_id="acme", now_ms=db.now_ms, caller="ann")
    return db.do(transition, Retried)


def discard(db: ScratchDatabase, number: int, *, alive_since_ms: int = START_MS) -> Discarded:
    transition = DiscardDelivery(
        workspace_id="acme",
        number=number,
        reason="the customer has left",
        alive_since_ms=alive_since_ms,
        now_ms=db.now_ms,
        caller="ann",
    )
    return db.do(transition, Discarded)


def waiting(db: ScratchDatabase) -> list[str]:
    return [message_id for delivery in db.queued() for message_id in ids_in(delivery)]
