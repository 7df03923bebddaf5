"""Where a message stands in its request: the path of each of its faults begins with that.

`[3]` in an array, `line 4` in NDJSON, nothing where there is only one message.
"""

from collections.abc import Callable
from dataclasses import dataclass

Place = Callable[[int], str]


def in_array(index: int) -> str:
    return f"[{index}]"


@dataclass(slots=True)
class From:
    """The place in an array of a slice's messages, of which the first has this number."""

    first: int

    def __call__(self, index: int) -> str:
        return f"[{self.first + index}]"


class InLines:
    """The place of a message in NDJSON: its line, counted with the empty ones, from `first` on."""

    def __init__(self, body: bytes, first: int = 1) -> None:
        self._body = body
        self._first = first
        self._lines: list[int] = []

    def __call__(self, index: int) -> str:
        if not self._lines:  # asked for only if there are faults
            lines = enumerate(self._body.split(b"\n"), self._first)
            self._lines = [number for number, line in lines if line.strip()]
        if index < len(self._lines):
            return f"line {self._lines[index]}"
        return f"message {index + 1}"  # a line had several


def alone(_index: int) -> str:
    return ""
