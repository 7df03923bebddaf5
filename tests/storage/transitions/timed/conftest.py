"""Deliveries that were rejected, and one that waits behind them."""

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.acting import dead_letters
from hookbundle.tests.storage.transitions.timed.moving import IDS


@pytest.fixture
def rejected(db: ScratchDatabase) -> ScratchDatabase:
    """m1 to m6 are dead letters, and m7 is queued behind them."""
    db.policy = BackoffPolicy(errors_max=100)
    dead_letters(db, *IDS, then=("m7",))
    return db
