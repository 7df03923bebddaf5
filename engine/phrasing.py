"""Sentences that are put together in one place and said in several languages.

The English text of a phrase is its key, as in the catalogues of the console. A gap is `{name}`,
that of a number `%(num)s`. The caller brings the words of its language, and what keeps a text from
outside from turning those around it.
"""

from collections.abc import Iterable
from typing import Protocol


class Words(Protocol):
    """The words of a language."""

    def text(self, english: str, **gaps: str) -> str:
        """The phrase, its gaps filled."""

    def count(self, one: str, many: str, number: int) -> str:
        """The phrase as the language has it with that number."""

    def value(self, text: str) -> str:
        """A text from outside, as it may stand among the words."""

    def joined(self, between: str, parts: Iterable[str]) -> str:
        """Phrases and values one after the other; what is between has no words."""


class English:
    """The keys themselves."""

    def text(self, english: str, **gaps: str) -> str:
        return english.format(**gaps)

    def count(self, one: str, many: str, number: int) -> str:
        return (one if number == 1 else many) % {"num": number}

    def value(self, text: str) -> str:
        return text

    def joined(self, between: str, parts: Iterable[str]) -> str:
        return between.join(parts)


ENGLISH = English()


def within(sentence: str) -> str:
    """The sentence as it stands behind a colon or an arrow: it does not begin with a capital."""
    return sentence[:1].lower() + sentence[1:]
