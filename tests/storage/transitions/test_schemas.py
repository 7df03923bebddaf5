"""The schema of a database: a record of it that a transition raises, and nothing lowers."""

import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.records import SCHEMA, Identity
from hookbundle.storage.transitions.notes import RaiseSchema
from hookbundle.tests.storage.scratch import ScratchDatabase

LATER = SCHEMA + 1


def stored(db: ScratchDatabase) -> int:
    key = keyspace.IDENTITY
    return codec.unpack(key, db.dump()[key], Identity).schema


def test_a_raised_schema_is_stored_known_to_what_follows_and_told_in_the_feed(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    epoch = db.env.identity.epoch
    db.done(RaiseSchema(LATER, db.now_ms))

    assert (stored(db), db.env.identity.schema, db.env.identity.epoch) == (LATER, LATER, epoch)
    (fact,) = db.events("daemon.upgraded")
    assert fact["data"]["detail"] == f"from schema {SCHEMA} to {LATER}"


@pytest.mark.parametrize("schema", [SCHEMA - 1, SCHEMA])
def test_a_schema_that_the_database_has_or_is_past_changes_nothing(
    db: ScratchDatabase, schema: int
) -> None:
    db.workspace()
    before = db.dump()
    db.done(RaiseSchema(schema, db.now_ms))

    assert stored(db) == db.env.identity.schema == SCHEMA
    assert db.dump().keys() == before.keys()
    assert list(db.events("daemon.upgraded")) == []
