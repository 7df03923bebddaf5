"""What a posted form makes of the filter that is being written.

Everything that was chosen and typed is taken over first, whichever button was pressed; only then
does the button act. What can't be taken over stays in its field, with the fault beside it.
"""

import re
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.filters.parsing import parse
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.filters.parts import (
    CHOICES,
    JSON,
    ROWS,
    Part,
    Written,
    place_of,
)
from hookbundle.server.http.requests import number_of

# With the fields of so many parts a form has 94, of the 100 that one may have.
OPEN_PARTS = 8
T = TypeVar("T")
COMMAS = re.compile(r"[,،\n]")


@dataclass(slots=True)
class Edited:
    """`typed`: what stays in its field, by the field's name. `faults`: by their place."""

    written: Written
    typed: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    text: str = ""


def edited(form: Form) -> Edited:
    """The filter after what was chosen and typed, and after the button."""
    text = form.get(JSON, "")
    try:
        written = Written.read(text)
    except InvalidInput as exc:
        return _unread(form, text, exc)
    made = Edited(written)
    _choose(made, form)
    _add(made, form)
    _act(made, form.get("do", ""))
    made.faults = {**faults_of(written), **made.faults}
    made.parts, made.text = written.parts(), written.text
    return made


def faults_of(written: Written) -> dict[str, Fault]:
    """The first fault of each place of the filter."""
    judged = [at for at, group in enumerate(written.groups) if group]
    found: dict[str, Fault] = {}
    try:
        parse(written.without_empty_groups().document)
    except InvalidInput as exc:
        for each in exc.faults:
            found.setdefault(place_of(each, judged), each)
    return found


def chosen_of(parts: list[Part]) -> str:
    """The choices as the page shows them, to know later which ones were changed."""
    return urlencode(
        {f"{part.key}.{name}": value for part in parts for name, value in part.choices.items()}
    )


def _unread(form: Form, text: str, error: InvalidInput) -> Edited:
    """Of JSON that can't be read there are no chips; what was chosen and typed stays."""
    keys = dict.fromkeys(name.partition(".")[0] for name in form if name.endswith(".direction"))
    parts = [
        Part(
            key,
            {name: form.get(f"{key}.{name}", "") for name in CHOICES},
            {row: [] for row in ROWS},
        )
        for key in keys or ("all",)
    ]
    typed = {name: value for name, value in form.items() if name.endswith(".add")}
    return Edited(Written(), typed, {JSON: error.faults[0]}, parts, text)


def _choose(made: Edited, form: Form) -> None:
    """What was not touched yields to the JSON, where it may have been changed."""
    before = dict(parse_qsl(form.get("was", ""), keep_blank_values=True))
    for key, _ in list(made.written.by_key()):
        for name in CHOICES:
            value = form.get(f"{key}.{name}")
            if value is not None and value != before.get(f"{key}.{name}", ""):
                made.written.chosen(key, name, value)


def _add(made: Edited, form: Form) -> None:
    """Each row gets what was typed for it, or nothing of it if something is wrong with it."""
    before: dict[tuple[str, str], list[object]] = {}
    for key, _ in list(made.written.by_key()):
        for row in ROWS:
            texts = [each.strip() for each in COMMAS.split(form.get(f"{key}.{row}.add", ""))]
            values = made.written.values(key, row)
            more = [each for each in dict.fromkeys(texts) if each and each not in values]
            if more:
                before[key, row] = values
                made.written.put(key, row, [*values, *more])
    wrong = faults_of(made.written) if before else {}
    for (key, row), values in before.items():
        place = f"{key}.{row}"
        if place in wrong:
            made.written.put(key, row, values)
            made.typed[f"{place}.add"] = form[f"{place}.add"]
            made.faults[place] = wrong[place]


def _act(made: Edited, button: str) -> None:
    written = made.written
    match button.split(":"):
        case ["drop", key, row, index]:
            at = number_of(index, limits.FILTER_BYTES_MAX)
            if row in ROWS and at is not None and key in dict(written.by_key()):
                values = written.values(key, row)
                written.put(key, row, [each for n, each in enumerate(values) if n != at])
        case ["group"] if len(written.groups) < limits.FILTER_GROUPS_MAX:
            written.add_group()
        case ["ungroup", number]:
            at = number_of(number, limits.FILTER_GROUPS_MAX)
            if at is not None:
                written.remove_group(at)
                made.typed, made.faults = _renumbered(made.typed, at), _renumbered(made.faults, at)


def _renumbered(by_name: dict[str, T], removed: int) -> dict[str, T]:
    """What stands beside an alternative goes with it."""
    found = dict[str, T]()
    for name, value in by_name.items():
        key, dot, rest = name.partition(".")
        number = (
            number_of(key.removeprefix("any"), limits.FILTER_GROUPS_MAX)
            if key.startswith("any")
            else None
        )
        at = -1 if number is None else number
        if at != removed:
            found[f"any{at - 1}{dot}{rest}" if at > removed else name] = value
    return found
