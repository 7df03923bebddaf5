"""Figures of the whole house that no counter carries; asked for a few times a minute."""

from dataclasses import dataclass

from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Delivery


@dataclass(frozen=True, slots=True)
class Waiting:
    """`oldest_ms`: when the oldest delivery was sealed that waits for a webhook in service.

    What a disabled webhook holds is meant to wait, and says nothing about how sending goes.
    """

    oldest_ms: int | None
    webhooks_disabled: int


def waiting(env: Environment) -> Waiting:
    """One look for each workspace that has a queue or is disabled: not for the loop's thread."""
    with env.read() as txn:
        disabled = {keyspace.parse_owner(key) for key, _ in rows.rows(txn, keyspace.DISABLED)}
        heads = (
            key
            for key in rows.first_keys(txn, keyspace.PENDING)
            if keyspace.parse_owner(key) not in disabled
        )
        # Deliveries are numbered as they are sealed, whosever they are.
        oldest = min(heads, key=keyspace.parse_number, default=None)
        delivery = rows.get(txn, oldest, Delivery) if oldest is not None else None
        return Waiting(delivery.sealed_ms if delivery else None, len(disabled))
