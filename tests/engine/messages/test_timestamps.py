"""Timestamps: every unambiguous form is parsed, one form is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.messages.timestamps import (
    EPOCH_MS_MAX,
    SECONDS_MAX,
    format_utc,
    minute_of,
    parse_ms,
    utc,
)

SEED_MS = 1_614_183_929_000

moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "value",
    [
        "2021-02-24T16:25:29+0000",
        "2021-02-24T16:25:29Z",
        "2021-02-24T16:25:29+00:00",
        "2021-02-24 16:25:29Z",
        "2021-02-24T18:25:29+02:00",
        "2021-02-24T18:55:29+0230",
        "2021-02-23T23:25:29-17:00",
        "20210224T162529Z",
        "2021-02-24T16:25:29.000Z",
        "1614183929",
        "0001614183929",
        1_614_183_929,
        1_614_183_929.0,
        "1614183929000",
        "0" * 50 + "1614183929000",
        1_614_183_929_000,
        1_614_183_929_000.0,
    ],
)
def test_every_spelling_of_a_moment_is_the_same_moment(value: str | float) -> None:
    assert parse_ms(value) == SEED_MS


@pytest.mark.parametrize(
    ("value", "expected_ms"),
    [
        (0, 0),
        (1.001, 1_001),
        (1_614_183_929.999, 1_614_183_929_999),
        (1_614_183_929_750, SEED_MS + 750),
        (1_614_183_929_750.4, SEED_MS + 750),
        ("1614183929750", SEED_MS + 750),
        ("2021-02-24T16:25:29.7504Z", SEED_MS + 750),
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59.999Z", EPOCH_MS_MAX),
        (EPOCH_MS_MAX, EPOCH_MS_MAX),
    ],
)
def test_milliseconds_are_kept(value: str | float, expected_ms: int) -> None:
    assert parse_ms(value) == expected_ms


@pytest.mark.parametrize(
    ("value", "expected_ms"),
    [
        (SECONDS_MAX, SECONDS_MAX * 1_000),
        (str(SECONDS_MAX), SECONDS_MAX * 1_000),
        (SECONDS_MAX + 0.5, SECONDS_MAX),
        (SECONDS_MAX + 1, SECONDS_MAX + 1),
        (str(SECONDS_MAX + 1), SECONDS_MAX + 1),
    ],
)
def test_a_number_above_ten_to_the_eleventh_is_milliseconds(
    value: str | float, expected_ms: int
) -> None:
    assert parse_ms(value) == expected_ms


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2021-02-24T16:25:29", "has no offset"),
        ("2021-02-24", "has no offset"),
        ("1969-12-31T23:59:59Z", "not between the years 1970 and 9999"),
        ("1970-01-01T00:00:00+01:00", "not between the years 1970 and 9999"),
        ("0001-01-01T00:00:00+14:00", "not between the years 1970 and 9999"),
        ("9999-12-31T23:59:59-01:00", "not between the years 1970 and 9999"),
        ("9999-12-31T23:59:59.9999Z", "not between the years 1970 and 9999"),
        ("yesterday", "^'yesterday' is neither ISO 8601 nor epoch seconds or milliseconds$"),
        ("", "neither ISO 8601 nor epoch seconds"),
        ("2021-02-30T00:00:00Z", "neither ISO 8601 nor epoch seconds"),
        ("2021-02-24T16:25:60Z", "neither ISO 8601 nor epoch seconds"),
        ("\u0661\u0662", "neither ISO 8601 nor epoch seconds"),
        ("-5", "neither ISO 8601 nor epoch seconds"),
        ("1e3", "neither ISO 8601 nor epoch seconds"),
        ("9" * 5_000, "neither epoch seconds .* nor epoch milliseconds"),
        (
            -1,
            r"^-1 is neither epoch seconds \(0 to 100000000000\) nor epoch milliseconds "
            r"\(above that, to 253402300799999\)$",
        ),
        (EPOCH_MS_MAX + 1, "neither epoch seconds .* nor epoch milliseconds"),
        (str(EPOCH_MS_MAX + 1), "neither epoch seconds .* nor epoch milliseconds"),
        (EPOCH_MS_MAX + 0.75, "neither epoch seconds .* nor epoch milliseconds"),
        (10**400, "neither epoch seconds .* nor epoch milliseconds"),
        (float("nan"), "neither epoch seconds .* nor epoch milliseconds"),
        (float("inf"), "neither epoch seconds .* nor epoch milliseconds"),
    ],
)
def test_what_means_no_moment_is_refused_with_the_reason(value: str | float, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_ms(value)


def test_a_moment_is_written_as_the_payload_has_it() -> None:
    formatted = format_utc(SEED_MS // 1_000)

    assert formatted == "2021-02-24T16:25:29+0000"
    assert minute_of(formatted) == "2021-02-24 16:25"
    assert utc(SEED_MS) == datetime(2021, 2, 24, 16, 25, 29, tzinfo=UTC)


@settings(deadline=None)
@given(moments, offsets)
def test_what_is_read_is_written_as_the_same_moment_in_utc(at: datetime, zone: timezone) -> None:
    local = at.replace(microsecond=0, tzinfo=UTC).astimezone(zone)

    assert format_utc(parse_ms(local.isoformat()) // 1_000) == f"{at:%Y-%m-%dT%H:%M:%S}+0000"


@settings(deadline=None)
@given(
    st.text(max_size=30)
    | st.from_regex(r"[0-9T:.+Z-]{1,32}", fullmatch=True)
    | st.integers(-1, 2 * EPOCH_MS_MAX)
    | st.floats(allow_nan=True)
)
def test_whatever_is_read_can_be_written(value: str | float) -> None:
    try:
        at_ms = parse_ms(value)
    except ValueError:
        return

    assert len(format_utc(at_ms // 1_000)) == len("2021-02-24T16:25:29+0000")
