"""Whether a filter is known, and takes what a template gives it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hookbundle.engine import time_zones
from hookbundle.engine.errors import quoted
from hookbundle.engine.faults import FaultCode
from hookbundle.engine.formats import dates
from hookbundle.engine.formats.filters import FILTERS, SLACK, Kind
from hookbundle.engine.formats.nodes import Constant, Operand
from hookbundle.engine.formats.shapes import ListShape, Plain, RecordShape, Shape
from hookbundle.engine.near_names import near_name

OF_OBJECTS = frozenset({"json", "default", "size"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a call: the code of a fault, and what fills its sentence."""

    code: FaultCode
    values: dict[str, str | int] = field(default_factory=dict)


def trouble_of_call(name: str, count: int, *, by_name: bool) -> Trouble | None:
    """What is wrong with the filter's name, or how many arguments it gets, or that one is named."""
    kind = FILTERS.get(name)
    if kind is None:
        near, known = near_name(name, FILTERS), ", ".join(FILTERS)
        if near is None:
            return Trouble(FaultCode.UNKNOWN_FILTER, {"got": quoted(name), "known": known})
        values: dict[str, str | int] = {"got": quoted(name), "near": near, "known": known}
        return Trouble(FaultCode.MISSPELT_FILTER, values)
    if by_name or not kind.least <= count <= kind.most:
        values = {"filter": name, "takes": _takes(kind), "size": count}
        return Trouble(FaultCode.FILTER_ARGUMENTS, values)
    return None


def trouble_of_values(
    name: str,
    shape: Shape | None,
    arguments: Sequence[Operand],
    kinds: Sequence[Shape | None],
    *,
    search: bool,
) -> Trouble | None:
    """What is wrong with the value, of that shape, or with an argument; `kinds` are theirs.

    `search`: it is looked for which time zone was meant.
    """
    kind = FILTERS[name]
    is_list = isinstance(shape, ListShape)
    fits = (kind.of_lists or not is_list) and (is_list or not kind.only_lists)
    if not fits or (isinstance(shape, RecordShape) and name not in OF_OBJECTS):
        return Trouble(FaultCode.NOT_FOR_FILTER, {"filter": name})
    if not all(isinstance(each, Plain | None) for each in kinds):
        return Trouble(FaultCode.NOT_FOR_FILTER, {"filter": name})
    if name == "date":
        return _of_date(arguments, search=search)
    if name == "text" and arguments and arguments[0] != Constant(SLACK):
        return Trouble(FaultCode.FILTER_VALUE, {"filter": name, "takes": f'"{SLACK}"'})
    return None


def given(name: str, shape: Shape | None) -> Shape | None:
    """What kind of value the filter gives for one of that shape."""
    match FILTERS[name].gives, shape:
        case "item", ListShape(item):
            return item
        case "same", _:
            return shape
        case "number", _:
            return Plain.NUMBER
        case _:
            return Plain.TEXT


def _of_date(arguments: Sequence[Operand], *, search: bool) -> Trouble | None:
    """The form and the zone are written into the template, so that they can be checked."""
    match arguments:
        case [Constant(str() as form)]:
            return _of_form(form)
        case [Constant(str() as form), Constant(str() as zone)]:
            return _of_form(form) or _of_zone(zone, search=search)
        case _:
            takes = 'a form in quotes, as "%d.%m.%Y %H:%M"'
            return Trouble(FaultCode.FILTER_VALUE, {"filter": "date", "takes": takes})


def _of_form(form: str) -> Trouble | None:
    unknown = dates.unknown_directive(form)
    if unknown is None:
        return None
    known = " ".join(f"%{each}" for each in dates.DIRECTIVES)
    return Trouble(FaultCode.NO_DIRECTIVE, {"got": quoted(unknown), "known": known})


def _of_zone(name: str, *, search: bool) -> Trouble | None:
    if name in time_zones.known():
        return None
    fault = time_zones.fault_of("", name) if search else None
    if fault is None:
        return Trouble(FaultCode.NO_ZONE, {"got": quoted(name)})
    return Trouble(FaultCode(fault.code), dict(fault.values))


def _takes(kind: Kind) -> str:
    return str(kind.most) if kind.least == kind.most else f"{kind.least}-{kind.most}"
