"""A database written anew, record by record, so that nothing deleted comes along."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from hookbundle.engine.errors import StorageError
from hookbundle.storage.database import files, keyspace, rows
from hookbundle.storage.database.environment import (
    LMDB_FORMAT,
    Environment,
    open_read_only,
    translated,
)
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions.erase_steps import Erased, EraseStep, erase_step

Tick = Callable[[], None]

BATCH_ROWS = 1_000
BATCH_BYTES = 8 * 1024 * 1024
ERASE_AT_ONCE = 5_000
KEEP_ALL = 2**62  # of the feed: retention is the daemon's business


@contextmanager
def opened_to_read(path: Path, *, lock: bool = False) -> Iterator[Environment]:
    """Raises: Unusable."""
    env = open_read_only(path, lock=lock)
    try:
        yield env
    finally:
        env.close()


@contextmanager
def written(into: Path, source: Environment) -> Iterator[lmdb.Environment]:
    """A new data file in the directory; on disk when the block ends."""
    with translated():
        target = lmdb.open(
            str(into),
            map_size=2 * source.usage().map_bytes,
            mode=0o600,
            sync=False,  # it is worth nothing until it is whole, and then it is synced at once
            lock=False,
            lib_version=LMDB_FORMAT,
        )
        try:
            yield target
            target.sync(True)
        finally:
            target.close()
    files.sync(into / DATA)
    files.sync(into)


def put_all(source: Environment, target: lmdb.Environment, tick: Tick) -> int:
    """How many records were copied: all of them, in their order."""
    records = size = 0
    batch: list[tuple[bytes, bytes]] = []
    with source.read_long() as txn:
        for row in rows.rows(txn, b""):
            tick()
            batch.append(row)
            size += len(row[1])
            if len(batch) == BATCH_ROWS or size >= BATCH_BYTES:
                records, size = records + _put(target, batch), 0
        return records + _put(target, batch)


def _put(target: lmdb.Environment, batch: list[tuple[bytes, bytes]]) -> int:
    with target.begin(write=True) as txn, txn.cursor() as cursor:
        cursor.putmulti(batch, append=True)
    count = len(batch)
    batch.clear()
    return count


def finish_erasures(env: Environment, now_ms: int) -> None:
    """What was deleted and not yet erased, because the daemon was stopped, is erased."""
    while rows_left := _erasures(env):
        last = Erased(finished=False)
        while not last.finished:
            with env.write() as txn:
                unit = Unit(txn, env.identity)
                step = EraseStep(
                    row=rows_left[0],
                    most=ERASE_AT_ONCE,
                    now_ms=max(now_ms, unit.meta.last_ms),
                    before=last.before,
                    after=last.after,
                )
                last = erase_step(unit, step)
                unit.flush(KEEP_ALL, KEEP_ALL)
            env.grow_if_needed()


def _erasures(env: Environment) -> list[Due]:
    """ERASE rows stand at the head of the due index."""
    found = []
    with env.read() as txn:
        for key, _ in rows.rows(txn, keyspace.DUES):
            row = keyspace.parse_due(key)
            if row.at_ms:
                break
            if row.kind is DueKind.ERASE:
                found.append(row)
    return found


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """What the machine says of files and directories, as our own error."""
    try:
        yield
    except OSError as exc:
        where = exc.filename or path
        raise StorageError(f"{where}: {exc.strerror or exc}") from exc
