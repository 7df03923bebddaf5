"""The check reports damage to rendered bodies, and to dead letters without one."""

import re

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Chunk, Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.tables import history
from hookbundle.tests.storage.populated import Damage, change, drop, put, report
from hookbundle.tests.storage.scratch import ScratchDatabase

DELIVERED, QUEUED, UNRENDERED = (history.key_of(1, number) for number in (1, 3, 12))
STATE = keyspace.owned(keyspace.STATES, 1)


def chunk(number: int, delivery: int = 1) -> bytes:
    return keyspace.of_delivery(keyspace.RENDERED, 1, delivery, number)


@pytest.fixture
def db(populated_db: ScratchDatabase) -> ScratchDatabase:
    return populated_db


DAMAGE: Damage = {
    "a missing rendered body": (
        lambda db: drop(db, chunk(0)),
        "delivery 1 of webhook 1: chunk 0 of its rendered body is missing",
    ),
    "a rendered body too short": (
        lambda db: put(db, chunk(0), Chunk(body=b"{}")),
        "rendered chunk 0 of delivery 1 of webhook 1: has 2 of 19 bytes",
    ),
    "a rendered body nobody knows of": (
        lambda db: put(db, chunk(0, 3), Chunk(body=b"{}")),
        "rendered chunk 0 of delivery 3 of webhook 1: is beyond the end of a rendered body of 0",
    ),
    "a rendered body of no delivery": (
        lambda db: put(db, chunk(0, 99), Chunk(body=b"{}")),
        "rendered chunk 0 of delivery 99 of webhook 1: belongs to no delivery",
    ),
    "a rendered body that was never sent": (
        lambda db: change(db, QUEUED, Delivery, rendered_bytes=2),
        "delivery 3 of webhook 1: chunk 0 of its rendered body is missing",
    ),
    "a dead letter of another kind": (
        lambda db: change(db, UNRENDERED, Delivery, dead_reason=""),
        "delivery 12 of webhook 1: is stored as 'dead_letter', but is not among the dead letters",
    ),
    "its row of another kind": (
        lambda db: put(db, keyspace.owned_numbered(keyspace.UNRENDERABLE, 1, 3), b""),
        "dead letter without a body of its format 3 of webhook 1: its delivery is stored as",
    ),
    "a wrong count of them": (
        lambda db: change(db, STATE, WebhookState, unrendered=5),
        "state of webhook 1: .*unrendered 5, counted 1",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_reported(db: ScratchDatabase, name: str) -> None:
    damage, expected = DAMAGE[name]
    damage(db)

    assert re.search(expected, report(db)), report(db)


def test_a_body_that_waits_and_that_no_attempt_sends_is_reported(db: ScratchDatabase) -> None:
    put(db, chunk(0, 3), Chunk(body=b"{}"))
    with db.unit() as unit:
        delivery = unit.get(QUEUED, Delivery)
        assert delivery is not None
        delivery.rendered_bytes, delivery.attempts = 2, 0
        unit.put(QUEUED, delivery)

    assert "has a rendered body that no attempt sends" in report(db)
