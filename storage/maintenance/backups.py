"""Copies of a whole database: backup, restore, compaction.

A copy is written record by record into a new file. LMDB's own compacting copy is not sufficient,
because it copies pages, and the unused parts of pages contain bytes of records deleted long ago (in
a test with some thousand deleted secrets, half of them were still in the copy). But LMDB's copy is
fast and shows one moment of a database in use, so a backup starts from one.

    backup     LMDB's copy, its records into DIR, a check, then the marker "backup"
    restore    the marker "restoring", records into the directory, a new epoch, a check, the marker
    compact    erasures finished, records into compacting/, a check, then rename over the old file,
               and the file of before an upgrade is removed

A crash at any point leaves the old database unchanged. It may leave an unfinished copy, which is
refused as such, because its marker is written last.
"""

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, CorruptRecord, Unusable
from hookbundle.storage.daemon_facts import DaemonRestored
from hookbundle.storage.database import codec, files, keyspace
from hookbundle.storage.database.data_file import tree
from hookbundle.storage.database.data_file.pages import WHAT_TO_DO
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA, OLD, STAGING, Marker
from hookbundle.storage.database.opening import SCHEMA_UPGRADED, open_environment
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.maintenance import holding
from hookbundle.storage.maintenance.check import Finding, check
from hookbundle.storage.maintenance.check_damage import damaged_in_words
from hookbundle.storage.maintenance.copying import (
    Tick,
    disk_errors,
    finish_erasures,
    opened_to_read,
    put_all,
    written,
)
from hookbundle.storage.maintenance.migration.translating import translate

COPY = "copying"
BEFORE_MARKER = {"lock", "identity.new"}  # files that a restore writes before its marker


