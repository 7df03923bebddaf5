"""Reads a template: a JSON document whose texts are Liquid, made into nodes.

    {"note": "{{ messages | text }}",
     "lines": {"$each": "messages", "as": "m", "do": "{{ m.text }}"},
     "phone": {"$if": "contact.phone_e164", "then": "{{ contact.phone_e164 }}"}}

Every fault is found at once, each with a JSON pointer to where it is.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, given
from hookbundle.engine.formats import shapes
from hookbundle.engine.formats.expressions import OPEN, TAG, Reader, Scope
from hookbundle.engine.formats.format import Format
from hookbundle.engine.formats.jobs import Reading
from hookbundle.engine.formats.nodes import (
    ArrayNode,
    Each,
    Expression,
    Fixed,
    If,
    Mixed,
    Node,
    ObjectNode,
    Whole,
)
from hookbundle.engine.formats.parsing import outline
from hookbundle.engine.formats.shapes import TEXT, ListShape, Plain, RecordShape, Shape
from hookbundle.engine.near_names import near_name

EACH, AS, DO, IF, THEN = "$each", "as", "do", "$if", "then"
COMMANDS = {EACH: (AS, DO), IF: (THEN,)}
EACH_DEPTH_MAX = 2  # a list within a list, and no deeper
LISTS = "messages, labels"
INTEGER_MAX = 2**63 - 1  # larger ones are read by some as other numbers
NOTHING = Fixed(None)  # in the place of what has faults


def read(template: Any, place: str, options: Shape) -> tuple[Node, list[Fault]]:
    """The template as nodes, which mean something only without faults.

    `place`: the path of the template, with which the paths of faults begin. `options`: the
    variables that it may name. The template is not nested too deeply.
    """
    reader = _Document(Reader(place))
    node = reader.node(template, "", {**shapes.CONTEXT, shapes.OPTIONS: options}, 0)
    return node, reader.expressions.faults


def read_as_asked(reading: Reading) -> tuple[Node, list[Fault]]:
    """The same of a template that is to be read."""
    options = RecordShape(dict.fromkeys(reading.names, TEXT))
    return read(msgspec.json.decode(reading.template), reading.place, options)


def parse_format(
    value: Any, options: Any = None, path: str = "format", options_path: str = "format_options"
) -> Format | list[Fault]:
    """The format that the decoded JSON values are, template and all; or all that is wrong with it.

    It takes as long as its template wants, and imports python-liquid: the daemon never does it.
    """
    found = outline(value, options, path, options_path)
    return found.judged(read_as_asked(found.template)[1] if found.template else ())


def step_of(pointer: str, name: str | int) -> str:
    """The pointer to a part of what the pointer leads to (RFC 6901)."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


@dataclass(slots=True)
class _Document:
    expressions: Reader

    def node(self, value: Any, pointer: str, scope: Scope, eaches: int) -> Node:
        match value:
            case str():
                return self._text(value, pointer, scope)
            case dict():
                return self._object(value, pointer, scope, eaches)
            case list():
                items = [
                    self.node(each, step_of(pointer, at), scope, eaches)
                    for at, each in enumerate(value)
                ]
                return ArrayNode(tuple(items))
            case int() if abs(value) > INTEGER_MAX:
                self._fault(pointer, FaultCode.NUMBER_TOO_LARGE)
                return NOTHING
            case _:
                return Fixed(value)

    def _fault(self, pointer: str, code: FaultCode, **values: str | int) -> None:
        self.expressions.fault(pointer, code, **values)

    def _text(self, text: str, pointer: str, scope: Scope) -> Node:
        if OPEN not in text and TAG not in text:
            return Fixed(text)
        parts = self.expressions.parts(text, pointer, scope)
        match parts:
            case [Expression() as only]:
                return Whole(only)
            case _:
                for part in parts:
                    if isinstance(part, Expression) and not isinstance(part.shape, Plain | None):
                        self._fault(pointer, FaultCode.NOT_WITHIN_TEXT, got=quoted(part.written))
                return Mixed(tuple(parts))

    def _object(self, value: dict[str, Any], pointer: str, scope: Scope, eaches: int) -> Node:
        for command, further in COMMANDS.items():
            if command in value:
                return self._command(command, further, value, pointer, scope, eaches)
        items = []
        for name, part in value.items():
            at = step_of(pointer, name)
            if name.startswith("$"):
                self._unknown(name, at, tuple(COMMANDS))
            if OPEN in name or TAG in name:
                self._fault(at, FaultCode.LIQUID_IN_NAME)
            items.append((name, self.node(part, at, scope, eaches)))
        return ObjectNode(tuple(items))

    def _command(
        self,
        command: str,
        further: tuple[str, ...],
        value: dict[str, Any],
        pointer: str,
        scope: Scope,
        eaches: int,
    ) -> Node:
        takes = ", ".join((command, *further))
        for name in value:
            if name not in (command, *further):
                at = step_of(pointer, name)
                self._fault(at, FaultCode.BESIDE_COMMAND, beside=command, takes=takes)
        missing = [name for name in further if name not in value]
        for name in missing:
            self._fault(step_of(pointer, name), FaultCode.MISSING)
        at = step_of(pointer, command)
        path = self.expressions.path(value[command], at, scope)
        if missing or path is None:
            return NOTHING
        if command == IF:
            then = self.node(value[THEN], step_of(pointer, THEN), scope, eaches)
            return If(path, then)
        shape = self.expressions.shape_of(path, scope)
        if not isinstance(shape, ListShape):
            self._fault(at, FaultCode.NOT_A_LIST, got=quoted(value[command]), known=LISTS)
            return NOTHING
        if eaches >= EACH_DEPTH_MAX:
            self._fault(at, FaultCode.NESTED_EACH, most=EACH_DEPTH_MAX)
            return NOTHING
        named = self._name(value[AS], step_of(pointer, AS), scope)
        if named is None:
            return NOTHING
        inner = {**scope, named: shape.item}
        do = self.node(value[DO], step_of(pointer, DO), inner, eaches + 1)
        return Each(at, path, named, do)

    def _name(self, value: Any, pointer: str, scope: Scope) -> str | None:
        """The name that each entry of a list gets."""
        if not isinstance(value, str):
            self._fault(pointer, FaultCode.NOT_TEXT, given=given(value))
            return None
        if not shapes.REF.search(value) or value[0].isdigit():
            most = limits.REF_KEY_CHARS_MAX
            self._fault(pointer, FaultCode.BAD_KEY, key=quoted(value), most=most)
            return None
        if value in scope or value in WORDS_OF_LIQUID:
            self._fault(pointer, FaultCode.NAME_TAKEN, got=quoted(value))
            return None
        return value

    def _unknown(self, name: str, pointer: str, known: tuple[str, ...]) -> None:
        near = near_name(name, known)
        if near is None:
            self._fault(pointer, FaultCode.UNKNOWN_FIELD)
        else:
            self._fault(pointer, FaultCode.MISSPELT_FIELD, near=near)


# What python-liquid reads as something else than a name.
WORDS_OF_LIQUID = frozenset(
    {
        *("true", "false", "nil", "null", "empty", "blank", "and", "or", "not", "contains"),
        *("in", "if", "else", "with", "for", "as", "offset", "limit", "reversed", "cols"),
        *("continue", "required"),
    }
)
