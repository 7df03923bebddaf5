"""A window as a sentence: when a bundle leaves. In the language of the caller.

When the conversation has been quiet for 10 minutes, at the latest after 6 hours
On Mon, Thu at 12:00, 18:00 (Asia/Jerusalem); the first message after a silence leaves at once
(1) Labels: one of: vip → each message at once; (2) all others → every hour
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from hookbundle.engine.filters import in_words as filters
from hookbundle.engine.phrasing import Words, within
from hookbundle.engine.windows.parsing import parse
from hookbundle.engine.windows.rule import EVERY_DAY, At, Every, Hours, Quiet, Rule

# A length has the largest unit that divides it, so that it is exact.
UNITS_MS = (3_600_000, 60_000, 1_000)
LENGTHS = (
    ("%(num)s hour", "%(num)s hours"),
    ("%(num)s minute", "%(num)s minutes"),
    ("%(num)s second", "%(num)s seconds"),
)
EVERY = (
    ("Every hour", "Every %(num)s hours"),
    ("Every minute", "Every %(num)s minutes"),
    ("Every second", "Every %(num)s seconds"),
)
AT_ONCE = "Each message at once"
QUIET = "When the conversation has been quiet for {quiet}, at the latest after {most}"
DAILY, ON_DAYS = "Every day at {times}", "On {days} at {times}"
IN_ZONE = "{rule} ({zone})"
FIRST = "{rule}; the first message after a silence leaves at once"
HOURS = "{rule}; only {hours}"
FROM_TO, OVER_MIDNIGHT = "{begin}\u2013{end}", "{begin}\u2013{end} of the next day"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_RANGE = "{first}\u2013{last}"
COMMA, SEMICOLON = ", ", "; "
CHOICE, OTHERS = "{match} → {rule}", "all others"


class Line(NamedTuple):
    """A rule of a window. `match`: for which messages, as a filter; None: for all others."""

    match: dict[str, Any] | None
    rule: Rule


def sentence(window: Any, words: Words, zone: str = "") -> str:
    """`window`: as it is stored or sent, and sound. `zone`: that of its workspace, named where the
    rule goes by it; empty if it is not known. Several rules are numbered, in one line."""
    lines = lines_of(window)
    if len(lines) == 1:
        return of_rule(lines[0].rule, words, zone)
    numbered = (
        words.joined("", (f"({at}) ", of_choice(line, words, zone)))
        for at, line in enumerate(lines, 1)
    )
    return words.text(SEMICOLON).join(numbered)


def lines_of(window: Any) -> list[Line]:
    """The rules in the order in which they are tried; one line if there is but one."""
    setting = parse(window)
    if not setting.choices:
        return [Line(None, setting.otherwise)]
    matches = [each["match"] for each in window["rules"]]
    of_choices = zip(matches, setting.choices, strict=True)
    return [
        *(Line(match, choice.rule) for match, choice in of_choices),
        Line(None, setting.otherwise),
    ]


def of_choice(line: Line, words: Words, zone: str = "") -> str:
    """The rule, and before it for which messages it is."""
    match = words.text(OTHERS) if line.match is None else filters.summary(line.match, words)
    return words.text(CHOICE, match=match, rule=within(of_rule(line.rule, words, zone)))


def of_rule(rule: Rule, words: Words, zone: str = "") -> str:
    said, named = _ends(rule.ends, words, zone)
    if rule.first:
        said = words.text(FIRST, rule=said)
    if rule.hours is not None:
        hours, of_hours = _hours(rule.hours, words), rule.hours.zone or zone
        said = words.text(HOURS, rule=said, hours=hours)
        if of_hours and of_hours != named:
            said = words.text(IN_ZONE, rule=said, zone=words.value(of_hours))
    return said


def every(length_ms: int, words: Words) -> str:
    """How often bundles leave that leave one length after their first message."""
    number, unit = _in_units(length_ms)
    return words.count(*EVERY[unit], number)


def length(length_ms: int, words: Words) -> str:
    """The length, exactly."""
    number, unit = _in_units(length_ms)
    return words.count(*LENGTHS[unit], number)


def days(chosen: tuple[int, ...], words: Words) -> str:
    """Names and ranges; a range has three days or more."""
    said = []
    for first, count in runs(chosen):
        names = [words.text(DAYS[(first + step) % 7]) for step in range(count)]
        if count > 2:
            names = [words.text(DAY_RANGE, first=names[0], last=names[-1])]
        said += names
    return words.text(COMMA).join(said)


def runs(chosen: tuple[int, ...]) -> list[tuple[int, int]]:
    """The first day and the count of each row of days that follow each other, over the week's end
    too; of all seven, one row from Monday."""
    if len(set(chosen)) == 7:
        return [(0, 7)]
    begins = [day for day in sorted(chosen) if (day - 1) % 7 not in chosen]
    return [
        (day, next(count for count in range(1, 8) if (day + count) % 7 not in chosen))
        for day in begins
    ]


def time_of(minute: int) -> str:
    """`18:00`; 1,440 is `24:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def texts() -> Iterator[str]:
    """Every phrase, which each language has to have; those of a number with NUL between."""
    yield from ("\0".join(each) for each in (*LENGTHS, *EVERY))
    yield from (AT_ONCE, QUIET, DAILY, ON_DAYS, IN_ZONE, FIRST, HOURS, FROM_TO, OVER_MIDNIGHT)
    yield from (*DAYS, DAY_RANGE, COMMA, SEMICOLON, CHOICE, OTHERS)
    yield from filters.texts()


def _ends(ends: Every | Quiet | At | None, words: Words, zone: str) -> tuple[str, str]:
    """What ends the window, and the zone that was named."""
    match ends:
        case Every(every_ms):
            return every(every_ms, words), ""
        case Quiet(quiet_ms, max_ms):
            quiet, most = length(quiet_ms, words), length(max_ms, words)
            return words.text(QUIET, quiet=quiet, most=most), ""
        case At():
            named = ends.zone or zone
            times = words.text(COMMA).join(words.value(time_of(each)) for each in ends.minutes)
            if ends.days == EVERY_DAY:
                said = words.text(DAILY, times=times)
            else:
                said = words.text(ON_DAYS, days=days(ends.days, words), times=times)
            if named:
                said = words.text(IN_ZONE, rule=said, zone=words.value(named))
            return said, named
        case None:
            return words.text(AT_ONCE), ""


def _hours(hours: Hours, words: Words) -> str:
    pattern = FROM_TO if hours.to_minute > hours.from_minute else OVER_MIDNIGHT
    begin, end = (words.value(time_of(each)) for each in (hours.from_minute, hours.to_minute))
    said = words.text(pattern, begin=begin, end=end)
    if hours.days == EVERY_DAY:
        return said
    return words.joined(" ", (days(hours.days, words), said))


def _in_units(length_ms: int) -> tuple[int, int]:
    unit = next(at for at, size_ms in enumerate(UNITS_MS) if length_ms % size_ms == 0)
    return length_ms // UNITS_MS[unit], unit
