"""Where in a webhook's history a time lies: numbers rise with time, so it is found by halving.

They rise nearly: what waited for the Store has the time at which it was asked for. So the stretch
is a little wider than the times, and each delivery's own time decides.
"""

from dataclasses import dataclass

import lmdb

from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.reads.searching.wanted import TIME_MAX, Wanted
from hookbundle.storage.tables import history

SLACK_MS = 30_000
UNREADABLE_MOST = 64  # looked past in one place
END = 2**63


@dataclass(frozen=True, slots=True)
class Bounds:
    """Numbers from `first` to before `end`."""

    first: int = 0
    end: int = END


def bounds_of(txn: lmdb.Transaction, webhooks: tuple[int, ...], wanted: Wanted) -> Bounds:
    """Outside of these nothing of the webhooks has a time that is wanted."""
    first, end = 0, END
    if wanted.since_ms:
        at_ms = wanted.since_ms - SLACK_MS
        first = min((_first_at(txn, each, at_ms) for each in webhooks), default=0)
    if wanted.until_ms < TIME_MAX:
        at_ms = wanted.until_ms + SLACK_MS
        end = max((_first_at(txn, each, at_ms) for each in webhooks), default=END)
    return Bounds(first, end)


def _first_at(txn: lmdb.Transaction, webhook: int, at_ms: int) -> int:
    """The number before which all of the webhook was sealed before that time."""
    prefix = keyspace.owned(keyspace.DELIVERIES, webhook)
    newest = next(rows.rows_before(txn, prefix, keyspace.after_owner(prefix)), None)
    oldest = next(rows.rows(txn, prefix), None)
    if newest is None or oldest is None:
        return 0
    low, high = key_fields.number(oldest[0]), key_fields.number(newest[0]) + 1
    while low < high:
        middle = (low + high) // 2
        found = _readable_from(txn, webhook, middle)
        if found is None or found.sealed_ms >= at_ms:
            high = middle
        else:
            low = found.number + 1
    return low


def _readable_from(txn: lmdb.Transaction, webhook: int, number: int) -> Delivery | None:
    """The first delivery from that number on that can be read."""
    prefix = keyspace.owned(keyspace.DELIVERIES, webhook)
    found = rows.rows(txn, prefix, history.key_of(webhook, number - 1) if number else b"")
    for (key, value), _ in zip(found, range(UNREADABLE_MOST), strict=False):
        delivery = codec.readable(key, value, Delivery)
        if delivery is not None:
            return delivery
    return None
