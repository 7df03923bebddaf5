"""All errors of hookbundle.

HookbundleError
├── ConfigError           a setting that can't be used: which one, and what it must be
├── InvalidInput          input with faults, each with its path (HTTP 422)
├── NotAllowed            what the caller may not do, though it may do others here (403)
├── NotFound              no such workspace, chat or delivery (404)
├── Conflict              the state does not allow it (409)
│   ├── Changed           it was changed meanwhile: not at the version named (412)
│   └── PreconditionRequired  it is replaced as a whole only at a version that is named (428)
├── Refused               not now: over a limit, stopping or out of service
│   ├── QuotaReached      a disabled workspace holds all it may (429)
│   ├── TooManyRequests   the workspace has its share of something that all need (429)
│   ├── Overloaded        the store's queue is full, or the daemon is stopping (503)
│   ├── ActorFailed       the actor failed on this message (503)
│   └── Quarantined       the actor of this chat or workspace failed too often (503)
└── StorageError          the database could not do it
    ├── StoreFull         the disk is full: intake stops, outcomes go on (507)
    │   └── MapFull       LMDB's map is, which can grow (507)
    ├── CommitFailed          a commit failed, and not for want of space: twice ends the daemon
    ├── CorruptRecord     a record's checksum, version or shape is wrong
    └── Unusable          the directory can't be opened: damaged, of another version
        └── InUse         another process has it (CLI exit code 6)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from hookbundle.engine import limits


class HookbundleError(Exception):
    """The root: its message says what, which one and what to do."""


class ConfigError(HookbundleError):
    pass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input; `path` is like `[3].message.timestamp`, or empty.

    `detail` is the sentence of `code` in English (engine/faults.py), with `values` filled in; other
    languages word the same code.
    """

    path: str
    detail: str
    code: str = "invalid"
    values: tuple[tuple[str, str], ...] = ()

    def within(self, place: str) -> "Fault":
        """The same fault of a value that is a part of a larger input, at `place` of it."""
        joint = "." if place and self.path and not self.path.startswith("[") else ""
        return Fault(f"{place}{joint}{self.path}", self.detail, self.code, self.values)


TOO_MANY = "has more faults than are listed"


class InvalidInput(HookbundleError):
    """The whole input was refused; nothing of it was stored."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.path or 'input'}: {fault.detail}" for fault in faults))
        self.faults = faults

    @classmethod
    def with_faults(cls, faults: Iterable[Fault]) -> "InvalidInput":
        """Lists the first faults, and says so if there are more."""
        most = limits.FAULTS_LISTED_MAX
        listed = tuple(islice(faults, most + 1))
        if len(listed) > most:
            listed = (*listed[:most], Fault("", TOO_MANY, "too_many_faults"))
        return cls(listed)


class NotAllowed(HookbundleError):
    pass


class NotFound(HookbundleError):
    pass


class Conflict(HookbundleError):
    pass


class Changed(Conflict):
    """Read it again, and decide again."""


class PreconditionRequired(Conflict):
    """Say which version is meant: what a caller has not seen must not be replaced by accident."""


class Refused(HookbundleError):
    """Try again after `retry_after_s` seconds."""

    retry_after_s = 5


class QuotaReached(Refused):
    retry_after_s = 300


class TooManyRequests(Refused):
    """Others are not refused: this caller has as much as it may, or had it."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(Refused):
    retry_after_s = 1


class ActorFailed(Refused):
    """The actor will not get the message again; its sender may send it again."""


class Quarantined(Refused):
    retry_after_s = 60


class StorageError(HookbundleError):
    pass


class StoreFull(StorageError):
    retry_after_s = 30


class MapFull(StoreFull):
    """The disk may have room; the writer lets the map grow and tries again."""


class CommitFailed(StorageError):
    """The disk or the file system refuses what is written, though it has room."""


class CorruptRecord(StorageError):
    pass


class Unusable(StorageError):
    pass


class InUse(Unusable):
    pass


QUOTED_CHARS_MAX = 80


def quoted(given: str) -> str:
    """What a client sent, as an error may quote it: not whole if it is long."""
    return repr(given if len(given) <= QUOTED_CHARS_MAX else given[:QUOTED_CHARS_MAX] + "…")


def in_words(error: BaseException) -> str:
    """The error for a log or a response: its class, and its message if that holds no user data.

    The message of a library's error may quote the value it failed on, so it is left out.
    """
    name = type(error).__name__
    if isinstance(error, OSError | HookbundleError) and not isinstance(error, InvalidInput):
        return f"{name}: {error}"
    return name
