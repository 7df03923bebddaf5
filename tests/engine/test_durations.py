"""Durations in configuration files and commands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.durations import format_ms, parse_ms


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        *(("50ms", 50), ("5s", 5_000), ("2m", 120_000), ("6h", 21_600_000), ("7d", 604_800_000)),
        *(("0s", 0), ("007s", 7_000), (" 5s ", 5_000)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected_ms: int) -> None:
    assert parse_ms(text) == expected_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "5 s",
        "-5s",
        "+5s",
        "1.5h",
        "5S",
        "1h30m",
        "5s\n5s",
        "\u0665s",
        "1e3s",
        "9" * 10 + "s",
    ],
)
def test_anything_else_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write a whole number and"):
        parse_ms(text)


@pytest.mark.parametrize(
    ("duration_ms", "expected"),
    [
        *((0, "0ms"), (1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (120_000, "2m")),
        *((21_600_000, "6h"), (86_400_000, "24h"), (5_400_000, "90m")),
    ],
)
def test_a_duration_is_written_in_the_largest_unit_that_is_exact(
    duration_ms: int, expected: str
) -> None:
    assert format_ms(duration_ms) == expected


@settings(deadline=None)
@given(st.integers(0, 999_999_999))
def test_what_is_written_is_read_as_the_same(duration_ms: int) -> None:
    assert parse_ms(format_ms(duration_ms)) == duration_ms
