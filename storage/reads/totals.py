"""Figures of the whole database that no counter holds. They are read a few times a minute."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import lmdb

from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.tables import history, moving


@dataclass(frozen=True, slots=True)
class WaitingTotals:
    """`oldest_ms`: when the oldest queued delivery of all enabled webhooks was sealed.

    Disabled webhooks are left out: their deliveries wait by intention, and would hide the delay of
    the others.
    """

    oldest_ms: int | None
    webhooks_disabled: int


def waiting(env: Environment) -> WaitingTotals:
    """Do not call it on the event loop's thread: it reads a row for each webhook with a queue."""
    with env.read() as txn:
        disabled = {keyspace.parse_owner(key) for key, _ in rows.rows(txn, keyspace.DISABLED)}
        first = {
            keyspace.parse_owner(key): keyspace.parse_number(key)
            for key in rows.first_keys(txn, keyspace.QUEUED)
        }
        first.update(_of_moving(txn))
        heads = [
            (number, webhook)
            for webhook, number in first.items()
            if number and webhook not in disabled
        ]
        # All webhooks take numbers from one counter, so the lowest number was sealed first.
        number, webhook = min(heads, default=(0, 0))
        delivery = rows.get(txn, history.key_of(webhook, number), Delivery) if number else None
        return WaitingTotals(delivery.sealed_ms if delivery else None, len(disabled))


def _of_moving(txn: lmdb.Transaction) -> Iterator[tuple[int, int]]:
    """Webhooks whose deliveries are being moved, each with the number of its head, or 0."""
    for key, _ in rows.rows(txn, keyspace.due_of(DueKind.MOVE)):
        webhook = keyspace.parse_due(key).number
        state = rows.get(txn, keyspace.owned(keyspace.STATES, webhook), WebhookState)
        if state is not None:
            queued = moving.numbers(partial(rows.rows, txn), state, webhook, keyspace.QUEUED)
            yield webhook, next(queued, 0)
