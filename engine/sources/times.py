"""Times as sources write them, as milliseconds since 1970."""

from typing import Any

from hookbundle.engine.messages.timestamps import SECONDS_MAX, NoTime, parse_ms

LOW = 0xFFFFFFFF
LOW_BITS = 32
TEXT_CHARS_MAX = 64
UTC_NAMES = (" UTC", " GMT")


def read_ms(value: Any) -> int | None:
    """Of seconds or milliseconds as number or digits, of ISO 8601 with an offset or ` UTC`, of a
    protobuf long `{"low", "high"}`. None for anything else, and for times before 1973.

    A zero, which some write for "not known", is none; so is a local time, which has no offset.
    """
    if isinstance(value, dict):
        value = _from_long(value)
    if isinstance(value, str):
        value = _with_offset(value.strip()) if len(value) <= TEXT_CHARS_MAX else None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        at_ms = parse_ms(value)
    except NoTime:
        return None
    return at_ms if at_ms > SECONDS_MAX else None  # less is read as seconds by intake


def within_second(sent_ms: int, told_ms: int | None) -> int:
    """A time in whole seconds, refined by that of the event which told it.

    Two messages of one second keep the order in which the source told them, though their requests
    may come in another one.
    """
    if told_ms is None or sent_ms % 1_000:
        return sent_ms
    return sent_ms + min(max(told_ms - sent_ms, 0), 999)


def _from_long(value: dict[str, Any]) -> int | None:
    low, high = value.get("low"), value.get("high")
    if isinstance(low, int) and isinstance(high, int):
        return (high << LOW_BITS) + (low & LOW) if 0 <= high <= LOW else None
    return None


def _with_offset(text: str) -> str:
    for name in UTC_NAMES:
        if text.endswith(name):
            return text.removesuffix(name) + "+00:00"
    return text
