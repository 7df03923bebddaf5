"""Plots: the line is where the numbers are, and peaks survive being thinned out."""

import pytest

from hookbundle.server.console.plots import BYTES, NUMBERS, TIMES, nice_top, plot, thinned


def test_a_line_needs_two_points() -> None:
    assert plot([], 1_000) is None
    assert plot([(0, 1.0)], 1_000) is None
    assert plot([(0, 1.0), (5_000, 1.0)], 1_000) is None


def test_the_newest_point_stands_at_the_right_and_the_top_is_a_round_number() -> None:
    drawn = plot([(0, 0.0), (500, 10.0), (1_000, 20.0)], 1_000)

    assert drawn is not None
    assert drawn.line == "M0.0 96.0 L160.0 51.0 L320.0 6.0"
    assert (drawn.top, drawn.now) == (20.0, 20.0)


def test_points_before_the_span_are_left_out() -> None:
    drawn = plot([(0, 100.0), (9_000, 1.0), (10_000, 1.0)], 2_000)

    assert drawn is not None
    assert (drawn.first_ms, drawn.top) == (9_000, 1.0)


def test_a_peak_is_seen_among_many_points() -> None:
    points = [(at, 1.0) for at in range(1_000)]
    points[501] = (501, 50.0)

    shown = thinned(points)

    assert len(shown) <= 160
    assert (501, 50.0) in shown
    assert shown[-1] == points[-1]


@pytest.mark.parametrize(
    ("highest", "tops", "top"),
    [(0, NUMBERS, 1), (3, NUMBERS, 5), (61_000, TIMES, 120_000), (1_500, BYTES, 2_048)],
)
def test_scales_end_at_numbers_that_people_know(
    highest: float, tops: tuple[float, ...], top: float
) -> None:
    assert nice_top(highest, tops) == top
