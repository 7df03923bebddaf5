"""How the messages of one request are handed to the Store: in parts, and in portions of parts.

A part is what one transition gets. A portion is what is submitted together, and takes places in the
Store's queue. Both are bounded, so that no transition is long, and a request, however large, holds
a bounded number of places.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from hookbundle.actors.store_queue import PLACE_BYTES, REQUEST_PLACES_MAX
from hookbundle.engine import limits
from hookbundle.engine.messages.changes import Change, ChangesByChat, Close
from hookbundle.engine.messages.message import Incoming, PartsByChat, Skipped

# As it is stored, a message has some hundred bytes more than it needs in a request. So those of a
# request of this size are no more than a part and a portion may have, unless they are too many.
WHOLE_BYTES_MAX = 64 * 1024


NO_CHANGES: ChangesByChat = {}


class Part(msgspec.Struct, frozen=True):
    """What one transition gets of a request. A msgspec Struct because it is made often.

    `changes`: edits and deletions, or one close; then it has nothing else.
    """

    chat_id: str
    messages: Sequence[Incoming]
    skipped: Sequence[Skipped]
    changes: Sequence[Change | Close] = ()


class Portion(msgspec.Struct, frozen=True):
    """Parts that are submitted together. `places`: what they take in the Store's queue."""

    parts: Sequence[Part]
    places: int


def portions_of(
    chats: PartsByChat, size: int, webhooks: int = 1, changes: ChangesByChat = NO_CHANGES
) -> list[Portion]:
    """The parts of a request of so many bytes, and which of them are submitted together.

    `webhooks`: each message may be stored once for each of so many, so parts are as much smaller.
    """
    if size <= WHOLE_BYTES_MAX and chats and not changes:  # as nearly all are
        most, parts = 0, []
        for chat_id, (messages, skipped) in chats.items():
            most = max(most, len(messages), len(skipped))
            parts.append(Part(chat_id, messages, skipped))
        if most <= limits.PART_MESSAGES_MAX // webhooks:
            return [Portion(parts, len(parts) + size // PLACE_BYTES)]
    return list(cut(chats, webhooks, changes))


def cut(
    chats: PartsByChat, webhooks: int = 1, changes: ChangesByChat = NO_CHANGES
) -> Iterator[Portion]:
    """As `portions_of` a large request; each portion is made when it is asked for."""
    parts: list[Part] = []
    places = 0
    for chat_id in {**chats, **changes} if changes else chats:
        messages, skipped = chats.get(chat_id) or ([], [])
        if chat_id in changes:
            found = _mixed(chat_id, messages, skipped, changes[chat_id], webhooks)
        else:
            found = _cut(chat_id, messages, skipped, webhooks)
        for part, part_bytes in found:
            takes = 1 + part_bytes // PLACE_BYTES
            if parts and places + takes > REQUEST_PLACES_MAX:
                yield Portion(parts, places)
                parts, places = [], 0
            parts.append(part)
            places += takes
    if parts:
        yield Portion(parts, places)


def _mixed(
    chat_id: str,
    messages: list[Incoming],
    skipped: list[Skipped],
    changes: Sequence[tuple[int, Change | Close]],
    webhooks: int,
) -> Iterator[tuple[Part, int]]:
    """As `_cut`, with the changes of the chat among its messages."""
    first = 0
    run: list[Change | Close] = []
    for before, change in changes:
        if run and before == first and isinstance(change, Close) and isinstance(run[0], Close):
            continue  # it is closed already
        is_other = bool(run) and (isinstance(change, Close) or isinstance(run[0], Close))
        if before > first or is_other:
            yield from _run(chat_id, run, webhooks)
            run = []
        if before > first:
            yield from _cut(chat_id, messages[first:before], [], webhooks)
            first = before
        run.append(change)
    yield from _run(chat_id, run, webhooks)
    if messages[first:] or skipped:
        yield from _cut(chat_id, messages[first:], skipped, webhooks)


def _run(chat_id: str, run: Sequence[Change | Close], webhooks: int) -> Iterator[tuple[Part, int]]:
    """As `_cut`, of changes that follow each other, or of one close."""
    if run:
        most = max(limits.PART_CHANGES_MAX // webhooks, 1)
        sizes = (len(each.text.encode()) if isinstance(each, Change) else 0 for each in run)
        for first, end, size in _split(sizes, most, webhooks):
            yield Part(chat_id, (), (), run[first:end]), size


def _cut(
    chat_id: str, messages: list[Incoming], skipped: list[Skipped], webhooks: int
) -> Iterator[tuple[Part, int]]:
    """What a chat gets of a request, in parts of a bounded size, in the order of the request.

    With each the bytes of its messages.
    """
    most = limits.PART_MESSAGES_MAX // webhooks
    rest = skipped[:most]  # go with the last messages, or alone
    sizes = (len(one.message) for one in messages)
    for first, end, size in _split(sizes, most, webhooks):
        yield Part(chat_id, messages[first:end], rest if end == len(messages) else ()), size
    for start in range(most, len(skipped), most):
        yield Part(chat_id, (), skipped[start : start + most]), 0


def _split(sizes: Iterable[int], most: int, webhooks: int) -> Iterator[tuple[int, int, int]]:
    """Where each part begins and ends, at least one, and its bytes.

    No part has more than `most`, nor more bytes than it may, unless it is one that has them alone.
    """
    most_bytes = limits.PART_BYTES_MAX // webhooks
    first = end = size = 0
    for end, more in enumerate(sizes, 1):
        at = end - 1
        if at - first == most or (size + more > most_bytes and at > first):
            yield first, at, size
            first, size = at, 0
        size += more
    yield first, end, size
