"""Where in a webhook's history a time lies: numbers rise with time, so it is found by halving.

They rise nearly: what waited for the Store has the time at which it was asked for. So the stretch
is a little wider than the times, and each delivery's own time decides.
"""

from functools import partial

import lmdb
import msgspec

from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.reads.searching.wanted import TIME_MAX, Wanted
from hookbundle.storage.tables.repeating.candidates import DISORDER_MS, first_at

END = 2**63


class Bounds(msgspec.Struct, frozen=True):
    """Numbers from `first` to before `end`."""

    first: int = 0
    end: int = END


def bounds_of(txn: lmdb.Transaction, webhooks: tuple[int, ...], wanted: Wanted) -> Bounds:
    """Outside of these nothing of the webhooks has a time that is wanted."""
    first, end = 0, END
    if wanted.since_ms:
        at_ms = wanted.since_ms - DISORDER_MS
        first = min((_first_at(txn, each, at_ms) for each in webhooks), default=0)
    if wanted.until_ms < TIME_MAX:
        at_ms = wanted.until_ms + DISORDER_MS
        end = max((_first_at(txn, each, at_ms) for each in webhooks), default=END)
    return Bounds(first, end)


def _first_at(txn: lmdb.Transaction, webhook: int, at_ms: int) -> int:
    """The number before which all of the webhook was sealed before that time."""
    prefix = keyspace.owned(keyspace.DELIVERIES, webhook)
    newest = next(rows.rows_before(txn, prefix, keyspace.after_owner(prefix)), None)
    if newest is None:
        return 0
    end = key_fields.number(newest[0]) + 1
    return first_at(partial(rows.rows, txn), webhook, at_ms, end)
