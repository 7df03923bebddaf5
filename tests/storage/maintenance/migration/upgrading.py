"""Upgrades of a data directory, and what is found in it afterwards."""

import json
from pathlib import Path
from typing import Any

import lmdb
import msgspec

from hookbundle.storage.database import codec, files, keyspace
from hookbundle.storage.database.files import DATA, MARKER, OLD
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import SCHEMA, Identity
from hookbundle.storage.maintenance.check import Finding, check
from hookbundle.storage.maintenance.migration.migrating import Migrated, migrate
from hookbundle.tests.storage.fixtures.released import held_by
from hookbundle.tests.storage.maintenance.migration.held import held_in
from hookbundle.tests.storage.scratch import ScratchDatabase

NOW_MS = 1_700_200_000_000  # after everything that the fixtures hold


def ignore(done: int, records: int) -> None:
    pass


def upgraded(path: Path) -> Migrated:
    return migrate(path, NOW_MS, ignore)


def opened(path: Path) -> ScratchDatabase:
    """The upgraded database, at the time at which it is opened."""
    db = ScratchDatabase(path)
    db.now_ms = NOW_MS
    return db


def found_in(path: Path) -> tuple[list[Finding], dict[str, Any]]:
    """What a check finds in the database, and what the database holds."""
    env = open_environment(path, NOW_MS)
    with env.read() as txn:
        findings = list(check(txn))
    held = json.loads(json.dumps(held_in(env)))  # tuples become lists
    env.close()
    return findings, held


def is_whole(path: Path, name: str = "schema-1-busy") -> bool:
    """The database has the new schema, no contradiction, and everything that the fixture held."""
    whole = found_in(path) == ([], held_by(name))
    marker = files.read_marker(path)  # now, because opening it corrects the marker
    return whole and marker is not None and marker.schema == SCHEMA


def content_of(path: Path) -> dict[str, bytes]:
    """The files of the directory that must not change when an upgrade is refused."""
    return {
        entry.name: entry.read_bytes() if entry.is_file() else b"a directory"
        for entry in path.iterdir()
        if entry.name not in ("lock", "lock.mdb")
    }


FILES = {DATA, MARKER, OLD, "lock", "lock.mdb"}  # of an upgraded database that was opened


def with_identity(path: Path, schema: int) -> Path:
    """A database with nothing but its identity."""
    path.mkdir()
    env = lmdb.open(str(path), lib_version=0)
    identity = Identity(epoch="0123456789", schema=schema, created_ms=NOW_MS)
    with env.begin(write=True) as txn:
        txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
    env.close()
    return path


def mark(path: Path, state: str) -> None:
    marker = msgspec.json.decode((path / MARKER).read_bytes())
    (path / MARKER).write_bytes(msgspec.json.encode({**marker, "state": state}))
