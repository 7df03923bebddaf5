"""The fields of a form in which the rule of a webhook's windows is chosen, and the rule they make.

`aggregation` is the way that was chosen: `none`, a length, `quiet`, `at`, or `custom`, which is a
rule as JSON. Only the fields of that way count; those of the others stay as they were typed. What
is wrong is found by the parser of the API, and told at the field it is about.
"""

import re
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine import durations
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.windows import in_words
from hookbundle.engine.windows.parsing import NONE, parse
from hookbundle.engine.windows.reading import DAYS
from hookbundle.engine.windows.rule import CUSTOM, EVERY_DAY, At, Every, Quiet, Rule
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.decoding import json_of

QUIET, AT, JSON = "quiet", "at", "window_json"
TICKED = "on"
PREFIXES = ("at", "hours")  # of the fields of days
BOXES = ("first", "hours", *(f"{prefix}_{day}" for prefix in PREFIXES for day in DAYS))
UNTICKED = dict.fromkeys(BOXES, "")  # what a form does not post says nothing else
UNITS = ("s", "m", "h")
COMMAS = re.compile(r"[,،\n]")
# As percent signs it is three times as long, and a form has 64 KiB.
SHOWN_BYTES_MAX = 12 * 1024
# What the fields of a way have that was never chosen.
PROPOSED = {
    "quiet_count": "10",
    "quiet_unit": "m",
    "max_count": "",
    "max_unit": "h",
    "at_times": "18:00",
    "at_zone": "",
    "first": "",
    "hours": "",
    "hours_from": "09:00",
    "hours_to": "18:00",
    "hours_zone": "",
    JSON: "",
    "unshown": "",
    **{name: TICKED for name in BOXES if "_" in name},
}
# Where a fault stands, by the end of its path.
PLACES = {
    "every": "aggregation",
    "quiet": "quiet_count",
    "max": "max_count",
    "at": "at_times",
    "days": "at_days",
    "zone": "at_zone",
    "first": "first",
    "hours.from": "hours_from",
    "hours.to": "hours_to",
    "hours.days": "hours_days",
    "hours.zone": "hours_zone",
}
FIELDS = ("aggregation", JSON, *PLACES.values())


def shown(window: Any) -> dict[str, str]:
    """The fields as they show the window, as it is stored or sent."""
    setting = parse(window)
    if not setting.choices:
        return {**PROPOSED, **_of_rule(setting.otherwise, window)}
    text = msgspec.json.format(msgspec.json.encode(window)).decode()
    is_long = len(text.encode()) > SHOWN_BYTES_MAX
    as_json = {JSON: "" if is_long else text, "unshown": TICKED if is_long else ""}
    return {**PROPOSED, "aggregation": CUSTOM, **as_json}


def wanted(form: Form) -> Any | UnsetType:
    """The window that the form asks for, as the API takes it, right or wrong.

    UNSET: it asks for none, or for the rule that is there and was too long to be shown. Raises:
    InvalidInput for what is no JSON.
    """
    chosen = form.get("aggregation", "")
    if chosen == CUSTOM:
        return _as_json(form)
    if chosen in ("", NONE):
        return chosen or UNSET
    if chosen == QUIET:
        window: dict[str, Any] = {"quiet": _length(form, "quiet")}
        window |= {"max": _length(form, "max")} if form.get("max_count", "").strip() else {}
    elif chosen == AT:
        times = [each.strip() for each in COMMAS.split(form.get("at_times", ""))]
        window = {"at": [each for each in times if each], **_days_and_zone(form, "at")}
    else:
        window = {"every": chosen}
    if form.get("first") == TICKED:
        window["first"] = "now"
    if form.get("hours") == TICKED:
        begin, end = (form.get(f"hours_{name}", "").strip() for name in ("from", "to"))
        window["hours"] = {"from": begin, "to": end, **_days_and_zone(form, "hours")}
    return window


def is_same(window: Any, present: Any) -> bool:
    """Whether both are the same rule, however they are written."""
    try:
        return parse(window) == parse(present)
    except InvalidInput:
        return False


def place_of(found: Fault, form: Form) -> str:
    """The field that a fault of the window is about. `found`: its path begins with `window`."""
    if form.get("aggregation") == CUSTOM:
        return JSON
    path = re.sub(r"\[\d+\]", "", found.path.removeprefix("window").removeprefix("."))
    return PLACES.get(path, "aggregation")


def _of_rule(rule: Rule, window: Any) -> dict[str, str]:
    """The fields of a window with one rule."""
    found: dict[str, str] = {"first": TICKED if rule.first else ""}
    match rule.ends:
        case None:
            found["aggregation"] = NONE
        case Every(every_ms):
            found["aggregation"] = durations.format_ms(every_ms)
        case Quiet(quiet_ms, max_ms):
            found["aggregation"] = QUIET
            found |= _amount("quiet", quiet_ms)
            found |= _amount("max", max_ms) if "max" in window else {}
        case At(minutes, days, zone):
            found |= {"aggregation": AT, "at_zone": zone, **_ticked("at", days)}
            found["at_times"] = ", ".join(map(in_words.time_of, minutes))
    if (hours := rule.hours) is not None:
        found |= {"hours": TICKED, "hours_zone": hours.zone, **_ticked("hours", hours.days)}
        found["hours_from"] = in_words.time_of(hours.from_minute)
        found["hours_to"] = in_words.time_of(hours.to_minute)
    return found


def _as_json(form: Form) -> Any | UnsetType:
    text = form.get(JSON, "")
    if text.strip():
        return json_of(text, "window")
    if JSON not in form or form.get("unshown") == TICKED:
        return UNSET
    raise InvalidInput((fault("window", FaultCode.EMPTY),))


def _length(form: Form, name: str) -> str:
    count = form.get(f"{name}_count", "").strip()
    return f"{count}{form.get(f'{name}_unit', '')}" if count else ""


def _amount(name: str, length_ms: int) -> dict[str, str]:
    text = durations.format_ms(length_ms)
    return {f"{name}_count": text[:-1], f"{name}_unit": text[-1]}


def _ticked(prefix: str, days: tuple[int, ...]) -> dict[str, str]:
    return {f"{prefix}_{day}": TICKED if at in days else "" for at, day in enumerate(DAYS)}


def _days_and_zone(form: Form, prefix: str) -> dict[str, str]:
    days = tuple(at for at, day in enumerate(DAYS) if form.get(f"{prefix}_{day}") == TICKED)
    zone = form.get(f"{prefix}_zone", "").strip()
    found = {} if days == EVERY_DAY else {"days": _written(days)}
    return found | ({"zone": zone} if zone else {})


def _written(days: tuple[int, ...]) -> str:
    """As a rule has them: `sun-thu`; two days are not a range."""
    found = []
    for first, count in in_words.runs(days):
        names = [DAYS[(first + step) % 7] for step in range(count)]
        found += [f"{names[0]}-{names[-1]}"] if count > 2 else names
    return ",".join(found)
