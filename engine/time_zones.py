"""Names of time zones, as the IANA database of the package `tzdata` has them.

The machine's own database is not asked for names: it may be absent, older, or hold local ones, and
a name that one machine takes has to be known to all of them.
"""

from difflib import get_close_matches
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault

ALIKE = 0.75  # how much of a name has to be right for it to be recognised; 1 is all of it


@cache
def known() -> frozenset[str]:
    """All names, those that are kept for old data included."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - {"Factory"}  # of a machine whose zone nobody has set


@cache
def offered() -> tuple[str, ...]:
    """The names that people choose from: UTC, and one for each time of each country."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return ("UTC", *sorted(row[2] for row in rows))


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of that name; UTC for a name that this machine's release does not know."""
    found = name if name in known() else "UTC"
    with resources.files("tzdata").joinpath("zoneinfo", *found.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, found)


def fault_of(path: str, name: str) -> Fault | None:
    """What is wrong with the name, which stands at `path`; None if it is one."""
    if name in known():
        return None
    like = _like(name)
    if like:
        return fault(path, FaultCode.NO_ZONE_BUT_NEAR, got=quoted(name), near=quoted(like))
    return fault(path, FaultCode.NO_ZONE, got=quoted(name))


def _like(name: str) -> str | None:
    """The name that was probably meant; None for an offset (`UTC+2`), which is not a place."""
    if any(map(str.isdigit, name)):
        return None
    names = _by_words()
    found = get_close_matches(name.strip().casefold().replace(" ", "_"), names, 1, ALIKE)
    return names[found[0]] if found else None


@cache
def _by_words() -> dict[str, str]:
    """The names of places by what people may write for them: the whole name, or the city.

    `Etc/...` is left out: its signs are the other way round, so `GMT+3` would get the wrong zone.
    """
    places = [name for name in sorted(known()) if "/" in name and not name.startswith("Etc/")]
    cities = {name.rpartition("/")[2].casefold(): name for name in places}
    return {**cities, **{name.casefold(): name for name in places}, "utc": "UTC"}
