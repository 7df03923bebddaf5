"""The words in both languages: nothing is missing, and nothing is filled in wrongly."""

import re

import pytest

from hookbundle.engine.clock import SystemClock
from hookbundle.server.console import catalogues, wording
from hookbundle.server.console.catalogues import ARABIC, CONTEXT, ENGLISH, FOLDER
from hookbundle.server.console.rendering import HERE, Renderer

PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
# What only programmers can read, and only in English: other languages do without.
LEFT_OUT = {"{error}", "{actor}", "{until_ms}", "{progress}", "{refusal}", "{forms}"}


def asked_for() -> set[str]:
    """What the templates want to say, in the form of a catalogue's keys."""
    environment = Renderer(SystemClock())._environments["en"]
    found = set(wording.texts())
    for path in (HERE / "templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        for _, function, words in environment.extract_translations(source):  # type: ignore[attr-defined]
            parts = [words] if isinstance(words, str) else [part for part in words if part]
            context = f"{parts.pop(0)}{CONTEXT}" if "pgettext" in function else ""
            found.add(context + "\0".join(parts))
    return found


def arabic() -> dict[str, str]:
    return catalogues.entries((FOLDER / "ar.po").read_text(encoding="utf-8"))


def test_arabic_says_all_that_is_said_and_nothing_else() -> None:
    assert set(arabic()) - {""} == asked_for()


def test_translations_have_the_places_that_are_filled_in() -> None:
    for key, value in arabic().items():
        if "\0" not in key:
            there = set(PLACE.findall(key))
            assert there - LEFT_OUT <= set(PLACE.findall(value)) <= there, key
        else:
            assert len(value.split("\0")) == 6, key
            assert set(PLACE.findall(value)) <= set(PLACE.findall(key)), key


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "ساعة واحدة"), (2, "ساعتين"), (3, "3 ساعات"), (11, "11 ساعة"), (103, "103 ساعات")],
)
def test_arabic_counts_in_its_six_ways(number: int, words: str) -> None:
    translations = catalogues.translations(ARABIC)

    said = translations.ngettext("%(num)s hour", "%(num)s hours", number)

    assert said % {"num": number} == words


def test_arabic_has_another_dual_for_a_length_that_stands_alone() -> None:
    translations = catalogues.translations(ARABIC)

    said = translations.npgettext("alone", "%(num)s hour", "%(num)s hours", 2)

    assert said == "ساعتان"


def test_what_a_catalogue_lacks_shows_in_english() -> None:
    assert catalogues.translations(ARABIC).gettext("not translated yet") == "not translated yet"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("ar", "en", ARABIC),
        (None, "ar-EG,ar;q=0.9,en;q=0.8", ARABIC),
        (None, "fr,he;q=0.5", ENGLISH),
        ("xx", "", ENGLISH),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers(
    chosen: str | None, accepted: str, language: catalogues.Language
) -> None:
    assert catalogues.choose(chosen, accepted) is language
