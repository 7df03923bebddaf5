"""LMDB's errors in this project's terms."""

import errno

import lmdb

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, MapFull, StorageError, StoreFull, Unusable
from hookbundle.storage.database.data_file.disk_space import FOR_WANT_OF_SPACE
from hookbundle.storage.database.data_file.pages import WHAT_TO_DO

FULL_CODES = FOR_WANT_OF_SPACE | {errno.EIO}  # so LMDB calls a write that was cut short


class Translated:
    """A block in which LMDB's errors become this project's. Every transaction has one, so it is no
    generator's.

    Raises: MapFull, StoreFull, CorruptRecord, Unusable or StorageError.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, lmdb.Error):
            raise _in_our_terms(error) from error


def _in_our_terms(error: lmdb.Error) -> StorageError:
    match error:
        case lmdb.MapFullError():
            return MapFull(f"the database has no room in its map: {error}")
        case lmdb.PanicError():
            return Unusable(f"the database can no longer be used: {error}; restart the daemon")
        case lmdb.CorruptedError():
            return CorruptRecord(f"the database is damaged: {error}; {WHAT_TO_DO}")
        case lmdb.DiskError():
            return StoreFull(f"the disk is full or failing: {error}")
    if error.code in FULL_CODES:
        return StoreFull(f"the disk is full or failing: {error}")
    if error.code == errno.EROFS:
        return StorageError.of(Code.DATA_READ_ONLY)
    return StorageError.of(Code.STORE_FAILED, error=str(error))
