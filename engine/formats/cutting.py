"""Texts are cut so that a finished body fits: the longest first, with a mark of what is missing.

All texts that are longer than a *level* are cut to it; a shorter text stays whole. The level is the
highest, nearly, with which the finished body fits. What is cut is the text of a message as it goes
into the template, and not what comes out of it: so HTML stays whole, and JSON within a text too.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

MARK = "… ({count} characters more)"
MARK_CHARS_MAX = 40
TRIES_MAX = 8
NEAR = 0.98  # of the room: when so much of it is used, nothing better is looked for
JOINED_MAX = 32  # characters that are one to those who read: a family of emoji has eleven

ZERO_WIDTH_JOINER = "\u200d"
JOINING = frozenset({ZERO_WIDTH_JOINER, "\ufe0e", "\ufe0f", "\u20e3"})

Result = TypeVar("Result")


def cut(text: str, level: int) -> str:
    """The text's first `level` characters and a mark; all of it, if that is not shorter."""
    if len(text) <= level + MARK_CHARS_MAX:
        return text
    at = boundary(text, level)
    return text[:at] + MARK.format(count=len(text) - at)


def boundary(text: str, at: int) -> int:
    """The place, or one before it, at which no character is cut apart as people see it."""
    least = max(0, at - JOINED_MAX)
    for place in range(at, least, -1):
        if not _joins(text, place):
            return place
    return least


def _joins(text: str, at: int) -> bool:
    """Whether the characters before and at the place are one to those who read."""
    before, after = text[at - 1], text[at]
    if after in JOINING or before == ZERO_WIDTH_JOINER or unicodedata.combining(after):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True  # the colour of a skin, the letters of a flag
    return _is_regional(before) and _is_regional(after)


def _is_regional(each: str) -> bool:
    """Half of a flag. In a row of flags, a cut before an odd one is found by going back to none."""
    return "\U0001f1e6" <= each <= "\U0001f1ff"


def fitted(
    lengths: Sequence[int], most: int, size: int, made: Callable[[int], tuple[Result, int]]
) -> Result | None:
    """What `made` gives for nearly the highest level at which its size is at most `most`.

    `lengths`: of the texts. `size`: of what is made of the whole texts, which is too large. `made`:
    the result, and its size, for a level. None: even without texts it does not fit.
    """
    low, high = 0, max(lengths, default=0)
    best, low_size = made(low)
    if low_size > most:
        return None
    high_size = size
    for _ in range(TRIES_MAX):
        if low_size >= NEAR * most or high - low <= 1:
            break
        level = _guess(lengths, low, low_size, high, high_size, most)
        result, result_size = made(level)
        if result_size <= most:
            best, low, low_size = result, level, result_size
        else:
            high, high_size = level, result_size
    return best


def _guess(
    lengths: Sequence[int], low: int, low_size: int, high: int, high_size: int, most: int
) -> int:
    """A level between the two, by the letters that it would leave: each takes the same room."""
    least, whole = _letters(lengths, low), _letters(lengths, high)
    part = (most - low_size) / max(1, high_size - low_size)
    wanted = least + (whole - least) * part * NEAR
    below, above = low, high
    while above - below > 1:
        middle = (below + above) // 2
        if _letters(lengths, middle) <= wanted:
            below = middle
        else:
            above = middle
    return min(max(below, low + 1), high - 1)


def _letters(lengths: Sequence[int], level: int) -> int:
    return sum([min(length, level) for length in lengths])
