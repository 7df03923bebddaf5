"""Bodies of samples with one part missing, or with something else in its place."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

DEPTH = 1_000
# Stand for what the standard library can't write, or not as a value.
DEEP, HALF, TWICE, NAN = "@deep@", "@half@", "@twice@", "@nan@"
WRITTEN = {
    DEEP: "[" * DEPTH + "]" * DEPTH,
    HALF: r'"half \ud83d"',
    TWICE: '{"id": "A", "id": "B", "id": null}',
    NAN: "NaN",
}
MISSING = object()
OTHERS: tuple[Any, ...] = (
    MISSING,
    None,
    True,
    0,
    2.5,
    10**30,
    "",
    "?",
    "x" * 70_000,
    "x@lid",
    [],
    [None],
    {},
    {"id": None},
    DEEP,
    HALF,
    TWICE,
    NAN,
)

Steps = tuple[str | int, ...]


def places(value: Any, at: Steps = ()) -> Iterator[Steps]:
    """Every place in a decoded body, the whole of it first."""
    yield at
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*at, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*at, index))


def with_other(value: Any, at: Steps, other: Any) -> Any:
    """A copy in which `other` is in this place."""
    if not at:
        return None if other is MISSING else other
    step, *rest = at
    copy = value.copy()
    if not rest and other is MISSING:
        del copy[step]
    else:
        copy[step] = other if not rest else with_other(value[step], tuple(rest), other)
    return copy


def encoded(value: Any) -> bytes:
    text = json.dumps(value)
    for mark, written in WRITTEN.items():
        text = text.replace(json.dumps(mark), written)
    return text.encode()


def decoded(body: bytes) -> Any:
    """A form as an object of its fields."""
    return dict(parse_qsl(body.decode(), keep_blank_values=True)) if is_form(body) else _json(body)


def encoded_like(body: bytes, value: Any) -> bytes:
    if not is_form(body):
        return encoded(value)
    fields = value.items() if isinstance(value, dict) else ()
    return urlencode({name: "" if each is None else str(each) for name, each in fields}).encode()


def is_form(body: bytes) -> bool:
    return not body.startswith((b"{", b"["))


def _json(body: bytes) -> Any:
    return json.loads(body)
