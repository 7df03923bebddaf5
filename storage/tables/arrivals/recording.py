"""Notes when messages arrived, at the price of four bytes in their chat's record.

A message is noted when it leaves: with its window, which knows when each of its messages came, or
alone. So what comes in costs nothing more than it did; and who wants to know all looks into the
open windows as well. What the record has of a webhook is moved to a row when it is enough for one,
when a day has begun, and when the chat is forgotten.
"""

from collections.abc import Sequence

from hookbundle.engine.windows.arrivals import DAY_MS, Piece, packed, packed_one
from hookbundle.storage.database.chat_records import ChatRecord, Collecting, Member
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.arrivals import rows

BYTES_MAX = 96  # of a webhook in a chat's record: 24 arrivals
BYTES_OF_ALL_MAX = 384  # of all webhooks together; see `windows.TAIL_BYTES_MAX`
BYTES_LEAST = 16
MANY = BYTES_OF_ALL_MAX // BYTES_MAX  # webhooks; with more of them each has less room


def note_one(
    unit: Unit,
    settings: Settings,
    chat: bytes,
    kept: ChatRecord,
    collecting: Collecting,
    message: bytes,
    now_ms: int,
) -> None:
    """The message, as JSON, has come and leaves alone. `kept`: the chat's record."""
    piece = now_ms // DAY_MS, packed_one(now_ms, len(message))
    _note(unit, settings, chat, kept, collecting, piece, now_ms)


def note_window(
    unit: Unit,
    settings: Settings,
    chat: bytes,
    kept: ChatRecord,
    collecting: Collecting,
    members: Sequence[Member],
    opened_ms: int,
    now_ms: int,
) -> None:
    """The messages of the window leave. They came after those that left before."""
    for piece in packed(members, opened_ms):
        _note(unit, settings, chat, kept, collecting, piece, now_ms)


def move(unit: Unit, settings: Settings, chat: bytes, kept: ChatRecord, now_ms: int) -> None:
    """What the record has of other days is in rows."""
    today = now_ms // DAY_MS
    for each in kept.collecting:
        if each.arrivals and each.day != today:
            _move(unit, settings, chat, each, now_ms)


def _note(
    unit: Unit,
    settings: Settings,
    chat: bytes,
    kept: ChatRecord,
    collecting: Collecting,
    piece: Piece,
    now_ms: int,
) -> None:
    """What came on one day is in the record, or in a row with what the record had."""
    day, arrivals = piece
    if day != collecting.day:
        _begin(unit, settings, chat, kept, collecting, day, now_ms)
    collecting.arrivals += arrivals
    if len(collecting.arrivals) >= BYTES_MAX or len(kept.collecting) > MANY:
        _end(unit, settings, chat, kept, collecting, now_ms)


def _begin(
    unit: Unit,
    settings: Settings,
    chat: bytes,
    kept: ChatRecord,
    collecting: Collecting,
    day: int,
    now_ms: int,
) -> None:
    """What the record has of the webhook is of another day than what comes now."""
    move(unit, settings, chat, kept, now_ms)
    if collecting.arrivals:
        _move(unit, settings, chat, collecting, now_ms)
    collecting.day = day


def _end(
    unit: Unit,
    settings: Settings,
    chat: bytes,
    kept: ChatRecord,
    collecting: Collecting,
    now_ms: int,
) -> None:
    """What the record has of the webhook is in a row, if it is enough for one."""
    most = BYTES_OF_ALL_MAX // len(kept.collecting)
    if len(collecting.arrivals) >= min(max(most, BYTES_LEAST), BYTES_MAX):
        _move(unit, settings, chat, collecting, now_ms)


def _move(unit: Unit, settings: Settings, chat: bytes, collecting: Collecting, now_ms: int) -> None:
    """Those of a webhook that was deleted are dropped."""
    webhook = settings.webhook_or_none(collecting.webhook)
    if webhook is not None:
        rows.put(unit, webhook, collecting.day, chat, collecting.arrivals, now_ms)
    collecting.arrivals = b""
