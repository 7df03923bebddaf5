"""Renders a body: the job's template, filled from its context, and cut so that it fits.

The result is JSON as UTF-8, or a reason why there is none: no template and no message makes an
exception of it. It needs as much time and memory as the template wants, so it runs in a process of
its own. The bounds here (WORK_MAX, LETTERS_MAX) make most of what is too much end with a sentence
that says where, and before msgspec encodes it: msgspec 0.22 ends the whole process by a
segmentation fault where it gets no memory.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from liquid.exceptions import LiquidError

from hookbundle.engine import limits
from hookbundle.engine.formats import context, cutting, dates, documents, parsing
from hookbundle.engine.formats.context import Context
from hookbundle.engine.formats.documents import INTEGER_MAX
from hookbundle.engine.formats.filters import FILTERS, Place, as_text
from hookbundle.engine.formats.format import Format
from hookbundle.engine.formats.jobs import Job, NoRecord, Outcome, Rendered, Unrenderable, Why
from hookbundle.engine.formats.nodes import (
    ArrayNode,
    Constant,
    Each,
    Expression,
    Fixed,
    If,
    Mixed,
    Node,
    ObjectNode,
    Operand,
    Path,
    Whole,
)
from hookbundle.engine.messages import directions

WORK_MAX = 200_000  # nodes of the finished document, and expressions
LETTERS_MAX = 4 * limits.BUNDLE_BODY_BYTES_MAX  # of one text, and of all texts of the document
FORMATS_KEPT = 16  # that were read

LEFT_OUT = object()


class Refusal(Exception):
    """The body can't be rendered."""

    def __init__(self, pointer: str, code: Why, why: str) -> None:
        super().__init__(why)
        self.told = Unrenderable(pointer, code, why)


def rendered(job: Job) -> Outcome:
    """The finished body of the job, or why there is none."""
    try:
        form, node = _read(job.format, job.options)
        found = context.of(job, form.effective_options)
        if form.skips_without_record and not _has_record(form, found):
            return NoRecord()
        most = limits.BUNDLE_BODY_BYTES_MAX
        return _fitted(node, found, min(job.bytes_max or most, most))
    except Refusal as refusal:
        return refusal.told


@lru_cache(maxsize=FORMATS_KEPT)
def _read(stored: bytes, options: bytes) -> tuple[Format, Node]:
    """Raises: Refusal if it has faults, as one that another release has taken."""
    given = msgspec.json.decode(options) if options else None
    found = parsing.outline(msgspec.json.decode(stored), given)
    node, of_template = (
        documents.read_as_asked(found.template) if found.template else (documents.NOTHING, [])
    )
    form = found.judged(of_template)
    if isinstance(form, list):
        raise Refusal("", Why.FORMAT, f"can't be read: {form[0].path} {form[0].detail}")
    return form, node


def _has_record(form: Format, found: Context) -> bool:
    assert form.preset is not None  # a template of one's own has no record
    paths = [Path(tuple(name.split("."))) for name in form.preset.record]
    return any(_value(path, found.values, found.place) for path in paths)


def _fitted(node: Node, found: Context, most: int) -> Rendered:
    whole = _body(node, found)
    if len(whole) <= most:
        return Rendered(whole)

    def made(level: int) -> tuple[Rendered, int]:
        shorter, cut = found.with_level(level)
        body = _body(node, shorter)
        return Rendered(body, cut), len(body)

    lengths = [len(text) for text in found.texts]
    fitting = cutting.fitted(lengths, most, len(whole), made)
    if fitting is None:
        raise Refusal("", Why.SIZE, f"is larger than {most} bytes, with all texts cut away")
    return fitting


def _body(node: Node, found: Context) -> bytes:
    filling = _Filling(found.place)
    value = filling.value(node, found.values)
    if value is LEFT_OUT:
        raise Refusal(
            "", Why.VALUE, "is left out as a whole by its $if, so there is nothing to send"
        )
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError as exc:
        raise Refusal("", Why.VALUE, "has a text that is not Unicode") from exc


