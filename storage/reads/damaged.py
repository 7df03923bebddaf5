"""Records that can't be read, met on the way through a list: the others are shown all the same.

Who asks for a list cannot mend them, and the operator can: each is named in the daemon's log, once,
as `hookbundle check` names it.
"""

from typing import TypeVar

import msgspec
import structlog

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec

R = TypeVar("R", bound=msgspec.Struct)

NAMED_MAX = 1_000  # so that no list, read again and again, fills the log

log = structlog.get_logger(__name__)
_named: set[str] = set()


def without(key: bytes, value: bytes, kind: type[R]) -> R | None:
    """The record under the key; None if it is damaged, which has been said then."""
    try:
        return codec.unpack(key, value, kind)
    except CorruptRecord as exc:
        say(exc)
        return None


def say(error: CorruptRecord) -> None:
    """The record is named in the log, unless it has been before."""
    what = str(error)
    if what not in _named and len(_named) < NAMED_MAX:
        _named.add(what)
        log.error("a damaged record is left out of a list", error=what)
