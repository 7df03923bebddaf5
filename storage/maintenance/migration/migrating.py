"""The upgrade of a data directory in place, before a daemon runs on it.

The new data file is written into a directory beside the old one, and takes its place when it is
complete and on disk. The steps of the swap, each of them on disk before the next:

    1. the old file has a second name, data.v1
    2. the new file has the name data.mdb, and the old one no longer
    3. the marker says schema 2

A crash before the second step leaves the old database; the upgrade begins again at the next start.
A crash after it leaves the new one; opening.py corrects the marker. `data.mdb` exists all the time.
data.v1 stays until `compact`, for a way back.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lmdb
import msgspec

from hookbundle.engine.errors import CorruptRecord, StorageError, StoreFull, Unusable
from hookbundle.storage.database import files
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA, OLD, STAGING, Marker
from hookbundle.storage.database.opening import SCHEMA_UPGRADED
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.maintenance.copying import disk_errors, opened_to_read, written
from hookbundle.storage.maintenance.migration.translating import translate

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Migrated:
    """How many records there were; the names of those that can't be read and were left out."""

    records: int
    unreadable: tuple[str, ...]


def needs_migration(path: Path) -> bool:
    """Whether the directory holds a sound database of schema 1 on which a daemon may run.

    False also for one that can't be opened: opening it says why.
    """
    try:
        if not (path / DATA).exists():
            return False
        files.check_marker(path, files.read_marker(path))
        with opened_to_read(path, oldest=SCHEMA_UPGRADED) as env:
            return env.identity.schema < SCHEMA_OLDEST
    except (OSError, StorageError):
        return False


def migrate(path: Path, now_ms: int, progress: Progress) -> Migrated:
    """The database in the directory, which is locked meanwhile, has the present schema.

    `progress` is called for each record, with the number done and that of all; it may raise to
    stop. A record is half done when it is written, and done when it is checked.

    Raises: InUse; Unusable if it can't be opened, has the schema already, or the disk has too
        little room; CorruptRecord; StoreFull. The database is unchanged if it raises one of these.
    """
    with disk_errors(path), files.locked(path):
        files.check_marker(path, files.read_marker(path))
        files.clear_leftovers(path)
        try:
            with opened_to_read(path, oldest=SCHEMA_UPGRADED) as env:
                if env.identity.schema >= SCHEMA_OLDEST:
                    raise Unusable(f"{path} has schema {env.identity.schema} already")
                _check_room(path)
                migrated = _write(env, path / STAGING, now_ms, progress)
            _swap(path, Marker(env.identity.epoch, SCHEMA))
        except BaseException as exc:
            files.clear_leftovers(path)
            if isinstance(exc, StoreFull):
                raise StoreFull(f"{exc}. Nothing was changed; free space, and start again") from exc
            raise
    return migrated


def _check_room(path: Path) -> None:
    """Raises: Unusable if the disk could hardly take the new file beside the old one.

    It was up to a fifth larger in trials, and there has to be room to work in afterwards. If the
    disk gets full all the same, nothing is changed.
    """
    disk, size = os.statvfs(path), (path / DATA).stat().st_size
    needed, free = size + size // 2, disk.f_bavail * disk.f_frsize
    if free < needed:
        raise Unusable(
            f"the upgrade writes the database in {path} anew and needs {needed:,} bytes of "
            f"free space on its disk, and there are {free:,}; nothing was changed. Free "
            f"{needed - free:,} bytes, and start again"
        )


def _write(env: Environment, staging: Path, now_ms: int, progress: Progress) -> Migrated:
    """The new data file is in the directory, checked and on disk."""
    staging.mkdir(mode=0o700)
    with env.read() as txn:
        records = txn.stat()["entries"]
    halves = _Halves(records, progress)
    identity = msgspec.structs.replace(env.identity, schema=SCHEMA)
    with written(staging, env) as target:
        done = translate(env, target, identity, now_ms, halves.tick)
        halves.second(done.records)
        _check(target, halves.tick)
        progress(records, records)
    return Migrated(records, done.unreadable)


def _check(target: lmdb.Environment, tick: Callable[[], None]) -> None:
    """Raises: CorruptRecord if the new database contradicts itself."""
    with target.begin() as txn:
        finding = next(check(txn, tick), None)
    if finding is not None:
        raise CorruptRecord(
            f"the check of the upgraded database found a problem: {finding.where}: {finding.what}; "
            "nothing was changed. Version 0.1.0 can still run on the database; please report this"
        )


def _swap(path: Path, marker: Marker) -> None:
    staging = path / STAGING
    os.link(path / DATA, staging / OLD)
    (staging / OLD).rename(path / OLD)  # over one that was left there, if there is one
    files.sync(path)
    (staging / DATA).rename(path / DATA)
    files.sync(path)
    files.write_marker(path, marker)
    files.clear_leftovers(path)


class _Halves:
    """Counts records twice: when they are written, and when they are checked."""

    def __init__(self, records: int, progress: Progress) -> None:
        self._records = records
        self._progress = progress
        self._done = self._before = 0
        self._of = records

    def second(self, of: int) -> None:
        """From here on the records of the new database are counted, of which there are `of`."""
        self._before = self._records // 2
        self._done, self._of = 0, of

    def tick(self) -> None:
        self._done += 1
        share = min(self._done / max(self._of, 1), 1)
        self._progress(self._before + int(share * self._records / 2), self._records)
