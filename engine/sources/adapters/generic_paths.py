"""Paths into a body of the kind `generic`: where a message's parts are.

    data.messages[].text.body || data.messages[].caption

A path is names with dots between. `[2]` takes one item of a list; `[]` goes through all of them,
and each is a message of its own. `||` gives what to take where there is nothing. There are no
functions. All paths with `[]` go through the same list; one without it is read from the whole body.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault

PATH_CHARS_MAX = 256
CHOICES_MAX = 8
STEPS_MAX = 16
INDEX_DIGITS_MAX = 4
STEP = re.compile(rf"([A-Za-z0-9_@$:-]+)((?:\[[0-9]{{1,{INDEX_DIGITS_MAX}}}\])*)(\[\])?")
INDEX = re.compile(r"[0-9]+")

PathText = Annotated[str, msgspec.Meta(max_length=PATH_CHARS_MAX)]
Step = str | int


@dataclass(frozen=True, slots=True)
class Place:
    """One way to a value: `listed`: the steps to the list that it goes through, None without one;
    `steps`: from the body, or from an item of that list."""

    listed: tuple[Step, ...] | None
    steps: tuple[Step, ...]


Path = tuple[Place, ...]
"""The places to look at, the first that has a value counts."""


def parse(text: str) -> Path | None:
    """The path that the text is; empty for an empty text, None if it is none."""
    if not text.strip():
        return ()
    places = [_place(each.strip()) for each in text.split("||")]
    if len(places) > CHOICES_MAX:
        return None
    found = [each for each in places if each is not None]
    return tuple(found) if len(found) == len(places) else None


def _place(text: str) -> Place | None:
    listed: tuple[Step, ...] | None = None
    steps: list[Step] = []
    for written in text.split("."):
        match = STEP.fullmatch(written)
        if match is None or len(steps) >= STEPS_MAX:
            return None
        steps.append(match[1])
        steps += [int(index) for index in INDEX.findall(match[2])]
        if match[3]:
            if listed is not None:
                return None
            listed, steps = tuple(steps), []
    return Place(listed, tuple(steps))


def list_of(path: Path) -> tuple[Step, ...] | None:
    """The list that the path goes through; None if it goes through none."""
    return next((place.listed for place in path if place.listed is not None), None)


def faults_of(fields: dict[str, Any], at: str) -> list[Fault]:
    """What is wrong with the paths of `fields`, which are texts or are found faulty elsewhere."""
    faults = []
    first: tuple[str, tuple[Step, ...]] | None = None
    for name, text in fields.items():
        if not isinstance(text, str) or len(text) > PATH_CHARS_MAX:
            continue
        path = parse(text)
        if path is None:
            faults.append(fault(f"{at}.{name}", FaultCode.NOT_A_PATH, got=quoted(text)))
            continue
        for place in path:
            if place.listed is None:
                continue
            if first is None:
                first = (name, place.listed)
            elif first[1] != place.listed:
                where = f"{at}.{name}"
                faults.append(fault(where, FaultCode.SEVERAL_LISTS, beside=first[0]))
                break
    return faults


def value_at(body: Any, steps: tuple[Step, ...]) -> Any:
    """What is there; None if nothing is."""
    for step in steps:
        if isinstance(step, int):
            body = body[step] if isinstance(body, list) and step < len(body) else None
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body
