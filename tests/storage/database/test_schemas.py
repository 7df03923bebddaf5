"""The schema of a database is raised by a transition, and what came with it is not stored before.

An earlier version of the program reads past a field that it does not know, and drops it when it
writes the record; a kind of key that it does not know it never erases. So both have to wait until
no node of an earlier version is left.
"""

from pathlib import Path

import msgspec
import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import DUES, DueKind
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST, Identity
from hookbundle.storage.transitions.notes import RaiseSchema
from hookbundle.tests.storage.fixtures.shapes import Shapes, kept, shapes, used_early
from hookbundle.tests.storage.populated import findings, populated
from hookbundle.tests.storage.scratch import ScratchDatabase

LATER = SCHEMA + 1
WORKED_ON = range(SCHEMA_OLDEST, SCHEMA)
WHAT_TO_DO = (
    f"records, keys or due rows are others than schema {SCHEMA} has on file. If a version with "
    f"that schema was released, what is new needs schema {SCHEMA + 1}: see decision 209. If none "
    "was: python -m hookbundle.tests.storage.fixtures.shapes"
)


def test_what_the_present_schema_has_is_what_it_had_when_it_was_released() -> None:
    assert shapes() == kept(SCHEMA), WHAT_TO_DO


@pytest.mark.parametrize("before", WORKED_ON)
def test_a_schema_only_adds_to_those_before_it_and_its_fields_have_defaults(before: int) -> None:
    earlier, now = kept(before), shapes()

    assert earlier.keys.items() <= now.keys.items()
    assert earlier.dues.items() <= now.dues.items()
    for name, fields in earlier.records.items():
        assert len(now.records[name]) >= len(fields), f"{name} has lost a field"


@pytest.mark.parametrize("before", WORKED_ON)
def test_a_database_of_an_earlier_schema_gets_nothing_that_came_later(
    tmp_path: Path, before: int
) -> None:
    db = populated(tmp_path / "data", before)

    assert used_early(db.dump(), kept(before)) == set()
    assert findings(db) == []
    db.close()


def test_what_is_used_before_its_schema_is_found(tmp_path: Path) -> None:
    """Held against an earlier schema that never was: some of what there is came later."""
    now = shapes()
    records = {name: list(fields) for name, fields in now.records.items()}
    for name, field in (("Usage", "sources_due_ms"), ("Window", "tail_bytes")):
        del records[name][records[name].index(field) :]
    dues = {name: number for name, number in now.dues.items() if name != "MAIL"}
    earlier = msgspec.structs.replace(now, records=records, dues=dues)
    without_mails = {name: kind for name, kind in now.keys.items() if kind != "Mail"}
    db = populated(tmp_path / "data")

    found = used_early(db.dump(), earlier)
    of_keys = used_early(db.dump(), Shapes(without_mails, now.records, now.dues))

    assert {"Usage.sources_due_ms", "due MAIL"} <= found
    assert any(each.startswith("Window.") for each in found)
    assert len(of_keys) == 1
    assert used_early(db.dump(), now) == set()
    assert DUES + bytes([DueKind.MAIL]) in {key[:2] for key in db.dump()}
    db.close()


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
