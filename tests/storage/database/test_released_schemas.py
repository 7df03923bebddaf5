"""A database of every released schema can be opened, and has what it had."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.engine.errors import Unusable
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import open_environment, open_read_only
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST, Identity
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.maintenance.migration.migrating import migrate
from hookbundle.tests.storage.fixtures.make import CONTENT, HERE, content
from hookbundle.tests.storage.fixtures.released import OLD, laid_out
from hookbundle.tests.storage.scratch import START_MS

PRESENT = HERE / f"schema-{SCHEMA}"
WORKED_ON = [f"schema-{number}" for number in range(SCHEMA_OLDEST, SCHEMA + 1)]


@pytest.mark.parametrize("name", WORKED_ON)
def test_a_database_of_a_present_schema_opens_and_holds_what_it_held(
    tmp_path: Path, name: str
) -> None:
    listed = msgspec.json.decode((HERE / name / CONTENT).read_bytes())
    env = open_environment(laid_out(name, tmp_path / "data"), START_MS)
    with env.read() as txn:
        findings = list(check(txn))
        held = content({bytes(key): bytes(value) for key, value in txn.cursor()})
    env.close()

    assert findings == []
    assert held.keys() == listed.keys()
    assert [key for key in listed if not includes(held[key], listed[key])] == []


@pytest.mark.parametrize("name", OLD)
def test_a_database_of_an_earlier_schema_is_upgraded_and_then_opens(
    tmp_path: Path, name: str
) -> None:
    folder = laid_out(name, tmp_path / "data")
    with pytest.raises(Unusable, match="start the daemon, which upgrades it"):
        open_environment(folder, START_MS)

    migrate(folder, START_MS, lambda done, records: None)

    env = open_environment(folder, START_MS)
    with env.read() as txn:
        assert list(check(txn)) == []
    env.close()


def test_every_schema_has_a_fixture() -> None:
    kept = {path.name for path in HERE.glob("schema-*")}

    assert kept == {*OLD, *WORKED_ON}
    assert {f"schema-{number}" for number in range(1, SCHEMA + 1)} <= kept


@pytest.mark.parametrize("schema", [SCHEMA + 1, SCHEMA + 1_000])
def test_a_later_schema_is_refused_and_left_as_it_was(tmp_path: Path, schema: int) -> None:
    folder = laid_out(PRESENT.name, tmp_path / "data")
    before = marked(folder, schema)

    with pytest.raises(Unusable, match=f"newer hookbundle .schema {schema}, this program"):
        open_environment(folder, START_MS)

    assert (folder / DATA).read_bytes() == before


@pytest.mark.parametrize("schema", [0, -1])
def test_a_schema_that_was_never_released_is_refused_and_left_as_it_was(
    tmp_path: Path, schema: int
) -> None:
    folder = laid_out(PRESENT.name, tmp_path / "data")
    before = marked(folder, schema)

    with pytest.raises(Unusable, match=f"has schema {schema}, and this program reads 1 and later"):
        open_environment(folder, START_MS)
    with pytest.raises(Unusable, match="restore a backup"):
        open_read_only(folder)

    assert (folder / DATA).read_bytes() == before


def marked(folder: Path, schema: int) -> bytes:
    """Writes the schema number into the database. Returns the bytes of its data file."""
    env = open_environment(folder, START_MS)
    identity = Identity(epoch=env.identity.epoch, schema=schema, created_ms=0)
    with env.write() as txn:
        txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
    env.close()
    return (folder / DATA).read_bytes()


def includes(held: Any, listed: Any) -> bool:
    """All that was listed is there with its value; later schemas may have added fields."""
    match listed:
        case dict():
            return all(name in held and includes(held[name], listed[name]) for name in listed)
        case list():
            return len(held) == len(listed) and all(map(includes, held, listed))
        case _:
            return bool(held == listed)
