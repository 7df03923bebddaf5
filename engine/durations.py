"""Durations in configuration files and commands: `50ms`, `5s`, `2m`, `6h`."""

import re

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SHAPE = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def parse_ms(text: str) -> int:
    """The duration in milliseconds.

    Raises: ValueError whose message says how to write a duration.
    """
    match = SHAPE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a whole number and ms, s, m, h or d")
    return int(match[1]) * UNITS_MS[match[2]]


def format_ms(duration_ms: int) -> str:
    """The shortest exact spelling: `90_000` is `90s`, `21_600_000` is `6h`."""
    for unit, size_ms in reversed(UNITS_MS.items()):
        if duration_ms % size_ms == 0 and duration_ms >= size_ms and unit != "d":
            return f"{duration_ms // size_ms}{unit}"
    return f"{duration_ms}ms"
