"""What each field of the document is: from fields.toml, or from the docstring of its type.

    `created_at`: when it was made; null if nobody knows.

In a docstring such a text goes on to the next one, or to the end of its paragraph. A docstring is
short, for who reads the code; what callers have to know beside it is in the file, and what is the
same in many types. Neither costs anything when a message is decoded, and both are read only when
the document is made.
"""

import inspect
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("fields.toml")
BEGIN = re.compile(r"(?:^|(?<=[.;:] ))((?:`\w+`(?:, | and )?)+): ")
NAME = re.compile(r"`(\w+)`")
EVENT = "Event"  # the table of what all events of the feed have

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class FieldTexts:
    """The texts of fields.toml. `used`: which of them a field has asked for."""

    everywhere: Texts
    types: dict[str, Texts]
    extends: Texts
    used: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def read(cls) -> "FieldTexts":
        found = tomllib.loads(FILE.read_text(encoding="utf-8"))
        return cls(found["fields"], found["types"], found["extends"])

    def describe(self, schemas: dict[str, Any]) -> None:
        """Every field of these schemas has its text as its description; empty if there is none.

        The description of a type keeps what is about the type as a whole.
        """
        said = {name: _split(schema.get("description", "")) for name, schema in schemas.items()}
        for name, schema in schemas.items():
            about, _ = said[name]
            if about:
                schema["description"] = about
            else:
                schema.pop("description", None)
            extended = [*self._itself_and_extended(name), *([EVENT] if is_event(schema) else ())]
            for of_field, value in schema.get("properties", {}).items():
                text = self._text(extended, of_field, said)
                of_values = sentence(value.get("description", ""))  # of a Meta: what it may be
                value["description"] = f"{text} {of_values}".strip()

    def _text(self, type_names: list[str], name: str, said: dict[str, tuple[str, Texts]]) -> str:
        for each in type_names:
            if name in self.types.get(each, {}):
                self.used.add((each, name))
                return self.types[each][name]
            if each in said and name in said[each][1]:
                return said[each][1][name]
        self.used.add(("", name))
        return self.everywhere.get(name, "")

    def _itself_and_extended(self, type_name: str) -> Iterator[str]:
        yield type_name
        if type_name in self.extends:
            yield from self._itself_and_extended(self.extends[type_name])


def is_event(schema: dict[str, Any]) -> bool:
    """Whether it is the envelope of a fact, as readers of the feed get it."""
    return {"seq", "data"} <= set(schema.get("properties", ()))


def _split(docstring: str) -> tuple[str, Texts]:
    """What a docstring says of the type, and of each field that it describes."""
    about: list[str] = []
    fields: Texts = {}
    for paragraph in inspect.cleandoc(docstring).split("\n\n"):
        text = " ".join(paragraph.split())
        begins = list(BEGIN.finditer(text))
        about.append(text[: begins[0].start()].strip() if begins else text)
        for place, begin in enumerate(begins):
            end = begins[place + 1].start() if place + 1 < len(begins) else len(text)
            for name in NAME.findall(begin[1]):
                fields[name] = sentence(text[begin.end() : end])
    return "\n\n".join(filter(None, about)), fields


def sentence(text: str) -> str:
    """The text as a sentence: it begins with a capital and ends with a full stop."""
    text = text.strip().rstrip(";").strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ":")) or not text else ".")
