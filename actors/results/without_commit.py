"""What the Store answers where no commit has answered."""

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, NotOwner, StorageError, StoreFull, in_words


def full() -> StoreFull:
    return StoreFull.of(Code.DISK_NEARLY_FULL)


def not_owner() -> NotOwner:
    return NotOwner.of(Code.NOT_OWNER)


def failed(exc: Exception) -> HookbundleError:
    """The error of a transition, as its caller gets it."""
    if isinstance(exc, HookbundleError):
        return exc
    wrapped = StorageError.of(Code.STORE_FAILED, error=in_words(exc))
    wrapped.__cause__ = exc
    return wrapped
