"""Each rule of resends and replays finds the damage that it is for."""

from collections.abc import Callable

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Delivery, Replay
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Meta, WebhookState
from hookbundle.tests.storage.populated import change, drop, first, put, report
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.acting import dead_letters
from hookbundle.tests.storage.transitions.repeating.again import (
    BOTH,
    delivered,
    replay,
    resend,
    step,
)

HEAD = keyspace.owned_numbered(keyspace.DELIVERIES, 1, 1)
RESEND = keyspace.owned_numbered(keyspace.RESENDS, 1, 1)
REPLAY = keyspace.owned_numbered(keyspace.REPLAYS, 1, 1)
STATE = keyspace.owned(keyspace.STATES, 1)
STEP = keyspace.due(Due(0, DueKind.REPLAY, 1))

RESENDS: dict[str, tuple[Callable[[ScratchDatabase], None], str]] = {
    "no row": (lambda db: drop(db, RESEND), "is not among the resends"),
    "a row of none": (
        lambda db: put(db, keyspace.owned_numbered(keyspace.RESENDS, 1, 2), b""),
        "its delivery is not to be resent",
    ),
    "another state": (
        lambda db: change(db, HEAD, Delivery, state="discarded"),
        "is to be resent, but is stored as 'discarded'",
    ),
    "an end in the index": (
        lambda db: put(db, keyspace.ended(1, ended_ms(db), 1, 1), b""),
        "end of delivery 1 of webhook 1 of workspace 1: its delivery is stored as 'delivered'",
    ),
    "a wrong count": (
        lambda db: change(db, STATE, WebhookState, resending=2),
        "says resending 2, counted 1",
    ),
    "a wrong sum": (lambda db: change(db, b"M", Meta, resending=7), "say resending 7, counted 1"),
}
REPLAYS: dict[str, tuple[Callable[[ScratchDatabase], None], str]] = {
    "no record": (lambda db: drop(db, REPLAY), "has replay 1, of which there is no record"),
    "no step": (lambda db: drop(db, STEP), "has no row in the due index for its next step"),
    "another gate": (
        lambda db: change(db, STATE, WebhookState, gate=9),
        "but the webhook's gate is at 9",
    ),
    "nobody's": (
        lambda db: change(db, STATE, WebhookState, replay=0),
        "is 'queuing', but the webhook's replay is 0",
    ),
    "a wrong count": (
        lambda db: change(db, REPLAY, Replay, waiting=4, queued=4),
        "says waiting 4, counted 1",
    ),
    "a wrong sum": (
        lambda db: change(db, REPLAY, Replay, failed=3),
        "has queued 1, but 1 wait and 3 are over",
    ),
    "another number": (lambda db: change(db, REPLAY, Replay, number=7), "says it is number 7"),
    "another webhook": (
        lambda db: change(db, REPLAY, Replay, webhook=7),
        "is of webhook 7, which is not of this workspace",
    ),
}


def ended_ms(db: ScratchDatabase) -> int:
    head = db.delivery(1)
    assert head is not None
    return head.ended_ms


@pytest.mark.parametrize("damage", RESENDS)
def test_damage_of_a_resend_is_found(db: ScratchDatabase, damage: str) -> None:
    delivered(db, "a", "b")
    resend(db, 1)
    plant, said = RESENDS[damage]

    plant(db)

    assert said in report(db)


@pytest.mark.parametrize("damage", REPLAYS)
def test_damage_of_a_replay_is_found(db: ScratchDatabase, damage: str) -> None:
    dead_letters(db, "a", "b", "c")
    replay(db, *BOTH)
    step(db, 1)
    assert first(db, keyspace.REPLAYS) == REPLAY
    plant, said = REPLAYS[damage]

    plant(db)

    assert said in report(db)
