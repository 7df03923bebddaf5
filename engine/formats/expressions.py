"""Reads what stands between `{{` and `}}`, with python-liquid, and checks it against what there is.

A template is split at its braces here, and only what is between them is given to python-liquid, up
to EXPRESSION_CHARS_MAX of it: its own splitter takes, on some texts, time that grows with the
square of their length. What Liquid has beyond a path, filters and their arguments (tags, ranges,
names in the place of indices, named arguments) is refused: it would be a second language for loops
and branches, of which `$each` and `$if` are the only ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import liquid
from liquid.builtin import expressions as of_liquid
from liquid.builtin.expressions import primitive
from liquid.exceptions import LiquidError
from liquid.stream import TokenStream
from liquid.token import TOKEN_EXPRESSION, Token

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import GIVEN, FaultCode, fault, given
from hookbundle.engine.formats import calls, shapes
from hookbundle.engine.formats.nodes import Constant, Expression, FilterCall, Operand, Path
from hookbundle.engine.formats.shapes import Plain, Shape, Unknown
from hookbundle.engine.near_names import near_name

EXPRESSION_CHARS_MAX = 1_000
EXPRESSIONS_MAX = 500  # of a template
MEANT_MAX = 10  # faults, after which nobody looks which time zone was meant: that takes 4 ms
FILTERS_MAX = 8  # of an expression; `json` doubles backslashes each time
OPEN, CLOSE, TAG = "{{", "}}", "{%"
EXAMPLE = "{{ chat.full_name | upcase }}"

Scope = Mapping[str, Shape]

_environment = liquid.Environment(tolerance=liquid.Mode.STRICT)


@dataclass(slots=True)
class Reader:
    """Reads the expressions of one template, and goes on after a fault.

    `place`: what a fault's path begins with.
    """

    place: str
    faults: list[Fault] = field(default_factory=list)
    expressions: int = 0

    def fault(self, pointer: str, code: FaultCode, **values: str | int) -> None:
        self.faults.append(fault(self.place + pointer, code, **values))

    def parts(self, text: str, pointer: str, scope: Scope) -> list[str | Expression]:
        """The text, and the expressions in it; without those that have faults."""
        if TAG in text:
            self.fault(pointer, FaultCode.LIQUID_TAG)
            return []
        found: list[str | Expression] = []
        at, strip_next = 0, False
        while (begin := text.find(OPEN, at)) >= 0:
            end = text.find(CLOSE, begin)
            if end < 0:
                self.fault(pointer, FaultCode.LIQUID_NOT_CLOSED)
                return []
            before, inner = text[at:begin], text[begin + 2 : end]
            before = before.lstrip() if strip_next else before
            if inner.startswith("-"):
                before, inner = before.rstrip(), inner[1:]
            strip_next = inner.endswith("-")
            found += [before] if before else []
            read = self.expression(inner.removesuffix("-"), pointer, scope)
            found += [read] if read is not None else []
            at = end + 2
        rest = text[at:].lstrip() if strip_next else text[at:]
        return [*found, rest] if rest else found

    def expression(self, source: str, pointer: str, scope: Scope) -> Expression | None:
        self.expressions += 1
        if self.expressions > EXPRESSIONS_MAX:
            if self.expressions == EXPRESSIONS_MAX + 1:
                self.fault("", FaultCode.TOO_MANY_EXPRESSIONS, most=EXPRESSIONS_MAX)
            return None
        if len(self.faults) > limits.FAULTS_LISTED_MAX:
            return None  # enough to say; each costs a search for what was meant
        read = self._parsed(source, pointer)
        if read is None:
            return None
        operand = self._operand(read.left, pointer, scope, source)
        if operand is None:
            return None
        found = list(read.filters or ())
        if len(found) > FILTERS_MAX:
            self.fault(pointer, FaultCode.TOO_MANY_FILTERS, got=quoted(source), most=FILTERS_MAX)
            return None
        shape = self.shape_of(operand, scope)
        filters: list[FilterCall] = []
        for call in found:
            checked = self._filter(call, shape, pointer, scope, source)
            if checked is None:
                return None
            filters.append(checked[0])
            shape = checked[1]
        return Expression(pointer, operand, tuple(filters), source.strip(), shape)

    def path(self, source: object, pointer: str, scope: Scope) -> Path | None:
        """The path that `$each` and `$if` name."""
        if not isinstance(source, str):
            self.fault(pointer, FaultCode.NOT_A_NAME, got=GIVEN[given(source)], example="messages")
            return None
        read = self._parsed(source, pointer)
        if read is None:
            return None
        if read.filters or not isinstance(read.left, of_liquid.Path):
            self.fault(pointer, FaultCode.NOT_A_NAME, got=quoted(source), example="messages")
            return None
        found = self._operand(read.left, pointer, scope, source)
        return found if isinstance(found, Path) else None

    def shape_of(self, operand: Operand, scope: Scope) -> Shape | None:
        """What kind of value it is; None of `nil`."""
        match operand:
            case Path((str() as name, *rest)):
                shape: Shape = scope[name]
                for segment in rest:
                    further = shapes.step(shape, segment)
                    assert not isinstance(further, Unknown)  # it was checked when it was read
                    shape = further
                return shape
            case Constant(bool()):
                return Plain.FLAG
            case Constant(str()):
                return Plain.TEXT
            case Constant(None):
                return None
            case _:
                return Plain.NUMBER

    def _parsed(self, source: str, pointer: str) -> of_liquid.FilteredExpression | None:
        if len(source) > EXPRESSION_CHARS_MAX:
            self.fault(pointer, FaultCode.LIQUID_TOO_LONG, most=EXPRESSION_CHARS_MAX)
            return None
        token = Token(TOKEN_EXPRESSION, source, 0, source)
        try:
            stream = TokenStream(of_liquid.tokenize(source, token))
            read = of_liquid.FilteredExpression.parse(_environment, stream)
        except (LiquidError, ValueError, RecursionError):
            read = None
        if not isinstance(read, of_liquid.FilteredExpression):
            self.fault(pointer, FaultCode.LIQUID_SYNTAX, got=quoted(source), example=EXAMPLE)
            return None
        return read

    def _operand(self, read: object, pointer: str, scope: Scope, source: str) -> Operand | None:
        match read:
            case of_liquid.Path():
                return self._known(read, pointer, scope)
            case of_liquid.Nil():
                return Constant(None)
            case primitive.TrueLiteral() | primitive.FalseLiteral():
                return Constant(bool(read.value))
            case of_liquid.StringLiteral():
                return Constant(str(read.value))
            case primitive.IntegerLiteral() | primitive.FloatLiteral():
                return Constant(read.value)
            case _:  # a range, `empty`, `blank`
                self.fault(pointer, FaultCode.LIQUID_SYNTAX, got=quoted(source), example=EXAMPLE)
                return None

    def _known(self, read: of_liquid.Path, pointer: str, scope: Scope) -> Path | None:
        """The path, if what it names can exist."""
        head, *rest = read.path
        shape = scope.get(head) if isinstance(head, str) else None
        if shape is None:
            self._unknown_name(str(head), "", tuple(scope), pointer)
            return None
        before, segments, is_local = str(head), [head], False
        for segment in rest:
            if isinstance(segment, of_liquid.Path):
                self.fault(pointer, FaultCode.LIQUID_SYNTAX, got=quoted(str(read)), example=EXAMPLE)
                return None
            further = shapes.step(shape, segment)
            if isinstance(further, Unknown):
                self._unknown_name(further.name, f"{before}.", further.known, pointer)
                return None
            if shape is shapes.MESSAGE and segment == shapes.LOCAL_TIME:
                segment, is_local = shapes.TIMESTAMP, True
            shape = further
            before += f"[{segment}]" if isinstance(segment, int) else f".{segment}"
            segments.append(segment)
        return Path(tuple(each for each in segments if isinstance(each, str | int)), is_local)

    def _unknown_name(self, name: str, before: str, known: tuple[str, ...], pointer: str) -> None:
        listed = ", ".join(f"{before}{each}" for each in known) or before.rstrip(".")
        got = quoted(before + name)
        near = near_name(name, list(known))
        if near is None:
            self.fault(pointer, FaultCode.UNKNOWN_NAME, got=got, known=listed)
        else:
            self.fault(pointer, FaultCode.MISSPELT_NAME, got=got, near=before + near, known=listed)

    def _filter(
        self,
        call: of_liquid.Filter,
        shape: Shape | None,
        pointer: str,
        scope: Scope,
        source: str,
    ) -> tuple[FilterCall, Shape | None] | None:
        """The call, and what kind of value it gives."""
        by_name = any(isinstance(each, of_liquid.KeywordArgument) for each in call.args)
        trouble = calls.trouble_of_call(call.name, len(call.args), by_name=by_name)
        if trouble is None:
            read = [self._operand(each.value, pointer, scope, source) for each in call.args]
            arguments = tuple(each for each in read if each is not None)
            if len(arguments) < len(read):
                return None
            kinds = [self.shape_of(each, scope) for each in arguments]
            search = len(self.faults) < MEANT_MAX
            trouble = calls.trouble_of_values(call.name, shape, arguments, kinds, search=search)
            if trouble is None:
                return FilterCall(call.name, arguments), calls.given(call.name, shape)
        self.fault(pointer, trouble.code, **trouble.values)
        return None
