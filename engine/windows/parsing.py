"""Reads the window that somebody wrote: a setting, or every fault at once with its path.

    "none"
    {"every": "1h", "hours": {"days": "sun-thu", "from": "09:00", "to": "18:00"}}
    {"quiet": "10m", "max": "6h", "first": "now"}
    {"at": ["09:00", "18:00"], "days": "mon-fri", "zone": "Asia/Jerusalem"}
    {"rules": [{"match": {"labels": "vip"}, "window": "none"}], "else": {"every": "6h"}}

Nothing is guessed, and a fault says what would be right.
"""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from hookbundle.engine import checked, durations, limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault, given, in_brief, not_one_of
from hookbundle.engine.filters import parsing as filters
from hookbundle.engine.filters.conditions import Filter
from hookbundle.engine.messages import spelling
from hookbundle.engine.windows import reading
from hookbundle.engine.windows.rule import (
    At,
    Choice,
    Every,
    Hours,
    Quiet,
    Rule,
    WindowSetting,
)

NONE = "none"
# In the order in which they are stored. What ends a window, each with the fields only it has:
ENDS: dict[str, tuple[str, ...]] = {"every": (), "quiet": ("max",), "at": ("days", "zone")}
BESIDE = ("first", "hours")
OF_A_RULE = (*(name for end in ENDS for name in (end, *ENDS[end])), *BESIDE)
OF_RULES = ("rules", "else")
OF_HOURS = ("days", "from", "to", "zone")
OF_A_CHOICE = ("match", "window")
FIRST_TIME = "00:00"  # in the place of one that is missing
EXAMPLE = '{"every": "1h"}'
MAX_OF_QUIET = 6  # so many times `quiet` is `max`, if nothing is said


def parse(value: Any, path: str = "window") -> WindowSetting:
    """The setting that the decoded JSON value is. Raises: InvalidInput with every fault."""
    if isinstance(value, dict):
        size, most = len(msgspec.json.encode(value)), limits.WINDOW_BYTES_MAX
        if size > most:
            raise InvalidInput((fault(path, FaultCode.TOO_LONG_AS_BYTES, most=most, size=size),))
    reader = _Reader()
    setting = reader.setting(value, path)
    if reader.faults:
        raise InvalidInput.with_faults(reader.faults)
    return setting


def written(value: Any) -> bytes:
    """The window as it is stored: compact JSON, its fields in one order."""
    return msgspec.json.encode(_in_order(value))


def plain_ms(setting: WindowSetting) -> int | None:
    """The length of a window that is nothing but one, 0 for none; of all others None."""
    match setting:
        case WindowSetting(Rule(None), ()):
            return 0
        case WindowSetting(Rule(Every(every_ms), first=False, hours=None), ()):
            return every_ms
        case _:
            return None


