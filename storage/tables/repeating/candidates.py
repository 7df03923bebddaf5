"""Where a replay looks for the deliveries that it means: in the order of their numbers.

The count before it, which reads, and the replay, which writes, walk the same way. Of dead letters
alone only their rows are walked, of a chat only the rows of its index; else all of what the webhook
has. Numbers rise with the time of sealing, but for some milliseconds in which transitions are
applied in another order than they were made; so a time gives a number to begin at, and one to end.
"""

from collections.abc import Iterator

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery, ReplayFilter
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.tables import history, moving
from hookbundle.storage.tables.moving import Rows

STATES = (DeliveryState.DEAD_LETTER.value, DeliveryState.DELIVERED.value)  # what can be chosen
DISORDER_MS = 60_000  # what waited for the Store has the time at which it was asked for


def numbers(
    rows: Rows, webhook: Webhook, state: WebhookState, wanted: ReplayFilter, place: int, before: int
) -> Iterator[int]:
    """Numbers from `place` on, below `before`, among which are all that may be meant."""
    for number in _numbers(rows, webhook, state, wanted, max(place - 1, 0)):
        if number >= before:
            return
        yield number


def _numbers(
    rows: Rows, webhook: Webhook, state: WebhookState, wanted: ReplayFilter, after: int
) -> Iterator[int]:
    if DeliveryState.DELIVERED not in wanted.states:
        yield from moving.numbers(rows, state, webhook.number, keyspace.DEAD_LETTERS, after)
        return
    if wanted.chat:
        chat = wanted.chat.encode()
        prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, webhook.workspace, chat)
        last = keyspace.chat_delivery(webhook.workspace, chat, after, 2**32 - 1)
        for key, _ in rows(prefix, last):
            number, owner = key_fields.chat_delivery(key)
            if owner == webhook.number:
                yield number
        return
    prefix = keyspace.owned(keyspace.DELIVERIES, webhook.number)
    for key, _ in rows(prefix, history.key_of(webhook.number, after)):
        yield key_fields.number(key)


def place_of(rows: Rows, webhook: Webhook, sealed_ms: int, before: int) -> int:
    """A number so that of those below it none was sealed at `sealed_ms` or later."""
    return first_at(rows, webhook.number, sealed_ms - DISORDER_MS, before)


def first_at(rows: Rows, webhook: int, at_ms: int, before: int) -> int:
    """The number below which all of the webhook was sealed before that time; at most `before`.

    Found by halving what lies below `before`: some forty look-ups, however long the history is. It
    is exact but for the disorder, which a caller takes off the time, or adds to it. A search
    (reads/searching/bounds.py) begins and ends by it, too.
    """
    low, high = 0, before if at_ms > 0 else 0
    while low < high:
        middle = (low + high) // 2
        found = _sealed_after(rows, webhook, middle, high)
        if found is None:
            high = middle  # nothing is from the middle to before `high`
        elif found[1] < at_ms:
            low = found[0] + 1
        else:
            high = middle
    return low


def end_of(rows: Rows, webhook: Webhook, wanted: ReplayFilter, before: int) -> int:
    """A number so that of those from it on none was sealed before `until_ms`; at most `before`."""
    if not wanted.until_ms:
        return before
    return first_at(rows, webhook.number, wanted.until_ms + DISORDER_MS, before)


def _sealed_after(rows: Rows, webhook: int, number: int, before: int) -> tuple[int, int] | None:
    """The first delivery between the numbers that can be read, and when it was sealed."""
    prefix = keyspace.owned(keyspace.DELIVERIES, webhook)
    after = history.key_of(webhook, number - 1) if number else b""
    for key, value in rows(prefix, after):
        found = key_fields.number(key)
        if found >= before:
            return None
        delivery = codec.readable(key, value, Delivery)
        if delivery is not None:
            return found, delivery.placed_ms
    return None
