"""Times as people read them, in the workspace's zone or one that a template names.

The directives of `date` are those of `strftime` that mean the same everywhere; names of days and
months are English, whatever language the machine has. Nothing of them is handed to the C library,
which would take `%999999999d` for a width.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from hookbundle.engine import time_zones
from hookbundle.engine.messages import timestamps

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DIRECTIVE = re.compile("%(.?)", re.DOTALL)

DIRECTIVES: Mapping[str, Callable[[datetime], str]] = MappingProxyType(
    {
        "Y": lambda at: f"{at.year:04}",
        "y": lambda at: f"{at.year % 100:02}",
        "m": lambda at: f"{at.month:02}",
        "d": lambda at: f"{at.day:02}",
        "e": lambda at: f"{at.day:2}",
        "H": lambda at: f"{at.hour:02}",
        "I": lambda at: f"{at.hour % 12 or 12:02}",
        "M": lambda at: f"{at.minute:02}",
        "S": lambda at: f"{at.second:02}",
        "p": lambda at: "AM" if at.hour < 12 else "PM",
        "j": lambda at: f"{at.timetuple().tm_yday:03}",
        "A": lambda at: DAYS[at.weekday()],
        "a": lambda at: DAYS[at.weekday()][:3],
        "B": lambda at: MONTHS[at.month - 1],
        "b": lambda at: MONTHS[at.month - 1][:3],
        "F": lambda at: f"{at.year:04}-{at.month:02}-{at.day:02}",
        "T": lambda at: f"{at.hour:02}:{at.minute:02}:{at.second:02}",
        "R": lambda at: f"{at.hour:02}:{at.minute:02}",
        "z": lambda at: offset_of(at),
        "Z": lambda at: at.tzname() or "",
        "s": lambda at: str(int(at.timestamp())),
        "%": lambda at: "%",
    }
)


def unknown_directive(form: str) -> str | None:
    """The first directive of the form that is not known; None if all are."""
    for found in DIRECTIVE.finditer(form):
        if found[1] not in DIRECTIVES:
            return found[0]
    return None


def written(at: datetime, form: str, zone: ZoneInfo) -> str:
    """The time in the zone, by the form, whose directives are known."""
    local = in_zone(at, zone)
    return DIRECTIVE.sub(lambda found: DIRECTIVES[found[1]](local), form)


@lru_cache(maxsize=4_096)
def local_time(timestamp: str, zone: ZoneInfo) -> str:
    """`2021-02-24 18:25` of a timestamp of the payload."""
    at = in_zone(timestamps.utc(timestamps.parse_ms(timestamp)), zone)
    return f"{at.year:04}-{at.month:02}-{at.day:02} {at.hour:02}:{at.minute:02}"


def in_zone(at: datetime, zone: ZoneInfo) -> datetime:
    """The same moment there; in UTC if that would be a day that no calendar here has."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def offset_of(at: datetime) -> str:
    """`+0200`."""
    offset = at.utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset is not None else 0
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def zone_named(name: str, usual: ZoneInfo) -> ZoneInfo:
    return time_zones.zone(name) if name else usual
