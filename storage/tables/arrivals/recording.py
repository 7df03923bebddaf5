"""Notes when messages arrive, at the price of four bytes in their chat's record.

What the record has of a webhook is moved to a row when it is enough for one, when a day has begun,
and when the chat is forgotten. So the usual message writes nothing more than it did.
"""

from collections.abc import Sequence

from hookbundle.engine.messages.message import Incoming
from hookbundle.engine.windows.arrivals import DAY_MS, SIZE_BITS, UNIT_BITS, packed
from hookbundle.storage.database.chat_records import ChatRecord, Collecting
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.arrivals import rows

BYTES_MAX = 96  # of a webhook in a chat's record: 24 arrivals
BYTES_OF_ALL_MAX = 384  # of all webhooks together; see `windows.TAIL_BYTES_MAX`
BYTES_LEAST = 16


def record(
    unit: Unit,
    settings: Settings,
    chat: bytes,
    kept: ChatRecord,
    collecting: Collecting,
    messages: Sequence[Incoming],
    now_ms: int,
) -> None:
    """The messages, at least one, have arrived for the webhook. `kept`: its chat's record."""
    day = now_ms // DAY_MS
    if day != collecting.day:
        if collecting.arrivals:
            move(unit, settings, chat, kept, now_ms)
        collecting.day = day
    if len(messages) == 1:  # as `packed`, without what it costs
        second = now_ms % DAY_MS // 1_000 << SIZE_BITS
        one = second | len(messages[0].message) >> UNIT_BITS
        collecting.arrivals += one.to_bytes(4, "big")
    else:
        collecting.arrivals += packed(now_ms, [len(each.message) for each in messages])
    if len(collecting.arrivals) >= BYTES_MAX or len(kept.collecting) > 4:
        most = max(BYTES_LEAST, min(BYTES_MAX, BYTES_OF_ALL_MAX // len(kept.collecting)))
        if len(collecting.arrivals) >= most:
            _move(unit, settings, chat, collecting, now_ms)


def move(unit: Unit, settings: Settings, chat: bytes, kept: ChatRecord, now_ms: int) -> None:
    """What the record has of other days is in rows."""
    today = now_ms // DAY_MS
    for each in kept.collecting:
        if each.arrivals and each.day != today:
            _move(unit, settings, chat, each, now_ms)


def _move(unit: Unit, settings: Settings, chat: bytes, collecting: Collecting, now_ms: int) -> None:
    """Those of a webhook that was deleted are dropped."""
    webhook = settings.webhook_or_none(collecting.webhook)
    if webhook is not None:
        rows.put(unit, webhook, collecting.day, chat, collecting.arrivals, now_ms)
    collecting.arrivals = b""