def _in_order(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ordered = {name: value[name] for name in (*OF_A_RULE, *OF_RULES) if name in value}
    if "hours" in ordered:
        hours = ordered["hours"]
        ordered["hours"] = {name: hours[name] for name in OF_HOURS if name in hours}
    if "rules" in ordered:
        ordered["rules"] = [
            {
                "match": msgspec.Raw(filters.written(each["match"])),
                "window": _in_order(each["window"]),
            }
            for each in ordered["rules"]
        ]
        ordered["else"] = _in_order(ordered["else"])
    return ordered


NO_RULE = Rule(None)  # in the place of one with faults


@dataclass(slots=True)
class _Reader:
    """Reads the parts of a window, and goes on after a fault."""

    faults: list[Fault] = field(default_factory=list)

    def setting(self, value: Any, path: str) -> WindowSetting:
        if not isinstance(value, dict) or not value.keys() & set(OF_RULES):
            return WindowSetting(self.rule(value, path))
        self._unknown(value, (*OF_RULES, *OF_A_RULE), path)
        for name in OF_A_RULE:
            if name in value:
                self.faults.append(fault(f"{path}.{name}", FaultCode.NOT_BESIDE_RULES))
        choices = self._choices(value.get("rules"), f"{path}.rules") if "rules" in value else ()
        if "rules" not in value:
            self.faults.append(fault(f"{path}.else", FaultCode.ONLY_BESIDE, beside="rules"))
        if "else" not in value:
            self.faults.append(fault(f"{path}.else", FaultCode.NO_ELSE))
            return WindowSetting(NO_RULE)
        return WindowSetting(self._inner(value["else"], f"{path}.else"), choices)

    def rule(self, value: Any, path: str) -> Rule:
        if value == NONE:
            return Rule(None)
        if not isinstance(value, dict):
            self.faults.append(_no_window(value, path))
            return NO_RULE
        self._unknown(value, (*OF_A_RULE, *OF_RULES), path)
        ends = [name for name in ENDS if name in value]
        self._misplaced(value, ends, path)
        if len(ends) > 1:
            got = ", ".join(ends)
            self.faults.append(fault(path, FaultCode.SEVERAL_ENDS, got=got))
        read = [self._end(name, value, path) for name in ends]
        first = self._first(value["first"], f"{path}.first") if "first" in value else False
        hours = self._hours(value["hours"], f"{path}.hours") if "hours" in value else None
        return Rule(read[0] if read else None, first, hours)

    def _misplaced(self, value: dict[str, Any], ends: list[str], path: str) -> None:
        """The fields that mean nothing beside what ends the window, or without it."""
        for end, fields in ENDS.items():
            if end not in ends:
                for name in fields:
                    if name in value:
                        at = f"{path}.{name}"
                        self.faults.append(fault(at, FaultCode.ONLY_BESIDE, beside=end))
        if not ends:
            if "first" in value:
                self.faults.append(fault(f"{path}.first", FaultCode.FIRST_WITH_NONE))
            else:
                self.faults.append(fault(path, FaultCode.NO_END_OF_WINDOW))

    def _end(self, name: str, value: dict[str, Any], path: str) -> Every | Quiet | At:
        match name:
            case "every":
                return Every(self._length(value["every"], f"{path}.every"))
            case "quiet":
                return self._quiet(value, path)
            case _:
                return At(
                    self._times(value["at"], f"{path}.at"),
                    reading.days_of(value, path, self.faults),
                    reading.zone_of(value, path, self.faults),
                )

    def _quiet(self, value: dict[str, Any], path: str) -> Quiet:
        quiet_ms = self._length(value["quiet"], f"{path}.quiet")
        if "max" not in value:
            return Quiet(quiet_ms, min(MAX_OF_QUIET * quiet_ms, limits.WINDOW_MS_MAX))
        max_ms = self._length(value["max"], f"{path}.max")
        if 0 < max_ms < quiet_ms:
            quiet, got = durations.format_ms(quiet_ms), in_brief(value["max"])
            wrong = fault(f"{path}.max", FaultCode.MAX_BELOW_QUIET, quiet=quiet, got=got)
            self.faults.append(wrong)
        return Quiet(quiet_ms, max_ms)

    def _length(self, value: Any, path: str) -> int:
        """In milliseconds; 0 after a fault."""
        length_ms = reading.length_of(value)
        if length_ms is None:
            self.faults.append(fault(path, FaultCode.NO_LENGTH, got=in_brief(value)))
        return length_ms or 0

    def _times(self, value: Any, path: str) -> tuple[int, ...]:
        if not isinstance(value, list):
            self.faults.append(fault(path, FaultCode.NOT_AN_ARRAY, given=given(value)))
            return ()
        items = checked.items(value, path, limits.WINDOW_TIMES_MAX, self.faults)
        return tuple(sorted({self._minute(item, at) for at, item in items}))

    def _first(self, value: Any, path: str) -> bool:
        if value != "now":
            self.faults.append(not_one_of(path, ("now",), value))
        return True

    def _hours(self, value: Any, path: str) -> Hours | None:
        if not isinstance(value, dict):
            self.faults.append(fault(path, FaultCode.NOT_AN_OBJECT, given=given(value)))
            return None
        self._unknown(value, OF_HOURS, path)
        for name in ("from", "to"):
            if name not in value:
                self.faults.append(fault(f"{path}.{name}", FaultCode.MISSING))
        return Hours(
            self._minute(value.get("from", FIRST_TIME), f"{path}.from"),
            self._minute(value.get("to", FIRST_TIME), f"{path}.to", end_too=True),
            reading.days_of(value, path, self.faults),
            reading.zone_of(value, path, self.faults),
        )

    def _minute(self, value: Any, path: str, *, end_too: bool = False) -> int:
        """Of the day; 0 after a fault."""
        minute = reading.minute_of(value, end_too=end_too)
        if minute is None:
            most = "24:00" if end_too else "23:59"
            got = in_brief(value)
            self.faults.append(fault(path, FaultCode.NO_TIME_OF_DAY, most=most, got=got))
        return minute or 0

    def _choices(self, value: Any, path: str) -> tuple[Choice, ...]:
        if not isinstance(value, list):
            self.faults.append(fault(path, FaultCode.NOT_AN_ARRAY, given=given(value)))
            return ()
        choices = []
        for at, item in checked.items(value, path, limits.WINDOW_RULES_MAX, self.faults):
            if not isinstance(item, dict):
                self.faults.append(fault(at, FaultCode.NOT_AN_OBJECT, given=given(item)))
                continue
            self._unknown(item, OF_A_CHOICE, at)
            missing = [name for name in OF_A_CHOICE if name not in item]
            self.faults += [fault(f"{at}.{name}", FaultCode.MISSING) for name in missing]
            match = self._match(item["match"], f"{at}.match") if "match" in item else None
            rule = self._inner(item["window"], f"{at}.window") if "window" in item else None
            if match is not None and rule is not None:
                choices.append(Choice(match, rule))
        return tuple(choices)

    def _match(self, value: Any, path: str) -> Filter | None:
        if value in (None, {}):  # as a filter it keeps all; here no rule after it had a meaning
            self.faults.append(fault(path, FaultCode.EMPTY))
            return None
        try:
            return filters.parse(value, path)
        except InvalidInput as exc:
            self.faults += exc.faults
            return None

    def _inner(self, value: Any, path: str) -> Rule:
        """The window of a rule, or that of all others."""
        if not isinstance(value, dict) or not value.keys() & set(OF_RULES):
            return self.rule(value, path)
        nested = [name for name in OF_RULES if name in value]
        self.faults += [fault(f"{path}.{name}", FaultCode.NESTED_RULES) for name in nested]
        return NO_RULE

    def _unknown(self, value: dict[str, Any], known: tuple[str, ...], path: str) -> None:
        self.faults += islice(spelling.unknown_faults(value, known, path), filters.NAMED_MAX)


def _no_window(value: Any, path: str) -> Fault:
    length_ms = reading.length_of(value)
    if length_ms is not None:
        example = f'{{"every": "{durations.format_ms(length_ms)}"}}'
        return fault(path, FaultCode.ONLY_A_LENGTH, example=example)
    return fault(path, FaultCode.NOT_A_WINDOW, example=EXAMPLE, got=in_brief(value))
