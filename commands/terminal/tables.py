"""A table that fits the terminal: what is too long is shortened and marked, and no line wraps.

1. Each column gets its natural width.
2. If that is too wide, the widest of the elastic columns give way, down to a readable width.
3. If that is not enough, the least wanted columns are left out, one after the other.
4. On a terminal too narrow even then, each row is printed as a block of lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap

from rich.cells import cell_len, chop_cells, set_cell_size

from hookbundle.commands.terminal.output import GAP

MARK = "…"
IDS = frozenset({"id", "workspace", "chat_id"})  # their ends tell them apart
FOLDED = frozenset(
    {"meaning", "what", "detail", "value", "rule", "outcomes", "faults"}
)  # texts go on in the next line
TEXTS = frozenset({"last_error"})
READABLE = {
    **dict.fromkeys(IDS, 8),
    **dict.fromkeys(FOLDED, 20),
    **dict.fromkeys(TEXTS, 16),
    "name": 12,
    "id": 34,  # an id of a delivery or a token stays whole, because commands want it whole
}
LEAST_WANTED = ("origin", "attempts", "opened_at", "messages", "sealed_at", "created_at")


@dataclass(frozen=True, slots=True)
class Fitted:
    """`heading` is empty if each row is a block. `shortened`: whether a value has lost a part."""

    heading: str
    lines: list[str]
    shortened: bool
    left_out: tuple[str, ...]


def fitted(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Fitted:
    """The table in lines of at most `width` cells."""
    shown = list(columns)
    spare = [name for name in LEAST_WANTED if name in columns]
    natural = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]
    while True:
        at = [columns.index(name) for name in shown]
        natural = [
            max(cell_len(cell) for cell in column) for column in zip(columns, *rows, strict=True)
        ]
        widths = _narrowed(shown, [natural[place] for place in at], width)
        if widths is not None or not spare:
            break
        shown.remove(spare.pop(0))
    if widths is None:
        return _blocks(columns, rows, width)
    left_out = tuple(name for name in columns if name not in shown)
    cells = [[row[place] for place in at] for row in rows]
    heading = _line([name.ljust(size) for name, size in zip(shown, widths, strict=True)])
    lines: list[str] = []
    is_cut = False
    for row in cells:
        stacks = list(map(_stack, shown, row, widths))
        is_cut |= any(
            MARK in "".join(stack) and MARK not in row[n] for n, stack in enumerate(stacks)
        )
        for parts in zip_longest(*stacks, fillvalue=""):
            lines.append(_line(list(map(set_cell_size, parts, widths))))
    return Fitted(heading, lines, is_cut, left_out)


def shortened(cell: str, size: int, *, in_the_middle: bool = False) -> str:
    """The cell in at most `size` cells; a mark stands where something was left out."""
    if cell_len(cell) <= size:
        return cell
    room = size - 1
    if not in_the_middle:
        return chop_cells(cell, room)[0] + MARK
    tail = room // 2
    end = ""
    for char in reversed(cell):
        if cell_len(char + end) > tail:
            break
        end = char + end
    return chop_cells(cell, room - cell_len(end))[0] + MARK + end


def _narrowed(names: list[str], natural: list[int], width: int) -> list[int] | None:
    """The widths of the columns; None if they can't be narrowed enough."""
    widths = [min(size, width) for size in natural]
    least = [
        max(min(size, READABLE.get(name, size)), len(name))
        for name, size in zip(names, natural, strict=True)
    ]
    widths = list(map(max, widths, least))
    over = sum(widths) + GAP * (len(widths) - 1) - width
    while over > 0:
        elastic = [place for place, size in enumerate(widths) if size > least[place]]
        if not elastic:
            return None
        widest = max(elastic, key=widths.__getitem__)
        widths[widest] -= 1
        over -= 1
    return widths


def _stack(name: str, cell: str, size: int) -> list[str]:
    """The lines of a cell: one, except for texts that are folded."""
    if name in FOLDED and cell_len(cell) > size:
        words = wrap(cell, size, break_long_words=False) or [""]
        return [piece for word in words for piece in chop_cells(word, size)]
    return [shortened(cell, size, in_the_middle=name in IDS)]


def _line(parts: Sequence[str]) -> str:
    return (" " * GAP).join(parts).rstrip()


def _blocks(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Fitted:
    size = max(map(len, names))
    room = max(width - size - GAP, 4)
    lines: list[str] = []
    is_cut = False
    for row in rows:
        for name, cell in zip(names, row, strict=True):
            size_max = max(room, READABLE["id"]) if name == "id" else room
            value = shortened(cell, size_max, in_the_middle=name in IDS)
            is_cut |= value != cell
            lines.append(f"{name:<{size}}  {value}")
        lines.append("")
    return Fitted("", lines[:-1], is_cut, ())
