"""Names of time zones: the same on every machine, and what is said about a wrong one."""

import zoneinfo
from collections.abc import Iterator

import pytest

from hookbundle.engine import limits, time_zones


@pytest.fixture
def no_system_database() -> Iterator[None]:
    zoneinfo.reset_tzpath([])
    yield
    zoneinfo.reset_tzpath()


def test_every_name_is_a_zone_on_a_machine_without_a_database_of_its_own(
    no_system_database: None,
) -> None:
    zones = [zoneinfo.ZoneInfo.no_cache(name) for name in time_zones.known()]

    assert len(zones) > 500
    assert max(map(len, time_zones.known())) <= limits.ZONE_CHARS_MAX


def test_what_is_offered_begins_with_utc_and_is_a_part_of_what_is_taken() -> None:
    offered = time_zones.offered()

    assert offered[0] == "UTC"
    assert list(offered[1:]) == sorted(set(offered[1:]))
    assert set(offered) < time_zones.known()
    assert {"Asia/Jerusalem", "Africa/Cairo", "America/New_York"} < set(offered)


@pytest.mark.parametrize("name", ["UTC", "Asia/Jerusalem", "Asia/Tel_Aviv", "Etc/GMT-3", "EST"])
def test_a_name_of_the_database_is_taken(name: str) -> None:
    assert time_zones.fault_of("time_zone", name) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("asia/jerusalem", "Asia/Jerusalem"),
        ("Asia/Jerusalem ", "Asia/Jerusalem"),
        ("Jerusalem", "Asia/Jerusalem"),
        ("Tel Aviv", "Asia/Tel_Aviv"),
        ("Europe/Berlln", "Europe/Berlin"),
        ("Asia/Riyad", "Asia/Riyadh"),
        ("utc", "UTC"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_one_that_was_meant(name: str, meant: str) -> None:
    fault = time_zones.fault_of("time_zone", name)

    assert fault is not None
    assert fault.detail == (
        f"{name!r} is not the name of an IANA time zone; did you mean {meant!r}?"
    )


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "GMT+3", "UTC+2", "+02:00", "IST", "Factory", "localtime", "posix/UTC"),
        *("zone.tab", "../../etc/passwd", "\x1b[2J", "القاهرة", "x" * 64),
    ],
)
def test_what_names_no_place_is_refused_without_a_guess(name: str) -> None:
    fault = time_zones.fault_of("time_zone", name)

    assert fault is not None
    assert fault.detail == (
        f"{name!r} is not the name of an IANA time zone; write a place, as 'Asia/Jerusalem', "
        "or 'UTC'"
    )