@dataclass(frozen=True, slots=True)
class Copied:
    """The number of records copied, the size of the new file, and what the check found in it."""

    records: int
    bytes: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was copied; how many windows were open and deliveries queued when the backup was made.

    `held`: the ids of the workspaces whose webhooks were enabled, and are disabled now.
    """

    copied: Copied
    windows: int
    queued: int
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compacted:
    """The number of records, and the size of the data file before and after."""

    records: int
    bytes_before: int
    bytes: int


def back_up(env: Environment, into: Path, tick: Tick, go_on: Tick = lambda: None) -> Copied:
    """The directory, which is created if necessary, holds a backup of this moment.

    `tick` is called for each record, `go_on` also meanwhile; both may raise to stop the work.

    Raises: Conflict if the directory is not empty or is in the data directory; StorageError. It
        removes what it has written before it raises.
    """
    if into == env.path or env.path in into.parents:
        raise Conflict.of(Code.DIRECTORY_INSIDE_DATA, directory=str(into))
    with disk_errors(into):
        into.mkdir(mode=0o700, exist_ok=True)
        if any(into.iterdir()):
            raise Conflict.of(Code.DIRECTORY_NOT_EMPTY, directory=str(into))
        try:
            return _back_up(env, into, tick, go_on)
        except BaseException:
            shutil.rmtree(into / COPY, ignore_errors=True)
            (into / DATA).unlink(missing_ok=True)
            raise


def back_up_stopped(path: Path, into: Path, tick: Tick) -> Copied:
    """As `back_up`, of a data directory on which no daemon runs: nothing happens after it.

    Raises: as `back_up`; InUse; Unusable if there is no database, or one that no daemon runs on.
    """
    files.check_marker(path, files.read_marker(path))
    with opened_to_read(path, lock=True) as env:
        return back_up(env, into, tick)


def _back_up(env: Environment, into: Path, tick: Tick, go_on: Tick) -> Copied:
    copy = into / COPY
    copy.mkdir(mode=0o700)
    env.copy_compact(copy, go_on)
    with opened_to_read(copy) as source, written(into, source) as target:
        records = put_all(source, target, tick)
    shutil.rmtree(copy)
    findings = _check(into, tick)
    identity = env.identity
    files.write_marker(into, Marker(identity.epoch, identity.schema, "backup"))
    return Copied(records, (into / DATA).stat().st_size, findings)


def restore(backup: Path, into: Path, now_ms: int, tick: Tick, *, hold: bool = False) -> Restored:
    """The directory, which must be empty or missing, is a data directory with a new epoch.

    `hold`: its webhooks are disabled, so that nothing is sent before somebody enables them.

    A backup of schema 1 is translated on the way; the findings name what can't be read of it.

    Raises: Conflict if it is not empty; InUse; Unusable if `backup` is no finished backup or can't
        be read.
    """
    with disk_errors(into):
        known = files.read_marker(backup)
        if known is None or known.state != "backup":
            raise Unusable(f"{backup} is not a finished backup")
        _check_empty(into)  # before the directory is created and locked
        _check_pages(backup)
        files.make_directory(into)
        with files.locked(into), opened_to_read(backup, oldest=SCHEMA_UPGRADED) as source:
            _check_empty(into)
            return _restore(source, into, now_ms, tick, hold=hold)


def _check_pages(path: Path) -> None:
    """LMDB can read the file; it would end the process on some damaged pages. Raises: Unusable."""
    if damages := tree.damages(path / DATA, lambda: None):
        raise Unusable(
            f"{path} is damaged: {damaged_in_words(damages)}; nothing was changed. "
            f"`hookbundle check --data {path}` names whose records are lost; {WHAT_TO_DO}"
        )


def _restore(source: Environment, into: Path, now_ms: int, tick: Tick, *, hold: bool) -> Restored:
    # The backup is of an earlier moment, so its next numbers were used once already. The new epoch
    # is part of delivery ids and cursors, and keeps the new ones different from those.
    epoch = secrets.token_hex(5)
    is_readable = source.identity.schema >= SCHEMA_OLDEST
    schema = source.identity.schema if is_readable else SCHEMA
    identity = msgspec.structs.replace(source.identity, epoch=epoch, schema=schema)
    files.write_marker(into, Marker(identity.epoch, identity.schema, "restoring"))
    (into / DATA).unlink(missing_ok=True)
    with written(into, source) as target:
        lost: tuple[str, ...] = ()
        if is_readable:
            records = put_all(source, target, tick)
        else:
            done = translate(source, target, identity, now_ms, tick)
            records, lost = done.records, done.unreadable
        with target.begin(write=True) as txn:
            txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
            txn.delete(keyspace.POSITION)  # of a database that goes on without this one
            unit = Unit(txn, identity)  # applied here, since no daemon is running to do it
            restored = DaemonRestored(detail=f"from a backup of epoch {source.identity.epoch}")
            unit.emit(restored, max(now_ms, unit.meta.last_ms))
            meta = unit.meta
            unit.flush()
        held = tuple(holding.hold_all(target, identity, now_ms)) if hold else ()
    left_out = (Finding(name, "can't be read, and was left out") for name in lost)
    findings = *left_out, *_check(into, tick)
    files.write_marker(into, Marker(identity.epoch, identity.schema))
    copied = Copied(records, (into / DATA).stat().st_size, findings)
    return Restored(copied=copied, windows=meta.windows, queued=meta.queued, held=held)


def compact(path: Path, now_ms: int, tick: Tick) -> Compacted:
    """The data file contains all present records, and no byte of deleted ones.

    The file that an upgrade has left, data.v1, is removed: it has what was deleted since, too.

    Raises: InUse; Unusable if there is no database; CorruptRecord if the check finds something
        wrong. The file is unchanged if it raises.
    """
    if not (path / DATA).exists():
        raise Unusable(f"there is no database in {path}")
    with disk_errors(path):
        with files.locked(path):
            _check_pages(path)
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
                f"the check found {len(findings)} problems; the first: "
                f"{findings[0].where}: {findings[0].what}; nothing was changed, run `check`"
            )
    except BaseException:
        files.clear_leftovers(path)
        env.close()
        raise
    # The lock must not be released before the files are swapped: a daemon that started in between
    # would write into the old file.
    lock_fd = env.close_keeping_lock()
    try:
        before = (path / DATA).stat().st_size
        (staging / DATA).rename(path / DATA)
        (path / OLD).unlink(missing_ok=True)
        files.sync(path)
        files.clear_leftovers(path)
    finally:
        if lock_fd is not None:
            os.close(lock_fd)
    return Compacted(records, before, (path / DATA).stat().st_size)


def _check_empty(into: Path) -> None:
    """Checks that the directory is empty or missing, or holds only an unfinished restore."""
    found = {entry.name for entry in into.iterdir()} - BEFORE_MARKER if into.exists() else set()
    if not found:
        return
    known = files.read_marker(into)
    if known is None or known.state != "restoring":
        raise Conflict.of(Code.DIRECTORY_NOT_EMPTY, directory=str(into))


def _check(path: Path, tick: Tick) -> tuple[Finding, ...]:
    with opened_to_read(path) as env, env.read_long() as txn:
        return tuple(check(txn, tick))