@dataclass(slots=True)
class _Filling:
    """One filling of a template."""

    place: Place
    work: int = 0
    letters: int = 0

    def value(self, node: Node, scope: Any) -> Any:
        self._count(1, 0, "")
        match node:
            case Fixed(value):
                self._count(0, len(value) if isinstance(value, str) else 1, "")
                return value
            case Whole(expression):
                return self._sound(self._evaluated(expression, scope), expression)
            case Mixed(parts):
                return self._text(parts, scope)
            case ObjectNode(items):
                self._count(0, sum([len(name) for name, _ in items]), "")
                made = ((name, self.value(part, scope)) for name, part in items)
                return {name: value for name, value in made if value is not LEFT_OUT}
            case ArrayNode(items):
                entries = (self.value(part, scope) for part in items)
                return [value for value in entries if value is not LEFT_OUT]
            case If(path, then):
                return self.value(then, scope) if self._is_there(path, scope) else LEFT_OUT
            case Each():
                return self._repeated(node, scope)

    def _repeated(self, node: Each, scope: Any) -> list[Any]:
        found = _value(node.path, scope, self.place) or ()
        self._count(len(found), 0, node.pointer)
        entries = (self.value(node.do, {**scope, node.name: each}) for each in found)
        return [value for value in entries if value is not LEFT_OUT]

    def _text(self, parts: tuple[str | Expression, ...], scope: Any) -> str:
        """What comes from a message can't turn the direction of what follows."""
        made: list[str] = []
        for part in parts:
            if isinstance(part, str):
                made.append(part)
            else:
                value = as_text(self._sound(self._evaluated(part, scope), part))
                made.append(directions.closed(value))
        text = "".join(made)
        self._count(0, len(text), "")
        return text

    def _is_there(self, path: Path, scope: Any) -> bool:
        """Whether it is neither missing nor empty nor false; 0 is a number, and there."""
        value = _value(path, scope, self.place)
        return not (value is None or value is False or value == "" or value in ([], {}))

    def _evaluated(self, expression: Expression, scope: Any) -> Any:
        value = _operand(expression.source, scope, self.place)
        for call in expression.filters:
            self._count(1, 0, expression.pointer)
            arguments = [_operand(each, scope, self.place) for each in call.arguments]
            try:
                value = FILTERS[call.name].call(self.place, value, *arguments)
            except (LiquidError, ArithmeticError, ValueError, TypeError) as exc:
                why = f"gives the filter {call.name} a value that it can't take"
                raise Refusal(expression.pointer, Why.VALUE, why) from exc
            if isinstance(value, str) and len(value) > LETTERS_MAX:
                why = f"makes a text of more than {LETTERS_MAX} characters"
                raise Refusal(expression.pointer, Why.WORK, why)
        return value

    def _sound(self, value: Any, expression: Expression) -> Any:
        """The value, if JSON can have it."""
        match value:
            case str():
                self._count(0, len(value), expression.pointer)
            case bool() | None:
                pass
            case int() if abs(value) > INTEGER_MAX:
                raise Refusal(expression.pointer, Why.VALUE, "makes a number that is too large")
            case float() if value - value != 0:  # infinite, or none
                raise Refusal(expression.pointer, Why.VALUE, "makes a number that is too large")
            case list() | dict():
                self._count(0, _room_of(value), expression.pointer)
        return value

    def _count(self, nodes: int, letters: int, pointer: str) -> None:
        self.work += nodes
        self.letters += letters
        if self.work > WORK_MAX:
            raise Refusal(pointer, Why.WORK, f"has more than {WORK_MAX} parts, with its repeats")
        if self.letters > LETTERS_MAX:
            raise Refusal(pointer, Why.WORK, f"makes texts of more than {LETTERS_MAX} characters")


def _room_of(value: Any) -> int:
    return len(msgspec.json.encode(value))


def _operand(operand: Operand, scope: Any, place: Place) -> Any:
    match operand:
        case Path():
            return _value(operand, scope, place)
        case Constant(value):
            return value


def _value(path: Path, scope: Any, place: Place) -> Any:
    """What the path leads to; None where there is nothing."""
    value = scope
    for segment in path.segments:
        match value, segment:
            case dict(), _:
                value = value.get(segment)
            case list(), "size":
                value = len(value)
            case list(), _:
                at = {"first": 0, "last": -1}.get(str(segment), segment)
                value = value[at] if isinstance(at, int) and _is_in(value, at) else None
            case _:
                return None
    return dates.local_time(value, place.zone) if path.is_local and value else value


def _is_in(entries: list[Any], at: int) -> bool:
    return -len(entries) <= at < len(entries)
