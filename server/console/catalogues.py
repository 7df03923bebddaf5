"""The words of the console in its languages: gettext catalogues, read from their sources.

English stands in the templates; every other language is a `.po` file. It is read at start, so that
there is no compiled file that could be out of date. What a catalogue lacks shows in English.
"""

import gettext
import io
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "locale"
MO_MAGIC = 0x950412DE
MO_HEAD = struct.Struct("<7I")
MO_PLACE = struct.Struct("<2I")


@dataclass(frozen=True, slots=True)
class Language:
    """`name` in the language itself."""

    code: str
    name: str
    direction: str


ENGLISH = Language("en", "English", "ltr")
ARABIC = Language("ar", "العربية", "rtl")
CONTEXT = "\x04"  # between a context and its text, as gettext writes it
LANGUAGES = {language.code: language for language in (ENGLISH, ARABIC)}


@cache
def translations(language: Language) -> gettext.NullTranslations:
    """Its words, read once in a process."""
    if language is ENGLISH:
        return gettext.NullTranslations()
    source = (FOLDER / f"{language.code}.po").read_text(encoding="utf-8")
    return gettext.GNUTranslations(io.BytesIO(compiled(entries(source))))


def translations_of(code: str) -> gettext.NullTranslations:
    """The words of that language; of English for one that has none."""
    return translations(LANGUAGES.get(code, ENGLISH))


def entries(source: str) -> dict[str, str]:
    """What a `.po` file says, in the form of a compiled catalogue: plurals joined by NUL.

    Raises: ValueError for a line that is none of a `.po` file.
    """
    found: dict[str, str] = {}
    for block in source.split("\n\n"):
        words = dict(_fields(block))
        if "msgid" not in words:
            continue
        key, value = words["msgid"], words.get("msgstr", "")
        if "msgctxt" in words:
            key = f"{words['msgctxt']}{CONTEXT}{key}"
        if "msgid_plural" in words:
            key += "\0" + words["msgid_plural"]
            value = "\0".join(words[name] for name in words if name.startswith("msgstr["))
        if value.strip("\0"):
            found[key] = value
    return found


def compiled(words: dict[str, str]) -> bytes:
    """A catalogue as gettext reads it: a head, two tables of places, and the texts."""
    keys = sorted(words, key=str.encode)
    texts = [key.encode() for key in keys] + [words[key].encode() for key in keys]
    at = MO_HEAD.size + MO_PLACE.size * len(texts)
    table = []
    for text in texts:
        table.append(MO_PLACE.pack(len(text), at))
        at += len(text) + 1
    second = MO_HEAD.size + MO_PLACE.size * len(keys)
    head = MO_HEAD.pack(MO_MAGIC, 0, len(keys), MO_HEAD.size, second, 0, 0)
    return head + b"".join(table) + b"\0".join(texts) + b"\0"


def choose(wanted: str | None, accepted: str) -> Language:
    """The language asked for, else the first of `Accept-Language` that is there, else English."""
    if wanted in LANGUAGES:
        return LANGUAGES[wanted]
    for part in accepted.split(","):
        code = part.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return LANGUAGES[code]
    return ENGLISH


def _fields(block: str) -> Iterator[tuple[str, str]]:
    """Each field of an entry with its text, which may go on over several lines."""
    name, text = "", ""
    for line in block.splitlines():
        if not line or line.startswith("#"):
            continue
        if not line.startswith('"'):
            if name:
                yield name, text
            name, _, line = line.partition(" ")
            text = ""
        text += json.loads(line)  # both escape as C does, as far as catalogues need it
    if name:
        yield name, text
