"""LMDB's errors in this project's terms."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import lmdb

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, MapFull, StorageError, StoreFull, Unusable
from hookbundle.storage.database.data_file.disk_space import FOR_WANT_OF_SPACE
from hookbundle.storage.database.data_file.pages import WHAT_TO_DO

FULL_CODES = FOR_WANT_OF_SPACE | {errno.EIO}  # so LMDB calls a write that was cut short


@contextmanager
def translated() -> Iterator[None]:
    """LMDB's errors become this project's.

    Raises: MapFull, StoreFull, CorruptRecord, Unusable or StorageError.
    """
    try:
        yield
    except lmdb.MapFullError as exc:
        raise MapFull(f"the database has no room in its map: {exc}") from exc
    except lmdb.PanicError as exc:
        raise Unusable(f"the database can no longer be used: {exc}; restart the daemon") from exc
    except lmdb.CorruptedError as exc:
        raise CorruptRecord(f"the database is damaged: {exc}; {WHAT_TO_DO}") from exc
    except lmdb.DiskError as exc:
        raise StoreFull(f"the disk is full or failing: {exc}") from exc
    except lmdb.Error as exc:
        if exc.code in FULL_CODES:
            raise StoreFull(f"the disk is full or failing: {exc}") from exc
        if exc.code == errno.EROFS:
            raise StorageError.of(Code.DATA_READ_ONLY) from exc
        raise StorageError.of(Code.STORE_FAILED, error=str(exc)) from exc
