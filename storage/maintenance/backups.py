"""Databases copied as a whole: backed up while in use, restored, and compacted.

A copy is made by reading every record and writing it to a new file. LMDB's own compacting copy is
not enough for that: it copies pages, and in the gaps of a page stand bytes of records that were
deleted long ago (of some thousand secrets deleted in a trial, it left half of them to be read).
It is quick, though, and takes one moment of a database in use; so a backup begins with it.

    backup     a quick copy of the moment, then records of that into DIR, checked, then the marker
    restore    marker "restoring", records into the directory, a new epoch, checked, the marker
    compact    erasures finished, records into compacting/, checked, then in place of the old file

Whatever dies in the middle leaves the old database as it was, and nothing that could be taken for
a whole one: a backup or a restore without its last marker is refused.
"""

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hookbundle.engine.errors import Conflict, CorruptRecord, Unusable
from hookbundle.storage.database import codec, files, keyspace
from hookbundle.storage.database.environment import Environment, open_environment
from hookbundle.storage.database.files import DATA, STAGING, Marker
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.maintenance.check import Finding, check
from hookbundle.storage.maintenance.copying import (
    KEEP_ALL,
    Tick,
    disk_errors,
    finish_erasures,
    opened_to_read,
    put_all,
    written,
)
from hookbundle.storage.transitions import housekeeping
from hookbundle.storage.transitions.housekeeping import Note

COPY = "copying"
OURS = {"lock", "identity.new"}  # what stands there before the marker does


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of it: how many records, bytes, and what is wrong with them."""

    records: int
    bytes: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Compacted:
    records: int
    bytes_before: int
    bytes: int


def back_up(env: Environment, into: Path, tick: Tick) -> Copied:
    """The directory, which may not be there yet, is a backup of this moment.

    Raises: Conflict if there is something in it; StorageError, and then there is nothing.
    """
    if into == env.path or env.path in into.parents:
        raise Conflict(f"{into} is in the data directory; name one elsewhere")
    with disk_errors(into):
        into.mkdir(mode=0o700, exist_ok=True)
        if any(into.iterdir()):
            raise Conflict(f"{into} is not empty; name a new directory")
        try:
            return _back_up(env, into, tick)
        except BaseException:
            shutil.rmtree(into / COPY, ignore_errors=True)
            (into / DATA).unlink(missing_ok=True)
            raise


def _back_up(env: Environment, into: Path, tick: Tick) -> Copied:
    copy = into / COPY
    copy.mkdir(mode=0o700)
    env.copy_compact(copy)
    with opened_to_read(copy) as source, written(into, source) as target:
        records = put_all(source, target, tick)
    shutil.rmtree(copy)
    findings = _check(into, tick)
    identity = env.identity
    files.write_marker(into, Marker(identity.epoch, identity.schema, "backup"))
    return Copied(records, (into / DATA).stat().st_size, findings)


def restore(backup: Path, into: Path, now_ms: int, tick: Tick) -> Copied:
    """The directory, which was empty or not there, is a data directory of a new epoch.

    Raises: Conflict if it is not empty; InUse; Unusable if the backup is none, or can't be read.
    """
    with disk_errors(into):
        known = files.read_marker(backup)
        if known is None or known.state != "backup":
            raise Unusable(f"{backup} is not a finished backup")
        _check_empty(into)
        files.make(into)
        with files.held(into), opened_to_read(backup) as source:
            _check_empty(into)
            return _restore(source, into, now_ms, tick)


def _restore(source: Environment, into: Path, now_ms: int, tick: Tick) -> Copied:
    identity = msgspec.structs.replace(source.identity, epoch=secrets.token_hex(5))
    files.write_marker(into, Marker(identity.epoch, identity.schema, "restoring"))
    (into / DATA).unlink(missing_ok=True)
    with written(into, source) as target:
        records = put_all(source, target, tick)
        with target.begin(write=True) as txn:
            txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
            unit = Unit(txn, identity)
            detail = f"from a backup of epoch {source.identity.epoch}"
            housekeeping.note(unit, Note("daemon.restored", detail, max(now_ms, unit.meta.last_ms)))
            unit.flush(KEEP_ALL, KEEP_ALL)
    findings = _check(into, tick)
    files.write_marker(into, Marker(identity.epoch, identity.schema))
    return Copied(records, (into / DATA).stat().st_size, findings)


def compact(path: Path, now_ms: int, tick: Tick) -> Compacted:
    """The data file holds what is there, and no byte of what was deleted.

    Raises: InUse; CorruptRecord if something is wrong, with the file left as it is.
    """
    if not (path / DATA).exists():
        raise Unusable(f"{path} holds no database")
    with disk_errors(path):
        return _compact(path, now_ms, tick)


def _compact(path: Path, now_ms: int, tick: Tick) -> Compacted:
    env = open_environment(path, now_ms)
    try:
        finish_erasures(env, now_ms)
        staging = path / STAGING
        staging.mkdir(mode=0o700)
        with written(staging, env) as target:
            records = put_all(env, target, tick)
        findings = _check(staging, tick)
        if findings:
            raise CorruptRecord(
                f"{len(findings)} things are wrong with the database, the first: "
                f"{findings[0].where}: {findings[0].what}; nothing was changed, run `check`"
            )
    except BaseException:
        files.clear_leftovers(path)
        env.close()
        raise
    lock_fd = env.shut()
    try:
        before = (path / DATA).stat().st_size
        (staging / DATA).rename(path / DATA)
        files.sync(path)
        files.clear_leftovers(path)
    finally:
        if lock_fd is not None:
            os.close(lock_fd)
    return Compacted(records, before, (path / DATA).stat().st_size)


def _check_empty(into: Path) -> None:
    """There is nothing in the directory but, at most, a restore that was cut short."""
    found = {entry.name for entry in into.iterdir()} - OURS if into.exists() else set()
    if not found:
        return
    known = files.read_marker(into)
    if known is None or known.state != "restoring":
        raise Conflict(f"{into} is not empty; restore into a new directory")


def _check(path: Path, tick: Tick) -> tuple[Finding, ...]:
    with opened_to_read(path) as env, env.read_long() as txn:
        return tuple(check(txn, tick))
