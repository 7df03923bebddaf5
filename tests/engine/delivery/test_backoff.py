"""The waits between attempts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.delivery.backoff import (
    HOUR_MS,
    MINUTE_MS,
    RETRY_AFTER_MS_MAX,
    SECOND_MS,
    BackoffPolicy,
    is_definite_rejection,
    parse_retry_after,
    wait_ms,
)
from hookbundle.engine.errors import ConfigError

POLICY = BackoffPolicy()
NOW_S = 1_445_412_480  # Wed, 21 Oct 2015 07:28:00 GMT


def test_the_steps_grow_from_seconds_to_hours_and_the_last_one_repeats() -> None:
    waits = [wait_ms(POLICY, errors, 0.0, None) for errors in range(1, 13)]

    seconds = [5, 30, 120, 300, 900, 1800, 3600, 7200, 14400, 28800, 28800, 28800]
    assert waits == [second * SECOND_MS for second in seconds]


def test_the_eleventh_error_lies_about_sixteen_hours_after_the_first() -> None:
    total_ms = sum(wait_ms(POLICY, errors, 0.0, None) for errors in range(1, 11))

    assert 15.5 * HOUR_MS < total_ms < 16.5 * HOUR_MS


@pytest.mark.parametrize(("spread", "expected_ms"), [(-1.0, 4_500), (0.0, 5_000), (1.0, 5_500)])
def test_jitter_is_a_tenth_either_way(spread: float, expected_ms: int) -> None:
    assert wait_ms(POLICY, 1, spread, None) == expected_ms


@pytest.mark.parametrize(
    ("errors", "retry_after_ms", "expected_ms"),
    [
        (1, 0, 5_000),
        (1, 60_000, 60_000),
        (1, HOUR_MS, HOUR_MS),
        (1, 24 * HOUR_MS, HOUR_MS),
        (7, 60_000, HOUR_MS),
        (9, 2 * HOUR_MS, 4 * HOUR_MS),
        (9, 24 * HOUR_MS, 4 * HOUR_MS),
    ],
)
def test_retry_after_is_honoured_between_the_step_and_an_hour(
    errors: int, retry_after_ms: int, expected_ms: int
) -> None:
    assert wait_ms(POLICY, errors, 0.0, retry_after_ms) == expected_ms


@settings(deadline=None)
@given(
    errors=st.integers(1, 1_000),
    spread=st.floats(-1, 1),
    retry_after_ms=st.none() | st.integers(0, RETRY_AFTER_MS_MAX),
)
def test_a_wait_is_never_shorter_than_its_step_nor_longer_than_step_or_hour(
    errors: int, spread: float, retry_after_ms: int | None
) -> None:
    step_ms = wait_ms(POLICY, errors, spread, None)

    waited_ms = wait_ms(POLICY, errors, spread, retry_after_ms)

    assert step_ms <= waited_ms <= max(step_ms, HOUR_MS)


@pytest.mark.parametrize(
    ("value", "expected_ms"),
    [
        ("0", 0),
        ("120", 2 * MINUTE_MS),
        (" 5 ", 5 * SECOND_MS),
        ("9" * 60, RETRY_AFTER_MS_MAX),
        ("Wed, 21 Oct 2015 07:29:00 GMT", MINUTE_MS),
        ("Wednesday, 21-Oct-15 07:29:00 GMT", MINUTE_MS),
        ("Wed Oct 21 07:29:00 2015", MINUTE_MS),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MS_MAX),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(value: str, expected_ms: int) -> None:
    assert parse_retry_after(value, NOW_S) == expected_ms


@pytest.mark.parametrize(
    "value",
    [
        *("", "-1", "+1", "1.5", "1e9", "0x10", "soon", "\u0661\u0662", "9" * 65, "1, 2", "\x00"),
        *("Fri, 99 Foo 2020 99:99:99 GMT", "Fri, 31 Dec 99999999 23:59:59 GMT", "Fri, 31 Dec"),
    ],
)
def test_a_malformed_retry_after_is_ignored(value: str) -> None:
    assert parse_retry_after(value, NOW_S) is None


@settings(deadline=None)
@given(st.text(max_size=70))
def test_no_retry_after_does_harm(value: str) -> None:
    wait = parse_retry_after(value, NOW_S)

    assert wait is None or 0 <= wait <= RETRY_AFTER_MS_MAX


def test_a_definite_rejection_is_a_client_error_that_does_not_ask_to_come_again() -> None:
    rejections = {status for status in range(100, 600) if is_definite_rejection(status)}

    assert rejections == set(range(400, 500)) - {408, 425, 429}


@pytest.mark.parametrize(
    "settings",
    [{"steps_ms": ()}, {"steps_ms": (5, 0)}, {"errors_max": 0}, {"jitter": 1.0}, {"jitter": -0.1}],
)
def test_a_policy_that_can_not_work_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"delivery\.backoff"):
        BackoffPolicy(**settings)  # type: ignore[arg-type]
