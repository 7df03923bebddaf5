"""Draws curves as SVG: a logarithmic horizontal axis and a linear vertical axis from zero."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import escape

from hookbundle.server.console.plots import NUMBERS, nice_top

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 44, 48
COLOURS = ("#0b6e4f", "#a23b0c", "#2b4c9b", "#7a2e8e", "#6b6b00")
STEPS = 4


class Line(NamedTuple):
    name: str
    points: Sequence[tuple[float, float]]


def curves(title: str, across: str, upwards: str, lines: Sequence[Line]) -> str:
    """`across` and `upwards` are the labels of the axes."""
    everywhere = [point for line in lines for point in line.points]
    first, last = (math.log10(pick(x for x, _ in everywhere)) for pick in (min, max))
    top = nice_top(max(y for _, y in everywhere), NUMBERS)

    def position(point: tuple[float, float]) -> tuple[float, float]:
        x = LEFT + (math.log10(point[0]) - first) / max(last - first, 1e-9) * _inner_width()
        return round(x, 1), round(TOP + (1 - point[1] / top) * _inner_height(), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="sans-serif" font-size="12" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(WIDTH / 2, 20, title, "middle", size=14),
        _text(LEFT + _inner_width() / 2, HEIGHT - 10, across, "middle"),
        _text(12, TOP - 12, upwards, "start"),
    ]
    for step in range(STEPS + 1):
        y = round(TOP + (1 - step / STEPS) * _inner_height(), 1)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{top * step / STEPS:g}", "end"))
    for x in sorted({x for x, _ in everywhere}):
        parts.append(_text(position((x, 0))[0], HEIGHT - BOTTOM + 18, f"{x:,.0f}", "middle"))
    for number, line in enumerate(lines):
        parts += _drawn(line, [position(point) for point in line.points], COLOURS[number], number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _drawn(line: Line, slots: Sequence[tuple[float, float]], colour: str, number: int) -> list[str]:
    path = "M" + " L".join(f"{x} {y}" for x, y in slots)
    marks = [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in slots]
    values = [
        _text(x, y - 9, f"{value:.3g}", "middle")
        for (x, y), (_, value) in zip(slots, line.points, strict=True)
    ]
    name = _text(WIDTH - RIGHT, TOP + 14 * number, line.name, "end", colour=colour)
    drawn = f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    return [drawn, *marks, *values, name]


def _text(
    x: float, y: float, text: str, anchor: str, *, size: int = 12, colour: str = "#222"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">'
        f"{escape(text)}</text>"
    )


def _inner_width() -> int:
    return WIDTH - LEFT - RIGHT


def _inner_height() -> int:
    return HEIGHT - TOP - BOTTOM
