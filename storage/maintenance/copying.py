"""Copies a database record by record, so that the copy contains nothing that was deleted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import StorageError
from hookbundle.storage.database import codec, files, key_fields, keyspace, rows
from hookbundle.storage.database.data_file import address_space
from hookbundle.storage.database.data_file.lmdb_errors import Translated
from hookbundle.storage.database.environment import LMDB_FORMAT, Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.opening import open_read_only
from hookbundle.storage.database.records import SCHEMA_OLDEST
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep, delete_step
from hookbundle.storage.transitions.timed.erase_steps import EraseStep, erase_step
from hookbundle.storage.transitions.timed.retiming import RetimeWindows, retime_windows

Tick = Callable[[], None]

BATCH_ROWS = 1_000
BATCH_BYTES = 8 * 1024 * 1024
ERASE_AT_ONCE = 5_000


@contextmanager
def opened_to_read(
    path: Path, *, lock: bool = False, oldest: int = SCHEMA_OLDEST
) -> Iterator[Environment]:
    """The database in the directory, open for reading inside the block. Raises: Unusable."""
    env = open_read_only(path, lock=lock, oldest=oldest)
    try:
        yield env
    finally:
        env.close()


@contextmanager
def written(into: Path, source: Environment) -> Iterator[lmdb.Environment]:
    """A new, empty data file in the directory, to be filled in the block; on disk after it."""
    with Translated():
        usage = source.usage()
        target = lmdb.open(
            str(into),
            map_size=address_space.smallest_map(2 * usage.map_bytes, 2 * usage.used_bytes),
            mode=0o600,
            sync=False,  # one sync at the end: an unfinished copy is worth nothing
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
    """Copies all records. Returns how many.

    They are written in batches, because LMDB keeps changed pages in memory until a commit.
    """
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
        cursor.putmulti(batch, append=True)  # the keys are sorted, so pages are filled completely
    count = len(batch)
    batch.clear()
    return count


def is_erasing(env: Environment) -> bool:
    """Whether something was deleted that has not been erased to its end."""
    return _next_erasure(env) is not None or bool(_leaving(env))


def finish_erasures(env: Environment, now_ms: int) -> None:
    """All erasures that the daemon had not finished when it stopped are finished."""
    while (row := _next_erasure(env)) is not None:
        is_finished = False
        while not is_finished:
            with env.write() as txn:
                # Everything of the feed is kept: only the daemon knows its retention.
                unit = Unit(txn, env.identity)
                step = EraseStep(row=row, most=ERASE_AT_ONCE, now_ms=max(now_ms, unit.meta.last_ms))
                is_finished = erase_step(unit, step).finished
                unit.flush()
            env.grow_if_needed()
    for number in _leaving(env):
        is_finished = False
        while not is_finished:
            with env.write() as txn:
                unit = Unit(txn, env.identity)
                is_finished = _webhook_step(unit, number, max(now_ms, unit.meta.last_ms))
                unit.flush()
            env.grow_if_needed()


def _leaving(env: Environment) -> list[int]:
    """The webhooks that were deleted; of a damaged one `check` tells."""
    with env.read() as txn:
        found = [codec.readable(*row, Webhook) for row in rows.rows(txn, keyspace.WEBHOOKS)]
    return [webhook.number for webhook in found if webhook is not None and webhook.deleted_ms]


def _webhook_step(unit: Unit, number: int, now_ms: int) -> bool:
    """True if nothing of the deleted webhook is left. Its windows, which go first, are dropped."""
    if unit.state(number).retime_after is not None:
        retime_windows(unit, RetimeWindows(number, ERASE_AT_ONCE, now_ms, product_name=""))
        return False
    return delete_step(unit, DeleteStep(number, ERASE_AT_ONCE, now_ms)).finished


def _next_erasure(env: Environment) -> Due | None:
    """From the erasure itself: its row of the due index may be among the postponed ones."""
    with env.read() as txn:
        for key, _ in rows.rows(txn, keyspace.ERASURES):
            return Due(0, DueKind.ERASE, key_fields.owner(key))
    return None


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """An OSError in the block is raised as a StorageError that names the file."""
    try:
        yield
    except OSError as exc:
        where = exc.filename or path
        raise StorageError(f"{where}: {exc.strerror or exc}", Code.STORE_FAILED) from exc
