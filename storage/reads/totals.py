"""Figures of the whole database that no counter holds. They are read a few times a minute."""

from collections.abc import Iterator
from functools import partial
from heapq import heapify, heappop

import lmdb
import msgspec

from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.tables import history, moving


class WaitingTotals(msgspec.Struct, frozen=True):
    """`oldest_ms`: when the oldest queued delivery of all enabled webhooks was sealed.

    Disabled webhooks, and those that wait for their rate or budget, are left out: their deliveries
    wait by intention, and would hide the delay of the others. So are those with a damaged record:
    the figures of all others are wanted all the more then.
    """

    oldest_ms: int | None
    webhooks_disabled: int
    webhooks_over_budget: int


def waiting(env: Environment) -> WaitingTotals:
    """Do not call it on the event loop's thread: it reads a row for each webhook with a queue."""
    with env.read() as txn:
        over = set(_over_budget(txn))
        disabled = {key_fields.owner(key) for key, _ in rows.rows(txn, keyspace.DISABLED)}
        first = {
            key_fields.owner(key): key_fields.number(key)
            for key in rows.first_keys(txn, keyspace.QUEUED)
        }
        first.update(_of_moving(txn))
        heads = [
            (number, webhook)
            for webhook, number in first.items()
            if number and webhook not in disabled and webhook not in over
        ]
        return WaitingTotals(_oldest_ms(txn, heads), len(disabled), len(over))


def _oldest_ms(txn: lmdb.Transaction, heads: list[tuple[int, int]]) -> int | None:
    """When the first of the deliveries that can be read was sealed."""
    heapify(heads)  # all webhooks take numbers from one counter: the lowest was sealed first
    while heads:
        number, webhook = heappop(heads)
        delivery = rows.readable(txn, history.key_of(webhook, number), Delivery)
        if delivery is not None:
            return delivery.sealed_ms
    return None


def _of_moving(txn: lmdb.Transaction) -> Iterator[tuple[int, int]]:
    """Webhooks whose deliveries are being moved, each with the number of its head, or 0."""
    for key, _ in rows.rows(txn, keyspace.due_of(DueKind.MOVE)):
        webhook = key_fields.due(key).number
        state = rows.readable(txn, keyspace.owned(keyspace.STATES, webhook), WebhookState)
        if state is not None:
            queued = moving.numbers(partial(rows.rows, txn), state, webhook, keyspace.QUEUED)
            yield webhook, next(queued, 0)


def _over_budget(txn: lmdb.Transaction) -> Iterator[int]:
    """Webhooks that wait for their rate or budget. Reads the state of each that waits at all."""
    for key, _ in rows.rows(txn, keyspace.due_of(DueKind.RETRY)):
        webhook = key_fields.due(key).number
        state = rows.readable(txn, keyspace.owned(keyspace.STATES, webhook), WebhookState)
        if state is not None and state.paced_ms > state.next_attempt_ms:
            yield webhook
