"""A line over time as the points of an SVG path: small, without a script, the same everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320.0, 96.0
TOP = 6.0
POINTS_MAX = 160

# What the top of a scale may be.
SECOND_MS, MINUTE_MS, HOUR_MS = 1_000.0, 60_000.0, 3_600_000.0
NUMBERS = tuple(factor * 10.0**power for power in range(13) for factor in (1, 2, 5))
TIMES = (
    *(SECOND_MS * factor for factor in (1, 2, 5, 10, 30)),
    *(MINUTE_MS * factor for factor in (1, 2, 5, 10, 30)),
    *(HOUR_MS * factor for factor in (1, 2, 6, 12, 24, 48, 168)),
)
BYTES = tuple(
    factor * 1_024.0**power for power in range(1, 6) for factor in (1, 2, 5, 10, 20, 50, 100, 500)
)


@dataclass(frozen=True, slots=True)
class Plot:
    """`line` and `area` are path data in a box of WIDTH by HEIGHT; `top` is what its top means."""

    line: str
    area: str
    first_ms: int
    last_ms: int
    top: float
    now: float
    width: float = WIDTH
    height: float = HEIGHT


def plot(
    points: Sequence[tuple[int, float]], span_ms: int, tops: Sequence[float] = NUMBERS
) -> Plot | None:
    """The points of the last `span_ms`, the newest at the right edge; None for fewer than two.

    Of many points in a row only the highest is drawn: a peak must not get lost.
    """
    recent = [point for point in points if point[0] >= points[-1][0] - span_ms]
    if len(recent) < 2:
        return None
    shown = thinned(recent)
    first_ms, last_ms = recent[0][0], recent[-1][0]
    top = nice_top(max(value for _, value in shown), tops)
    length_ms = max(last_ms - first_ms, 1)

    def place(point: tuple[int, float]) -> str:
        at_ms, value = point
        x = (at_ms - first_ms) / length_ms * WIDTH
        y = HEIGHT - value / top * (HEIGHT - TOP)
        return f"{x:.1f} {y:.1f}"

    line = "M" + " L".join(map(place, shown))
    area = f"{line} L{WIDTH:.1f} {HEIGHT:.1f} L0.0 {HEIGHT:.1f} Z"
    return Plot(line, area, first_ms, last_ms, top, points[-1][1])


def thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most POINTS_MAX of the points, the highest of each group; the newest stays."""
    step = -(-len(points) // POINTS_MAX)
    groups = [points[at : at + step] for at in range(0, len(points), step)]
    found = [max(group, key=lambda point: point[1]) for group in groups]
    return [*found[:-1], points[-1]]


def nice_top(highest: float, tops: Sequence[float]) -> float:
    """The first of the round numbers that is not below."""
    return next((top for top in tops if top >= highest), highest)
