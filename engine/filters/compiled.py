"""The compiled filter of a webhook, from what is stored of it."""

from functools import lru_cache

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.filters.conditions import Filter
from hookbundle.engine.filters.parsing import parse

SMALL_BYTES = 512
NOT_READ = (InvalidInput, msgspec.MsgspecError, UnicodeDecodeError)  # of bytes that are no filter

# A large filter takes some hundred kilobytes compiled. So few of those are kept, and nobody's large
# filters push out the small ones, as nearly all are.


def compiled(stored: bytes) -> Filter:
    """The filter that `written` made the bytes of; kept for the next message."""
    return _small(stored) if len(stored) <= SMALL_BYTES else _large(stored)


@lru_cache(maxsize=4_096)
def _small(stored: bytes) -> Filter:
    return parse(msgspec.json.decode(stored))


@lru_cache(maxsize=128)
def _large(stored: bytes) -> Filter:
    return parse(msgspec.json.decode(stored))


assert SMALL_BYTES < limits.FILTER_BYTES_MAX
