"""How the messages of one request are handed to the Store: in parts, and in portions of parts.

A part is what one transition gets. A portion is what is submitted together, and takes places in the
Store's queue. Both are bounded, so that no transition is long, and a request, however large, holds
a bounded number of places.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hookbundle.actors.store_queue import PLACE_BYTES, REQUEST_PLACES_MAX
from hookbundle.engine import limits
from hookbundle.engine.messages.message import Incoming, PartsByChat, Skipped

WHOLE_BYTES_MAX = 32 * 1024  # no request of this size has 500 messages


class Part(NamedTuple):
    """What one transition gets of a request."""

    chat_id: str
    messages: Sequence[Incoming]
    skipped: Sequence[Skipped]


class Portion(NamedTuple):
    """Parts that are submitted together. `places`: what they take in the Store's queue."""

    parts: Sequence[Part]
    places: int


def portions_of(chats: PartsByChat, size: int) -> list[Portion]:
    """The parts of a request of so many bytes, and which of them are submitted together."""
    if size <= WHOLE_BYTES_MAX and chats:  # as nearly all are; then no part needs to be cut
        parts = [Part(chat_id, *each) for chat_id, each in chats.items()]
        return [Portion(parts, len(parts) + size // PLACE_BYTES)]
    return list(cut(chats))


def cut(chats: PartsByChat) -> Iterator[Portion]:
    """As `portions_of` a large request; each portion is made when it is asked for."""
    parts: list[Part] = []
    places = 0
    for chat_id, (messages, skipped) in chats.items():
        for part, part_bytes in _cut(chat_id, messages, skipped):
            takes = 1 + part_bytes // PLACE_BYTES
            if places + takes > REQUEST_PLACES_MAX:
                yield Portion(parts, places)
                parts, places = [], 0
            parts.append(part)
            places += takes
    if parts:
        yield Portion(parts, places)


def _cut(
    chat_id: str, messages: list[Incoming], skipped: list[Skipped]
) -> Iterator[tuple[Part, int]]:
    """What a chat gets of a request, in parts of a bounded size, in the order of the request.

    With each the bytes of its messages.
    """
    most = limits.PART_MESSAGES_MAX
    first = size = 0
    for at, one in enumerate(messages):
        more = len(one.message)
        if at - first == most or (size + more > limits.PART_BYTES_MAX and size):
            yield Part(chat_id, messages[first:at], ()), size
            first, size = at, 0
        size += more
    yield Part(chat_id, messages[first:], skipped[:most]), size
    for start in range(most, len(skipped), most):
        yield Part(chat_id, (), skipped[start : start + most]), 0
