"""All errors of hookbundle.

HookbundleError
├── ConfigError           a setting that can't be used: which one, and what it must be
├── ClusterUnusable       the log servers, or the cluster in them, can't be used: why
├── InvalidInput          input with faults, each with its path (HTTP 422)
├── BadRequest            a request that is no good as it is (400, 408, 413, 415 …)
├── NotAllowed            what the caller may not do, though it may do others here (403)
├── NotFound              no such workspace, chat or delivery (404)
│   └── Gone              it was there, and is no longer kept (410)
├── Conflict              the state does not allow it (409)
│   ├── Changed           it was changed meanwhile: not at the version named (412)
│   └── PreconditionRequired  it is replaced as a whole only at a version that is named (428)
├── Refused               not now: over a limit, stopping or out of service
│   ├── QuotaReached      a disabled workspace holds all it may (429)
│   ├── TooManyRequests   the workspace has its share of something that all need (429)
│   ├── Overloaded        the store's queue is full, or the daemon is stopping (503)
│   ├── NotOwner          another node of the cluster owns the partition now (503)
│   ├── ActorFailed       the actor failed on this message (503)
│   └── Quarantined       the actor of this chat or workspace failed too often (503)
└── StorageError          the database could not do it
    ├── StoreFull         the disk is full: intake stops, outcomes go on (507)
    │   └── MapFull       LMDB's map is, which can grow (507)
    ├── CommitFailed          a commit failed, and not for want of space: twice ends the daemon
    ├── CorruptRecord     a record's checksum, version or shape is wrong
    ├── Fenced            another node's entry stands in the log: this one owns no more
    └── Unusable          the directory can't be opened: damaged, of another version
        └── InUse         another process has it (CLI exit code 6)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import ClassVar, Self

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code as Code  # for all who raise errors
from hookbundle.engine.error_codes import Value, in_english
from hookbundle.engine.error_codes import quoted as quoted
from hookbundle.engine.error_table import MEANINGS
from hookbundle.engine.fault_codes import FaultCode

NO_VALUES: Mapping[str, Value] = MappingProxyType({})


class HookbundleError(Exception):
    """The root: its message says what, which one and what to do, in English.

    `code` and `values` say the same to programs and to other languages; MEANINGS words them. An
    error made with a text of its own has the code of its class, `other`, which says little.
    """

    other: ClassVar[Code] = Code.INTERNAL_ERROR
    values: Mapping[str, Value] = NO_VALUES

    def __init__(self, message: str, code: Code | None = None) -> None:
        super().__init__(message)
        self.code = code or self.other

    @classmethod
    def of(cls, code: Code, /, **values: Value) -> Self:
        """The error that the code means, its gaps filled with the values."""
        error = cls(in_english(MEANINGS[code], values), code)
        error.values = values
        return error

    @property
    def status(self) -> int:
        """The status of the HTTP answer."""
        return MEANINGS[self.code].status


class ConfigError(HookbundleError):
    pass


class ClusterUnusable(HookbundleError):
    """Until a person has changed something."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input; `path` is like `[3].message.timestamp`, or empty.

    `detail` is the sentence of `code` in English (engine/faults.py), with `values` filled in; other
    languages word the same code.
    """

    path: str
    detail: str
    code: str = FaultCode.INVALID
    values: tuple[tuple[str, str], ...] = ()

    def within(self, place: str) -> "Fault":
        """The same fault of a value that is a part of a larger input, at `place` of it."""
        joint = "." if place and self.path and not self.path.startswith("[") else ""
        return Fault(f"{place}{joint}{self.path}", self.detail, self.code, self.values)


TOO_MANY = "has more faults than are listed"


class InvalidInput(HookbundleError):
    """The whole input was refused; nothing of it was stored."""

    other = Code.INVALID_INPUT

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.path or 'input'}: {fault.detail}" for fault in faults))
        self.faults = faults

    @classmethod
    def with_faults(cls, faults: Iterable[Fault]) -> "InvalidInput":
        """Lists the first faults, and says so if there are more."""
        most = limits.FAULTS_LISTED_MAX
        listed = tuple(islice(faults, most + 1))
        if len(listed) > most:
            listed = (*listed[:most], Fault("", TOO_MANY, FaultCode.TOO_MANY_FAULTS))
        return cls(listed)


class BadRequest(HookbundleError):
    other = Code.BAD_REQUEST


class NotAllowed(HookbundleError):
    other = Code.NOT_ALLOWED


class NotFound(HookbundleError):
    other = Code.NOT_FOUND


class Gone(NotFound):
    other = Code.GONE


class Conflict(HookbundleError):
    other = Code.CONFLICT


class Changed(Conflict):
    """Read it again, and decide again."""

    other = Code.CHANGED_MEANWHILE


class PreconditionRequired(Conflict):
    """Say which version is meant: what a caller has not seen must not be replaced by accident."""

    other = Code.PRECONDITION_REQUIRED


class Refused(HookbundleError):
    """Try again after `retry_after_s` seconds."""

    other = Code.REFUSED
    retry_after_s = 5


class QuotaReached(Refused):
    other = Code.QUOTA_REACHED
    retry_after_s = 300


class TooManyRequests(Refused):
    """Others are not refused: this caller has as much as it may, or had it."""

    other = Code.TOO_MANY_REQUESTS
    retry_after_s = 1

    def __init__(
        self, message: str, code: Code | None = None, *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message, code)
        self.retry_after_s = retry_after_s or type(self).retry_after_s

    def after(self, retry_after_s: int) -> Self:
        """The same, for a caller who may come again then."""
        self.retry_after_s = retry_after_s
        return self


class Overloaded(Refused):
    retry_after_s = 1


class NotOwner(Refused):
    """Nothing was done: another node does it, as soon as it is asked."""

    other = Code.NOT_OWNER
    retry_after_s = 1


class ActorFailed(Refused):
    """The actor will not get the message again; its sender may send it again."""

    other = Code.ACTOR_FAILED


class Quarantined(Refused):
    other = Code.QUARANTINED
    retry_after_s = 60


class StorageError(HookbundleError):
    other = Code.STORE_FAILED


class StoreFull(StorageError):
    other = Code.DISK_FULL
    retry_after_s = 30


class MapFull(StoreFull):
    """The disk may have room; the writer lets the map grow and tries again."""

    other = Code.MAP_FULL


class CommitFailed(StorageError):
    """The disk or the file system refuses what is written, though it has room."""


class CorruptRecord(StorageError):
    other = Code.DATA_DAMAGED


class LogDamaged(CorruptRecord):
    """It has not all that was read of it. Copies may have what it has not, so none is dropped."""


class Fenced(StorageError):
    """What was applied is nowhere and never will be; the other node's log says what is true."""


class GivenUp(Fenced):
    """The process ends before the log has decided: nobody knows yet what stands there."""

    def __init__(self) -> None:
        super().__init__("the process ends, and nobody knows yet what stands in the log")


class Unusable(StorageError):
    other = Code.DATA_UNUSABLE


class InUse(Unusable):
    pass


def in_words(error: BaseException) -> str:
    """The error for a log or a response: its class, and its message if that holds no user data.

    The message of a library's error may quote the value it failed on, so it is left out.
    """
    name = type(error).__name__
    if isinstance(error, OSError | HookbundleError) and not isinstance(error, InvalidInput):
        return f"{name}: {error}"
    return name
