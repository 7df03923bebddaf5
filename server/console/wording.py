"""Errors and faults in the words of a page's language.

The tables of errors and of faults hold the English texts; they are the keys of the catalogues. In
English the text of the error itself is shown, as the API and the log have it. In other languages
the gaps of the translation are filled, each value isolated in its own direction; what only
programmers can read (the text of another program's error) has no gap there.
"""

import gettext
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2
from markupsafe import Markup, escape

from hookbundle.engine.error_codes import Code, Term, Value, bounded
from hookbundle.engine.error_table import MEANINGS, TITLES
from hookbundle.engine.errors import NO_VALUES, Fault, HookbundleError
from hookbundle.engine.faults import GIVEN, SENTENCES, FaultCode
from hookbundle.engine.filters import in_words as filters
from hookbundle.engine.windows import in_words as windows
from hookbundle.server.console.isolating import bdi

NOT_VALID = "is not as it must be"
# Before what is to be done; a language has a semicolon of its own.
JOINT = "; "


@dataclass(frozen=True, slots=True)
class ShownError:
    """An error as a page tells it. `request_id`: what the log knows the request by, or empty."""

    code: Code
    english: str
    values: Mapping[str, Value] = field(default_factory=lambda: NO_VALUES)
    request_id: str = ""

    @classmethod
    def of(cls, error: HookbundleError, request_id: str = "") -> "ShownError":
        return cls(error.code, str(error), error.values, request_id)

    @property
    def status(self) -> int:
        return MEANINGS[self.code].status


class Wording:
    """In the language of the catalogue; None for English, whose texts are the table's own."""

    def __init__(self, words: gettext.NullTranslations | None) -> None:
        self._words = words

    def worded(self, said: ShownError | Fault) -> Markup:
        """What is wrong, and for an error what to do."""
        if self._words is None:
            return bdi(said.english if isinstance(said, ShownError) else said.detail)
        if isinstance(said, ShownError):
            meaning = MEANINGS[said.code]
            texts = (meaning.sentence, meaning.remedy)
            filled = self._filled(texts, said.values)
            return filled or self._filled((TITLES[meaning.status],), NO_VALUES)
        known = said.code in SENTENCES and said.code != FaultCode.INVALID
        text = SENTENCES[FaultCode(said.code)] if known else NOT_VALID
        return self._filled((text,), dict(said.values)) or self._filled((NOT_VALID,), NO_VALUES)

    def phrased(self, text: str) -> str:
        """A text of the tables with its gaps as they are."""
        return self._words.gettext(text) if self._words else text

    def titled(self, told: ShownError) -> str:
        return self.phrased(TITLES[told.status])

    def _filled(self, texts: tuple[str, ...], values: Mapping[str, Value]) -> Markup:
        """Empty if a value is lacking: an error with a text of its own has none."""
        assert self._words is not None
        words = self._words.gettext
        pattern = escape(words(JOINT).join(words(text) for text in texts))
        try:
            return pattern.format(
                **{name: self._value(name, value) for name, value in values.items()}
            )
        except KeyError:
            return Markup()

    def _value(self, name: str, value: Value) -> Markup:
        assert self._words is not None
        if name == "given" and value in GIVEN:
            return escape(self._words.gettext(GIVEN[str(value)]))
        if isinstance(value, Term):
            return escape(self._words.gettext(value))
        return bdi(bounded(value) if isinstance(value, str) else value)


class Phrases:
    """Windows and filters in the language of the catalogue, as parts of a page."""

    def __init__(self, words: gettext.NullTranslations) -> None:
        self._words = words

    def text(self, english: str, **gaps: str) -> Markup:
        return escape(self._words.gettext(english)).format(**gaps)

    def count(self, one: str, many: str, number: int) -> Markup:
        return escape(self._words.ngettext(one, many, number)) % {"num": number}

    def value(self, text: str) -> Markup:
        return bdi(text)

    def joined(self, between: str, parts: Iterable[str]) -> Markup:
        return escape(between).join(parts)

    @jinja2.pass_context
    def window(self, context: jinja2.runtime.Context, window: Any) -> list[str]:
        """Each of its rules as a sentence, with the zone of the page where it goes by that."""
        zone = context["zone"].key
        lines = windows.lines_of(window)
        if len(lines) == 1:
            return [windows.of_rule(lines[0].rule, self, zone)]
        return [windows.of_choice(line, self, zone) for line in lines]

    def every(self, length_ms: int) -> str:
        return windows.every(length_ms, self)

    def day(self, number: int) -> str:
        return self.text(windows.DAYS[number])

    def kept(self, document: dict[str, Any]) -> str:
        """Which messages a filter keeps."""
        return filters.summary(document, self)

    def condition(self, field: str) -> str:
        return filters.name_of(field, self)

    def choice(self, value: str, field: str) -> str:
        return filters.choice_of(field, value, self)


def texts() -> Iterator[str]:
    """Every text of the tables, which each language has to have."""
    yield from windows.texts()
    yield NOT_VALID
    yield JOINT
    yield from TITLES.values()
    yield from Term
    for meaning in MEANINGS.values():
        yield meaning.sentence
        yield meaning.remedy
    yield from GIVEN.values()
    for code, sentence in SENTENCES.items():
        if code != FaultCode.INVALID:
            yield sentence
