"""When messages came, as it is kept for simulations: four bytes each, and nothing of their text.

The upper 17 bits are the second of the UTC day, the lower 15 the size of the message as JSON in
units of 32 bytes. Whose they are and of which day is said where they are kept.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hookbundle.engine import limits

DAY_MS = 86_400_000
BYTES_OF_ONE = 4
SIZE_BITS = 15
UNIT_BITS = 5  # a unit is 32 bytes
SIZE_MASK = (1 << SIZE_BITS) - 1
SECONDS_OF_A_DAY = 86_400
# A message is in a bundle twice, as JSON and in the aggregation. What escaping adds is mostly that
# of the quotes around its fields, which are always the same.
ESCAPED_BYTES = 180

# Any message is in a bundle twice, so its size has room.
assert limits.BUNDLE_BODY_BYTES_MAX // 2 >> UNIT_BITS <= SIZE_MASK
assert SECONDS_OF_A_DAY < 1 << (8 * BYTES_OF_ONE - SIZE_BITS)

Piece = tuple[int, bytes]  # a day, and the arrivals of it


class Came(Protocol):
    """A message, as JSON, and when it came: 0 in a window of an earlier version."""

    @property
    def arrived_ms(self) -> int: ...

    @property
    def message(self) -> bytes: ...


class Arrival(NamedTuple):
    """`at_ms`: to the second. `weight`: about the bytes that the message adds to a bundle."""

    at_ms: int
    weight: int


def day_of(at_ms: int) -> int:
    """The UTC day, counted since 1970."""
    return at_ms // DAY_MS


def packed_one(at_ms: int, size: int) -> bytes:
    """A message of this size, as JSON in bytes, that came at this time."""
    second = at_ms % DAY_MS // 1_000
    return (second << SIZE_BITS | size >> UNIT_BITS).to_bytes(BYTES_OF_ONE, "big")


def packed(messages: Sequence[Came], opened_ms: int) -> list[Piece]:
    """The messages of a window, which was opened then, day by day, in order of time."""
    # It is done for all that is sealed: what is usual has a way of its own.
    if len(messages) == 1:
        at_ms = messages[0].arrived_ms or opened_ms
        return [(at_ms // DAY_MS, packed_one(at_ms, len(messages[0].message)))]
    if len({message.arrived_ms for message in messages}) == 1:  # of one request
        at_ms = messages[0].arrived_ms or opened_ms
        second = at_ms % DAY_MS // 1_000 << SIZE_BITS
        found = [second | len(message.message) >> UNIT_BITS for message in messages]
        return [(at_ms // DAY_MS, struct.pack(f">{len(found)}I", *found))]
    days: dict[int, list[int]] = {}
    for message in messages:
        day, rest_ms = divmod(message.arrived_ms or opened_ms, DAY_MS)
        arrival = rest_ms // 1_000 << SIZE_BITS | len(message.message) >> UNIT_BITS
        days.setdefault(day, []).append(arrival)
    return [(day, struct.pack(f">{len(days[day])}I", *sorted(days[day]))) for day in sorted(days)]


def unpacked(day: int, arrivals: bytes) -> list[Arrival]:
    """Those of the day, as they were packed. Raises: ValueError if that is no whole number."""
    count, rest = divmod(len(arrivals), BYTES_OF_ONE)
    if rest:
        raise ValueError(f"{len(arrivals)} bytes are no arrivals")
    start_ms, half = day * DAY_MS, 1 << (UNIT_BITS - 1)
    return [
        Arrival(
            start_ms + 1_000 * (each >> SIZE_BITS),
            2 * (((each & SIZE_MASK) << UNIT_BITS) + half) + ESCAPED_BYTES,
        )
        for each in struct.unpack(f">{count}I", arrivals)
    ]
