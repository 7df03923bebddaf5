"""Every error of the house.

HookbundleError
├── ConfigError           a setting that can't be used: which one, and what it should be
├── InvalidInput          input with faults, each with its path (HTTP 422)
├── NotFound              no such workspace, chat or delivery (404)
├── Conflict              the state does not allow it (409)
│   └── Changed           somebody was faster: it is not at the version named (412)
├── Refused               not now: over a limit, stopping or out of service
│   ├── QuotaReached      a disabled workspace holds all it may (429)
│   ├── Overloaded        the store's queue is full, or the daemon is stopping (503)
│   ├── ActorFailed       the actor failed over this very message (503)
│   └── Quarantined       the actor of this chat or workspace failed too often (503)
└── StorageError          the database can't do it
    ├── StoreFull         disk or map full: intake stops, outcomes go on (507)
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
    """One thing wrong with an input; `path` is like `[3].message.timestamp`, or empty."""

    path: str
    detail: str


class InvalidInput(HookbundleError):
    """The input was refused whole; nothing of it was stored."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.path or 'input'}: {fault.detail}" for fault in faults))
        self.faults = faults

    @classmethod
    def with_faults(cls, faults: Iterable[Fault]) -> "InvalidInput":
        """Lists the first faults, and says so if there are more."""
        most = limits.FAULTS_LISTED_MAX
        listed = tuple(islice(faults, most + 1))
        if len(listed) > most:
            listed = (*listed[:most], Fault("", "has more faults than are listed"))
        return cls(listed)


class NotFound(HookbundleError):
    pass


class Conflict(HookbundleError):
    pass


class Changed(Conflict):
    """Read it again, and decide again."""


class Refused(HookbundleError):
    """Try again after `retry_after_s` seconds."""

    retry_after_s = 5


class QuotaReached(Refused):
    retry_after_s = 300


class Overloaded(Refused):
    retry_after_s = 1


class ActorFailed(Refused):
    """The message will not be seen again; who sent it may send it again."""


class Quarantined(Refused):
    retry_after_s = 60


class StorageError(HookbundleError):
    pass


class StoreFull(StorageError):
    retry_after_s = 30


class CorruptRecord(StorageError):
    pass


class Unusable(StorageError):
    pass


class InUse(Unusable):
    pass


def in_words(error: BaseException) -> str:
    """The error for a log or an answer: its class, and its words if they can't give a text away.

    Those of other people's errors may quote the very value they failed over.
    """
    name = type(error).__name__
    if isinstance(error, OSError | HookbundleError) and not isinstance(error, InvalidInput):
        return f"{name}: {error}"
    return name
