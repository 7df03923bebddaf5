"""Lengths, times of the day, days and zones, as they are written in a window."""

import re
from typing import Any

from hookbundle.engine import durations, limits, time_zones
from hookbundle.engine.errors import Fault
from hookbundle.engine.faults import FaultCode, fault, given, in_brief
from hookbundle.engine.windows.rule import EVERY_DAY

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_CHARS_MAX = 100  # all seven, and as many ranges
TIME = re.compile(r"([0-9]{2}):([0-9]{2})")
DAY_MINUTES = 1_440


def length_of(value: Any) -> int | None:
    """Milliseconds, of whole seconds that a window may last; None if it is no such text."""
    try:
        length_ms = durations.parse_ms(value) if isinstance(value, str) else 0
    except ValueError:
        return None
    fits = limits.WINDOW_MS_MIN <= length_ms <= limits.WINDOW_MS_MAX and length_ms % 1_000 == 0
    return length_ms if fits else None


def minute_of(value: Any, *, end_too: bool = False) -> int | None:
    """The minute of the day that `09:00` is; `24:00` only with `end_too`. None if it is no time."""
    found = TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    hours, minutes = int(found[1]), int(found[2])
    minute = 60 * hours + minutes
    fits = minutes < 60 and (minute < DAY_MINUTES or (end_too and minute == DAY_MINUTES))
    return minute if fits else None


def days_of(parent: dict[str, Any], path: str, faults: list[Fault]) -> tuple[int, ...]:
    """The days that the object names, in order, each once; all if it names none."""
    if "days" not in parent:
        return EVERY_DAY
    value, at = parent["days"], f"{path}.days"
    if not isinstance(value, str):
        faults.append(fault(at, FaultCode.NOT_TEXT, given=given(value)))
    elif not value.strip():
        faults.append(fault(at, FaultCode.EMPTY))
    elif len(value) > DAYS_CHARS_MAX:
        size = len(value)
        faults.append(fault(at, FaultCode.TOO_LONG, most=DAYS_CHARS_MAX, size=size))
    else:
        return _days(value, at, faults)
    return EVERY_DAY


def _days(text: str, path: str, faults: list[Fault]) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        names = [name.strip() for name in part.split("-", 1)]
        unknown = [name for name in names if name not in DAYS]
        faults += [fault(path, FaultCode.NO_DAY, got=in_brief(name)) for name in unknown]
        if not unknown:
            begin, end = DAYS.index(names[0]), DAYS.index(names[-1])
            found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return tuple(sorted(found))


def zone_of(parent: dict[str, Any], path: str, faults: list[Fault]) -> str:
    """The name of a zone; empty if the object names none."""
    if "zone" not in parent:
        return ""
    value, at = parent["zone"], f"{path}.zone"
    if not isinstance(value, str):
        faults.append(fault(at, FaultCode.NOT_TEXT, given=given(value)))
        return ""
    most = limits.ZONE_CHARS_MAX
    if len(value) > most:
        faults.append(fault(at, FaultCode.TOO_LONG, most=most, size=len(value)))
        return ""
    wrong = time_zones.fault_of(at, value)
    if wrong is not None:
        faults.append(wrong)
    return value
