"""A template that was read: a document of nodes, each with the place in which it stood.

`pointer`: a JSON pointer into the template (RFC 6901).
"""

from dataclasses import dataclass

from hookbundle.engine.formats.shapes import Shape

Segment = str | int


@dataclass(frozen=True, slots=True)
class Path:
    """A value of the context, or of a list that is gone through; None where there is none.

    `is_local`: it is a timestamp, which is wanted as people of the workspace read it.
    """

    segments: tuple[Segment, ...]
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, number, true, false or nil that was written into the template."""

    value: str | int | float | bool | None


Operand = Path | Constant


@dataclass(frozen=True, slots=True)
class FilterCall:
    name: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between `{{` and `}}`, which is `written`. `shape`: of its value; None of nil."""

    pointer: str
    source: Operand
    filters: tuple[FilterCall, ...]
    written: str
    shape: Shape | None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value without Liquid, as it was written."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A text that is nothing but one expression: its value, which need not be a text."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Mixed:
    """A text with expressions in it."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class ObjectNode:
    items: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class ArrayNode:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Each:
    """An array with `do` once for each entry of the list, which has the name `name` there."""

    pointer: str
    path: Path
    name: str
    do: "Node"


@dataclass(frozen=True, slots=True)
class If:
    """`then`, if the value is there; else the field, or the entry, is left out."""

    path: Path
    then: "Node"


Node = Fixed | Whole | Mixed | ObjectNode | ArrayNode | Each | If
