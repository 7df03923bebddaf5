"""Finds a delivery by the number in its id, where merges have made deliveries change places."""

from collections.abc import Callable

from hookbundle.storage.database.delivery_records import Delivery

PLACES_MAX = 1_000  # of ids that have changed places; more are no chain, but damage


def named(read: Callable[[int], Delivery | None], number: int) -> Delivery | None:
    """The delivery that has this number in its id; None if it is gone.

    It mostly stands at its number. Where deliveries were merged, the one that stands there says
    which number it has in its own id, and so on round.
    """
    found, looked = read(number), 0
    while found is not None and found.named not in (0, number) and looked < PLACES_MAX:
        found, looked = read(found.named), looked + 1
    return found if found is not None and found.own_number == number else None
