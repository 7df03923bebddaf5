"""A webhook with a rate or a budget, and how its requests go."""

from typing import Any

from hookbundle.engine.delivery.outcomes import Outcome
from hookbundle.engine.delivery.states import WebhookStatus
from hookbundle.storage.tables import readiness
from hookbundle.storage.transitions.attempting import Begun
from hookbundle.tests.storage.scratch import OK, ScratchDatabase


def paced(db: ScratchDatabase, messages: int = 9, **settings: Any) -> int:
    """A workspace with a delivery a message."""
    number = db.workspace(aggregation_ms=0, **settings)
    db.accept(*(f"m{count}" for count in range(messages)))
    return number


def send(db: ScratchDatabase, most: int = 100, outcome: Outcome = OK) -> int:
    """Sends until nothing may go now, or `most` have gone. Returns how many have."""
    for sent in range(most):
        begun = db.begin()
        if not isinstance(begun, Begun):
            return sent
        db.finish(begun, outcome)
    return most


def status(db: ScratchDatabase) -> WebhookStatus:
    view = db.view()
    return readiness.status_of(view.webhook, view.state)


def waits_ms(db: ScratchDatabase) -> int:
    """For how long the next attempt waits; 0: it does not."""
    retry_ms = db.view().state.retry_ms
    return retry_ms - db.now_ms if retry_ms else 0
