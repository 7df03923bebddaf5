"""Texts from outside, as they may stand on a page.

What came from outside (names, texts, URLs, answers of receivers) goes through `bdi` where it
stands among our words: it is isolated, so that a name of the other direction, or one full of
direction marks, turns nothing around but itself.
"""

import re
from itertools import islice
from unicodedata import bidirectional

from markupsafe import Markup, escape

# Of a text: a mark is forty times as long as what it stands for.
MARKS_MAX = 2_000
STRONG = ("L", "R", "AL")  # what gives a text its direction
# What would show as nothing, or turn what follows around: shown by its number instead.
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u2069\ufeff]")


def bdi(text: object) -> Markup:
    """A text from outside, isolated in its own direction: from the left if it has no letters.

    A phone has no letters: among Arabic words its groups of digits would change places.
    """
    mark = '<bdi dir="ltr">{}</bdi>' if _may_be_turned(str(text)) else "<bdi>{}</bdi>"
    return Markup(mark).format(shown(text))


def _may_be_turned(text: str) -> bool:
    return not text.isdigit() and all(bidirectional(char) not in STRONG for char in text)


def shown(text: object) -> Markup:
    """The text, with what can't be seen made visible. One that is full of it ends early."""
    written = str(escape(text))
    ends = [match.end() for match in islice(UNSEEN.finditer(written), MARKS_MAX)]
    if len(ends) == MARKS_MAX and ends[-1] < len(written):
        written = written[: ends[-1]] + "…"
    return Markup(UNSEEN.sub(_mark, written))


def plain(text: str) -> str:
    """As `shown`, where no element may stand: in an attribute, or in the title of a page."""
    written = UNSEEN.sub(lambda match: f"U+{ord(match[0]):04X}", text)
    return Markup(written) if isinstance(text, Markup) else written


def _mark(match: re.Match[str]) -> str:
    return f'<span class="unseen">U+{ord(match[0]):04X}</span>'
