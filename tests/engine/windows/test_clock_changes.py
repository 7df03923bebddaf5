"""Where the slots of `at` and the openings of `hours` are when a zone changes its clock.

Each row was worked out by hand from the zone's rules.
"""

import pytest

from hookbundle.engine.windows.ends import end_of
from hookbundle.engine.windows.parsing import parse
from hookbundle.tests.engine.windows.walking import local, ms

JERUSALEM, BERLIN, NEW_YORK = "Asia/Jerusalem", "Europe/Berlin", "America/New_York"
LORD_HOWE, APIA, AZORES = "Australia/Lord_Howe", "Pacific/Apia", "Atlantic/Azores"

AT = [
    # Jerusalem 2026: Friday, 27 March, 02:00 is 03:00; Sunday, 25 October, 02:00 is 01:00.
    # Work is from Sunday to Thursday.
    (JERUSALEM, "18:00", "sun-thu", "2026-03-26T17:59+02:00", "2026-03-26T18:00+02:00"),
    (JERUSALEM, "18:00", "sun-thu", "2026-03-26T18:00+02:00", "2026-03-29T18:00+03:00"),
    (JERUSALEM, "18:00", "sun-thu", "2026-03-28T12:00+03:00", "2026-03-29T18:00+03:00"),
    (JERUSALEM, "18:00", "sun-thu", "2026-10-22T18:00+03:00", "2026-10-25T18:00+02:00"),
    (JERUSALEM, "18:00", "sun-thu", "2026-10-24T23:00+03:00", "2026-10-25T18:00+02:00"),
    (JERUSALEM, "01:30", "sun-thu", "2026-10-24T23:00+03:00", "2026-10-25T01:30+03:00"),
    (JERUSALEM, "01:30", "sun-thu", "2026-10-25T01:30+03:00", "2026-10-26T01:30+02:00"),
    (JERUSALEM, "01:30", "sun-thu", "2026-10-25T01:29+02:00", "2026-10-26T01:30+02:00"),
    (JERUSALEM, "02:30", "fri", "2026-03-26T12:00+02:00", "2026-03-27T03:00+03:00"),
    (JERUSALEM, "02:30", "fri", "2026-03-27T03:00+03:00", "2026-04-03T02:30+03:00"),
    # Berlin 2026: Sunday, 29 March, 02:00 is 03:00; Sunday, 25 October, 03:00 is 02:00.
    (BERLIN, "02:30", None, "2026-03-28T12:00+01:00", "2026-03-29T03:00+02:00"),
    (BERLIN, "02:30", None, "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"),
    (BERLIN, "02:00", None, "2026-03-29T01:59+01:00", "2026-03-29T03:00+02:00"),
    (BERLIN, "03:00", None, "2026-03-29T01:59+01:00", "2026-03-29T03:00+02:00"),
    (BERLIN, "01:59", None, "2026-03-29T01:58+01:00", "2026-03-29T01:59+01:00"),
    (BERLIN, "02:30", None, "2026-10-25T01:00+02:00", "2026-10-25T02:30+02:00"),
    (BERLIN, "02:30", None, "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),
    (BERLIN, "02:30", None, "2026-10-25T02:10+01:00", "2026-10-26T02:30+01:00"),
    (BERLIN, "03:00", None, "2026-10-25T02:59+02:00", "2026-10-25T03:00+01:00"),
    (BERLIN, "08:00", "mon-fri", "2026-03-27T08:00+01:00", "2026-03-30T08:00+02:00"),
    (BERLIN, "08:00", "mon-fri", "2026-10-23T08:00+02:00", "2026-10-26T08:00+01:00"),
    # New York 2026: Sunday, 8 March, 02:00 is 03:00; Sunday, 1 November, 02:00 is 01:00.
    (NEW_YORK, "02:15", None, "2026-03-08T01:30-05:00", "2026-03-08T03:00-04:00"),
    (NEW_YORK, "01:15", None, "2026-11-01T00:30-04:00", "2026-11-01T01:15-04:00"),
    (NEW_YORK, "01:15", None, "2026-11-01T01:30-04:00", "2026-11-02T01:15-05:00"),
    (NEW_YORK, "01:15", None, "2026-11-01T01:10-05:00", "2026-11-02T01:15-05:00"),
    (NEW_YORK, "23:00", "sat", "2026-10-31T23:00-04:00", "2026-11-07T23:00-05:00"),
    (NEW_YORK, "23:00", "sat", "2026-03-07T23:00-05:00", "2026-03-14T23:00-04:00"),
    # Lord Howe 2026, by half an hour: 5 April, 02:00 is 01:30; 4 October, 02:00 is 02:30.
    (LORD_HOWE, "01:45", None, "2026-04-05T01:00+11:00", "2026-04-05T01:45+11:00"),
    (LORD_HOWE, "01:45", None, "2026-04-05T01:40+10:30", "2026-04-06T01:45+10:30"),
    (LORD_HOWE, "02:15", None, "2026-10-04T01:00+10:30", "2026-10-04T02:30+11:00"),
    (LORD_HOWE, "02:30", None, "2026-10-04T01:00+10:30", "2026-10-04T02:30+11:00"),
    # Apia had no Friday, 30 December 2011: after Thursday, 24:00, it was Saturday, 00:00.
    (APIA, "18:00", "fri", "2011-12-29T12:00-10:00", "2011-12-31T00:00+14:00"),
    (APIA, "18:00", "fri", "2011-12-31T00:00+14:00", "2012-01-06T18:00+14:00"),
    (APIA, "18:00", None, "2011-12-29T18:00-10:00", "2011-12-31T00:00+14:00"),
    (APIA, "00:00", "sat", "2011-12-29T23:59-10:00", "2011-12-31T00:00+14:00"),
    # In the Azores midnight comes twice: 25 October 2026, 01:00 is 00:00.
    (AZORES, "00:00", None, "2026-10-24T23:59+00:00", "2026-10-25T00:00+00:00"),
    (AZORES, "00:00", None, "2026-10-25T00:30+00:00", "2026-10-26T00:00-01:00"),
    # Morocco puts its clock back for Ramadan: 15 February 2026, 03:00 is 02:00.
    ("Africa/Casablanca", "02:30", None, "2026-02-14T12:00+01:00", "2026-02-15T02:30+01:00"),
]


@pytest.mark.parametrize(("zone", "at", "days", "opened", "end"), AT)
def test_a_slot_is_a_time_of_the_zones_clock(
    zone: str, at: str, days: str | None, opened: str, end: str
) -> None:
    value = {"at": [at], "zone": zone, **({"days": days} if days else {})}
    rule = parse(value).otherwise
    assert local(zone, ms(opened)) == opened  # the row itself says what is so

    found = end_of(rule, "UTC", ms(opened), ms(opened))

    assert (local(zone, found.at_ms), found.why) == (end, "at")


HOURS = [
    # The end of a window of an hour, and where it is moved.
    (JERUSALEM, "sun-thu 09:00 18:00", "2026-03-26T17:30+02:00", "2026-03-29T09:00+03:00"),
    (JERUSALEM, "sun-thu 09:00 18:00", "2026-10-22T18:00+03:00", "2026-10-25T09:00+02:00"),
    (JERUSALEM, "sun-thu 09:00 18:00", "2026-10-25T08:00+02:00", "2026-10-25T09:00+02:00"),
    (JERUSALEM, "sun-thu 09:00 18:00", "2026-10-25T16:59+02:00", "2026-10-25T17:59+02:00"),
    (JERUSALEM, "sun-thu 09:00 18:00", "2026-10-25T17:00+02:00", "2026-10-26T09:00+02:00"),
    # An opening over midnight belongs to the day on which it begins.
    (JERUSALEM, "thu 22:00 06:00", "2026-03-26T22:30+02:00", "2026-03-26T23:30+02:00"),
    (JERUSALEM, "thu 22:00 06:00", "2026-03-27T03:30+03:00", "2026-03-27T04:30+03:00"),
    (JERUSALEM, "thu 22:00 06:00", "2026-03-27T05:00+03:00", "2026-04-02T22:00+03:00"),
    (BERLIN, "sat 22:00 02:30", "2026-10-25T01:15+02:00", "2026-10-25T02:15+02:00"),
    (BERLIN, "sat 22:00 02:30", "2026-10-25T01:30+02:00", "2026-10-31T22:00+01:00"),
    (BERLIN, "sat 22:00 02:30", "2026-10-25T02:15+02:00", "2026-10-31T22:00+01:00"),
    # It begins, or ends, at a time that is skipped or comes twice.
    (BERLIN, "sun 02:30 12:00", "2026-03-29T00:00+01:00", "2026-03-29T03:00+02:00"),
    (BERLIN, "sun 00:00 02:30", "2026-03-29T00:59+01:00", "2026-03-29T01:59+01:00"),
    (BERLIN, "sun 00:00 02:30", "2026-03-29T01:00+01:00", "2026-04-05T00:00+02:00"),
    (BERLIN, "sun 02:30 12:00", "2026-10-25T01:00+02:00", "2026-10-25T02:30+02:00"),
    (BERLIN, "sun 02:30 12:00", "2026-10-25T02:10+02:00", "2026-10-25T02:10+01:00"),
    # All of it is skipped.
    (NEW_YORK, "sun 02:00 03:00", "2026-03-08T00:30-05:00", "2026-03-15T02:00-04:00"),
    (APIA, "fri 09:00 17:00", "2011-12-29T12:00-10:00", "2012-01-06T09:00+14:00"),
    # To the end of the day, and all day.
    (NEW_YORK, "mon-fri 12:00 24:00", "2026-11-06T22:59-05:00", "2026-11-06T23:59-05:00"),
    (NEW_YORK, "mon-fri 12:00 24:00", "2026-11-06T23:00-05:00", "2026-11-09T12:00-05:00"),
    (NEW_YORK, "mon-fri 00:00 00:00", "2026-11-06T22:30-05:00", "2026-11-06T23:30-05:00"),
    (NEW_YORK, "mon-fri 00:00 00:00", "2026-11-06T23:30-05:00", "2026-11-09T00:00-05:00"),
    (NEW_YORK, "sat 12:00 12:00", "2026-11-01T10:59-05:00", "2026-11-01T11:59-05:00"),
    (NEW_YORK, "sat 12:00 12:00", "2026-11-01T11:00-05:00", "2026-11-07T12:00-05:00"),
    # A whole day from 23:01 on may have 25 hours.
    (AZORES, "sat 23:01 23:01", "2026-10-25T22:00-01:00", "2026-10-25T23:00-01:00"),
    (LORD_HOWE, "sun 02:15 12:00", "2026-10-04T00:40+10:30", "2026-10-04T02:30+11:00"),
]


@pytest.mark.parametrize(("zone", "hours", "opened", "end"), HOURS)
def test_an_opening_is_between_times_of_the_zones_clock(
    zone: str, hours: str, opened: str, end: str
) -> None:
    days, begin, close = hours.split()
    wanted = {"days": days, "from": begin, "to": close, "zone": zone}
    rule = parse({"every": "1h", "hours": wanted}).otherwise
    assert local(zone, ms(opened)) == opened

    found = end_of(rule, "UTC", ms(opened), ms(opened))

    assert (local(zone, found.at_ms), found.why) == (end, "time")


def test_of_several_times_and_days_the_next_one_counts() -> None:
    rule = parse({"at": ["18:00", "09:00", "09:00"], "days": "fri-sun, wed"}).otherwise
    ends = ["2026-03-25T12:00+02:00"]  # a Wednesday

    for _ in range(6):
        ends.append(local(JERUSALEM, end_of(rule, JERUSALEM, ms(ends[-1]), 0).at_ms))

    assert ends[1:] == [
        "2026-03-25T18:00+02:00",
        "2026-03-27T09:00+03:00",
        "2026-03-27T18:00+03:00",
        "2026-03-28T09:00+03:00",
        "2026-03-28T18:00+03:00",
        "2026-03-29T09:00+03:00",
    ]


def test_a_slot_is_strictly_after_the_millisecond_that_opened_the_window() -> None:
    rule, slot = parse({"at": ["18:00"]}).otherwise, ms("2026-03-29T18:00+03:00")

    found = [end_of(rule, JERUSALEM, slot + delta, 0).at_ms - slot for delta in (-1, 0, 1)]

    assert found == [0, 86_400_000, 86_400_000]


def test_a_zone_that_is_not_named_is_the_workspaces() -> None:
    rule = parse({"at": ["18:00"], "hours": {"from": "18:00", "to": "20:00"}}).otherwise
    opened = ms("2026-07-01T12:00+00:00")

    found = {zone: end_of(rule, zone, opened, opened).at_ms - opened for zone in (BERLIN, "UTC")}

    assert found == {BERLIN: 4 * 3_600_000, "UTC": 6 * 3_600_000}
