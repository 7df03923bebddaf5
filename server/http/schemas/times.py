"""Times: RFC 3339 with milliseconds, always UTC; those that come in may have another offset."""

from datetime import datetime

from hookbundle.engine.messages.timestamps import EPOCH_MS_MAX, rfc_3339

CHARS_MAX = 64

iso = rfc_3339  # how all documents have it


def iso_or_none(at_ms: int) -> str | None:
    return iso(at_ms) if at_ms else None


def ms_of(text: str) -> int | None:
    """UTC milliseconds of a time with its offset; None for what is none, or not of 1970 to 9999."""
    try:
        at = datetime.fromisoformat(text) if len(text) <= CHARS_MAX else None
    except ValueError:
        return None
    if at is None or at.tzinfo is None:
        return None
    try:
        at_ms = round(at.timestamp() * 1_000)
    except (OverflowError, ValueError):
        return None
    return at_ms if 0 < at_ms <= EPOCH_MS_MAX else None
