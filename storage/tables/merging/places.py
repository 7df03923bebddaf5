"""Finds a delivery by the number in its id, where merges have made deliveries change places."""

from collections.abc import Callable

from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue


def place_of(first_key: Callable[[bytes], bytes | None], webhook: int, named: int) -> int:
    """At which number the delivery stands that has this one in its id, if it is there.

    `first_key`: the first key with a prefix. Who finds no row looks at the number itself, where a
    delivery with another id may stand.
    """
    key = first_key(keyspace.owned_numbered(keyspace.PLACES, webhook, named))
    return named if key is None else key_fields.number(key)


def find(unit: Unit, webhook: int, named: int) -> Delivery | None:
    """The delivery that has this number in its id, whatever became of it; None if it is gone."""
    found = queue.find(unit, webhook, place_of(unit.first_key, webhook, named))
    return found if found is not None and found.own_number == named else None


def keep(unit: Unit, webhook: int, delivery: Delivery) -> None:
    """The delivery is found where it stands now."""
    if delivery.named:
        unit.put_flag(keyspace.place(webhook, delivery.named, delivery.number))


def leave(unit: Unit, webhook: int, delivery: Delivery) -> None:
    """The delivery is about to stand elsewhere."""
    if delivery.named:
        unit.delete(keyspace.place(webhook, delivery.named, delivery.number))
