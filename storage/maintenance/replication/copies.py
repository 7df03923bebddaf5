"""A copy of a partition is written anew, without a byte of what was deleted.

As `compact` does (backups.py), but for the erasures: to finish them here would make this copy
another than all others. The owner finishes them, and its log brings them; until then it is refused.
"""

from dataclasses import dataclass
from pathlib import Path

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, CorruptRecord, Unusable
from hookbundle.storage.database import files
from hookbundle.storage.database.files import DATA, OLD, STAGING
from hookbundle.storage.database.opening import open_read_only
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST
from hookbundle.storage.database.replication import copy_state
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.maintenance.copying import (
    Tick,
    disk_errors,
    is_erasing,
    opened_to_read,
    put_all,
    written,
)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The number of records, and the size of the data file before and after."""

    records: int
    bytes_before: int
    bytes: int


def rewrite_copy(path: Path, tick: Tick = lambda: None) -> Rewritten:
    """The directory's data file, which nobody has open, has all present records and nothing else.

    Its position is one of them. `tick` is called for each record, and may raise to stop the work.

    Raises: InUse; Unusable if there is no database; Conflict while something is erased;
        CorruptRecord if the check finds something wrong. The file is unchanged if it raises.
    """
    if not (path / DATA).exists():
        raise Unusable(f"there is no copy in {path}")
    with disk_errors(path), files.locked(path):
        files.clear_leftovers(path)
        try:
            return _rewrite(path, tick)
        finally:
            files.clear_leftovers(path)


def _rewrite(path: Path, tick: Tick) -> Rewritten:
    staging = path / STAGING
    staging.mkdir(mode=0o700)
    env = open_read_only(path, lock=False, any_schema=True)
    try:
        if is_erasing(env):
            raise Conflict.of(Code.ERASES_STILL)
        with written(staging, env) as target:
            records = put_all(env, target, tick)
        if SCHEMA_OLDEST <= env.identity.schema <= SCHEMA:
            _check(staging, tick)
    finally:
        env.close()
    before = (path / DATA).stat().st_size
    (staging / DATA).rename(path / DATA)
    (path / OLD).unlink(missing_ok=True)
    copy_state.forget(path)
    return Rewritten(records, before, (path / DATA).stat().st_size)


def _check(path: Path, tick: Tick) -> None:
    """Raises: CorruptRecord."""
    with opened_to_read(path) as env, env.read_long() as txn:
        found = next(iter(check(txn, tick)), None)
    if found is not None:
        raise CorruptRecord(f"the check found something wrong: {found.where}: {found.what}")
