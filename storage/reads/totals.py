"""Figures of the whole database that no counter holds. They are read a few times a minute."""

from dataclasses import dataclass

from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.tables import history


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
        heads = (
            key
            for key in rows.first_keys(txn, keyspace.QUEUED)
            if keyspace.parse_owner(key) not in disabled
        )
        # All webhooks take numbers from one counter, so the lowest number was sealed first.
        oldest = min(heads, key=keyspace.parse_number, default=None)
        delivery = None
        if oldest is not None:
            head = history.key_of(keyspace.parse_owner(oldest), keyspace.parse_number(oldest))
            delivery = rows.get(txn, head, Delivery)
        return WaitingTotals(delivery.sealed_ms if delivery else None, len(disabled))
