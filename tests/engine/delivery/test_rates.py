"""The rate: no stretch of the period has more than so many requests, as the receiver sees them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.delivery import rates
from hookbundle.engine.delivery.rates import PARTS, Rate, Used

START_MS = 1_700_000_000_000
RATES = st.builds(Rate, st.integers(1, 40), st.sampled_from([1_000, 1_003, 10_000, 60_000]))
# How long the queue was empty, how long the request was under way, when it came in that time.
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1, 70, 1_000, 4_000, 70_000]),
        st.sampled_from([0, 0, 1, 30, 2_500, 15_000]),
        st.floats(0, 1),
        st.sampled_from([1, 1, 1, 2]),
    ),
    min_size=1,
    max_size=150,
)


@pytest.mark.parametrize(
    ("text", "rate", "shown"),
    [
        ("100/10s", Rate(100, 10_000), "100/10s"),
        ("1/1s", Rate(1, 1_000), "1/1s"),
        ("10000/24h", Rate(10_000, 86_400_000), "10000/24h"),
        ("5/60s", Rate(5, 60_000), "5/1m"),
        ("5/1d", Rate(5, 86_400_000), "5/24h"),
        ("007/90s", Rate(7, 90_000), "7/90s"),
    ],
)
def test_a_rate_is_read_and_shown(text: str, rate: Rate, shown: str) -> None:
    assert (rates.parse(text), rates.text_of(rate)) == (rate, shown)
    assert rates.parse(shown) == rate


@pytest.mark.parametrize(
    "text",
    [
        *("", "100", "100/", "/10s", "100/10", "100/0s", "0/10s", "-1/10s", "+1/10s", "1.5/10s"),
        *("100/1000ms", "10001/10s", "100/25h", "100/2d", "99999999999999999999/10s"),
        *("100/99999999999s", " 100/10s", "100/10s ", "100 / 10s", "100/10s\n", "100/day"),
        *("100/s", "100/10S", "100/1w", "٣/10s", "1e3/10s", "none"),
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not (a rate like|1 to 10000 requests)"):
        rates.parse(text)


def test_without_a_rate_nothing_waits_and_its_text_is_empty() -> None:
    assert rates.free_ms(rates.NO_RATE, Used(), START_MS) == START_MS
    assert rates.text_of(rates.NO_RATE) == ""


def test_a_burst_is_allowed_and_what_follows_waits_until_the_first_of_it_is_a_period_old() -> None:
    rate, used = Rate(3, 10_000), Used()
    for at_ms in (START_MS, START_MS + 5, START_MS + 4_000):
        assert rates.free_ms(rate, used, at_ms) == at_ms
        used = rates.counted(rate, used, at_ms)

    # The first two are in one part, which has the time of its last one.
    assert rates.free_ms(rate, used, START_MS + 4_000) == START_MS + 5 + 10_000 + 1
    assert rates.free_ms(rate, used, START_MS + 4_000, 3) == START_MS + 4_000 + 10_000 + 1
    assert rates.free_ms(rate, used, START_MS + 10_005) == START_MS + 10_006
    assert rates.free_ms(rate, used, START_MS + 10_006) == START_MS + 10_006


def test_a_slow_request_counts_from_its_end_on() -> None:
    rate = Rate(1, 10_000)
    used = rates.counted(rate, Used(), START_MS)

    used = rates.ended(rate, used, START_MS, START_MS + 9_000, 1)

    assert rates.free_ms(rate, used, START_MS + 9_000) == START_MS + 19_001


def test_a_request_that_went_out_twice_counts_twice() -> None:
    rate = Rate(3, 10_000)
    used = rates.ended(rate, rates.counted(rate, Used(), START_MS), START_MS, START_MS, 2)

    assert rates.free_ms(rate, used, START_MS) == START_MS
    assert rates.free_ms(rate, rates.counted(rate, used, START_MS), START_MS) > START_MS


def test_a_request_that_was_not_counted_when_it_began_takes_no_other_away() -> None:
    """The rate was set while it was under way."""
    rate = Rate(2, 10_000)
    used = rates.counted(rate, Used(), START_MS)

    used = rates.ended(rate, used, START_MS - 1, START_MS + 1, 1)

    assert sum(used.pairs[1::2]) == 2


def test_a_lowered_rate_counts_what_was_sent_already() -> None:
    used = Used()
    for _ in range(10):
        used = rates.counted(Rate(10, 10_000), used, START_MS)

    assert rates.free_ms(Rate(5, 10_000), used, START_MS) == START_MS + 10_001
    assert rates.free_ms(Rate(11, 10_000), used, START_MS) == START_MS


def test_times_that_were_wrong_count_as_now() -> None:
    rate, used = Rate(2, 10_000), Used()
    for later_ms in (0, 5_000):
        used = rates.counted(rate, used, START_MS + later_ms)

    used = rates.not_after(used, START_MS - 60_000)

    assert rates.free_ms(rate, used, START_MS - 60_000) == START_MS - 60_000 + 10_001


@settings(deadline=None)
@given(RATES, STEPS)
def test_no_stretch_has_more_whenever_requests_reach_the_receiver(
    rate: Rate, steps: list[tuple[int, int, float, int]]
) -> None:
    now_ms, used, came = START_MS, Used(), list[float]()
    for pause_ms, lasts_ms, part, requests in steps:
        now_ms = rates.free_ms(rate, used, now_ms + pause_ms, min(requests, rate.requests))
        began_ms, used = now_ms, rates.counted(rate, used, now_ms)
        now_ms += lasts_ms
        sent = min(requests, rate.requests)
        came += [began_ms + lasts_ms * part] * sent
        used = rates.ended(rate, used, began_ms, now_ms, sent)
        assert len(used.pairs) <= 2 * (PARTS + 1)

    for number, at_ms in enumerate(came[rate.requests :]):
        assert at_ms - came[number] > rate.period_ms


@settings(deadline=None)
@given(RATES, st.lists(st.tuples(RATES, st.integers(0, 70_000)), max_size=60))
def test_whatever_the_rate_was_before_no_wait_is_longer_than_a_period(
    rate: Rate, before: list[tuple[Rate, int]]
) -> None:
    now_ms, used = START_MS, Used()
    for each, later_ms in before:
        used, now_ms = rates.counted(each, used, now_ms), now_ms + later_ms

    free_ms = rates.free_ms(rate, used, now_ms)

    assert now_ms <= free_ms <= now_ms + rate.period_ms + 1
    assert rates.free_ms(rate, used, free_ms) == free_ms


@pytest.mark.parametrize("rate", [Rate(1, 1_000), Rate(7, 1_000), Rate(100, 10_000)])
def test_a_long_queue_gets_nine_tenths_of_the_rate_or_more(rate: Rate) -> None:
    now_ms, used, sent = START_MS, Used(), 0
    while (now_ms := rates.free_ms(rate, used, now_ms)) < START_MS + 20 * rate.period_ms:
        used, sent = rates.counted(rate, used, now_ms), sent + 1
        now_ms += 3

    assert sent >= 0.9 * 20 * rate.requests
