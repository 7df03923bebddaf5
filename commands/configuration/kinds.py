"""Kinds of settings: how a value is read from a file or a variable, and which values are allowed.

Every kind has a range, which is checked wherever the value comes from, so that `config check` finds
what would fail hours later: a port that no socket has, a limit that lets nothing through. Of a text
the range is that of its length; of a list, that of each item.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from hookbundle.engine import durations

SIZES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
SIZES |= {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BINARY = ("TiB", "GiB", "MiB", "KiB")
WHOLE = re.compile(r"-?[0-9]{1,18}")
SIZE = re.compile(r"([0-9]{1,12})([KMGT]i?B)")
PERCENT = re.compile(r"([0-9]{1,3})%")
ITEMS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """`least` and `most` are the ends of the range, `step` the smallest difference there is.

    `measured`: the numbers of a value that must be in the range. `write`: such a number, or a value
    that has it, as it is written in a file. `form`: what a value is, for people.
    """

    parse: Callable[[object], Any]
    least: int
    most: int
    write: Callable[[int], str]
    measured: Callable[[Any], Iterable[int]] = lambda value: (value,)
    step: int = 1
    unit: str = ""
    has_negative: bool = False
    form: str = ""

    @property
    def takes(self) -> str:
        """What is allowed, in words: the form of a value and its range."""
        if self.unit:
            return f"{self.form} of at most {self.most:,} {self.unit}"
        if self.least == self.most:
            return self.form
        return f"{self.form} from {self.write(self.least)} to {self.write(self.most)}"

    def read(self, written: object) -> Any:
        """The value. Raises: ValueError, whose message says what it must be."""
        value = self.parse(written)
        for number in self.measured(value):
            if not self.least <= number <= self.most:
                raise ValueError(f"must {self._range}; got {_short(written)}")
        return value

    @property
    def _range(self) -> str:
        if self.unit:
            return f"have {self.least} to {self.most} {self.unit}"
        return f"be from {self.write(self.least)} to {self.write(self.most)}"


@dataclass(frozen=True, slots=True)
class DiskShare:
    """A part of the disk, in percent."""

    percent: int


def text(most: int) -> Kind:
    """A line of text; the range is that of its length."""
    return Kind(
        _line, 0, most, "x".__mul__, lambda value: (len(value),), unit="characters", form="a text"
    )


def number(least: int, most: int) -> Kind:
    return Kind(_number, least, most, str, has_negative=True, form="a number")


def number_or_all(least: int, most: int) -> Kind:
    """A number, or `all`, which is `most`."""

    def parse(written: object) -> int:
        return most if written == "all" else _number(written)

    return Kind(parse, least, most, str, form="`all`, or a number")


def span(least: str, most: str) -> Kind:
    """A duration in milliseconds, written `30s`; `0` without a unit if `least` is that."""
    low, high = _span_or_zero(least), durations.parse_ms(most)
    # More milliseconds than nine digits can't be written.
    step = 1 if high < 10**9 - 1 else durations.UNITS_MS["h"]
    parse = _span_or_zero if low == 0 else _span
    return Kind(parse, low, high, _written_span, step=step, form="a duration")


def spans(least: str, most: str) -> Kind:
    """A list of at least one duration."""
    form = "a list of durations, each"
    return Kind(_spans, _span(least), _span(most), _written_span, lambda value: value, form=form)


def size(most: str, least: str = "0") -> Kind:
    """A number of bytes, written `64MiB`, or `0` if that is allowed."""
    return Kind(_size, _size(least), _size(most), _written_size, step=SIZES["KiB"], form="a size")


def size_or_share(most: str) -> Kind:
    """A number of bytes, written `10GiB`, or a part of the disk, written `20%`."""
    kind = size(most)
    return replace(
        kind, parse=_size_or_share, measured=_bytes_of_size, form="a percentage, or a size"
    )


def items(most: int) -> Kind:
    """A list of texts, in the environment separated by commas; the range is of an item's length."""
    form = "a list of texts, each"
    return Kind(
        _items, 0, most, "x".__mul__, lambda value: map(len, value), unit="characters", form=form
    )


def one_of(*words: str) -> Kind:
    def parse(value: object) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}; got {_short(value)}")
        return str(value)

    return Kind(parse, 0, 0, str, lambda value: (), form=" or ".join(f"`{w}`" for w in words))


def _line(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if not value.isprintable():
        raise ValueError("must be one line without control characters")
    return value


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be a whole number")
    written = str(value).strip() if isinstance(value, str) else value
    if isinstance(written, str) and not WHOLE.fullmatch(written):
        raise ValueError(f"must be a whole number; got {_short(value)}")
    return int(written)


def _span(value: object) -> int:
    return durations.parse_ms(_line(value))


def _span_or_zero(value: object) -> int:
    return 0 if str(value) == "0" else _span(value)


def _spans(value: object) -> tuple[int, ...]:
    found = tuple(_span(item) for item in _items(value))
    if not found:
        raise ValueError("must have at least one duration")
    return found


def _size(value: object) -> int:
    if str(value) == "0":
        return 0
    match = SIZE.fullmatch(_line(value))
    if match is None or match[2] not in SIZES:
        raise ValueError(f"must be a whole number and KiB, MiB, GiB or TiB; got {_short(value)}")
    return int(match[1]) * SIZES[match[2]]


def _size_or_share(value: object) -> int | DiskShare:
    percent = PERCENT.fullmatch(_line(value))
    if percent and int(percent[1]) <= 100:
        return DiskShare(int(percent[1]))
    try:
        return _size(value)
    except ValueError:
        raise ValueError(
            "must be a percentage of the disk, like 20%, or a size, like 10GiB; "
            f"got {_short(value)}"
        ) from None


def _bytes_of_size(value: int | DiskShare) -> tuple[int, ...]:
    return () if isinstance(value, DiskShare) else (value,)


def _items(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        found = tuple(item.strip() for item in _line(value).split(",") if item.strip())
    elif isinstance(value, list):
        found = tuple(_line(item) for item in value)
    else:
        raise ValueError("must be a list")
    if len(found) > ITEMS_MAX:
        raise ValueError(f"must have at most {ITEMS_MAX} items; got {len(found)}")
    return found


def _written_span(value_ms: int) -> str:
    return durations.format_ms(value_ms) if value_ms else "0s"


def _written_size(value: int) -> str:
    unit = next((unit for unit in BINARY if value and not value % SIZES[unit]), "KiB")
    return f"{value // SIZES[unit]}{unit}"


def _short(written: object) -> str:
    shown = repr(written)
    return shown if len(shown) <= 80 else f"{shown[:80]}..."
