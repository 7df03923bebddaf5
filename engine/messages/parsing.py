"""Decodes the body of a request to events, or to all its faults, each with its path.

Valid input is decoded and checked in one pass by msgspec. That pass stops at the first fault, so
only invalid input is read a second time, field by field, to find them all.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, unknown_name
from hookbundle.engine.messages.message import Event

S = TypeVar("S", bound=msgspec.Struct)

NOT_READ = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
KEY_CHARS_MAX = 64  # of a malformed key, in an error message

_one = msgspec.json.Decoder(Event)
_many = msgspec.json.Decoder(list[Event])


def parse_json(body: bytes) -> list[Event]:
    """The events of a JSON body: one object, or an array of them.

    Raises: InvalidInput.
    """
    try:
        if body.lstrip()[:1] == b"[":
            return _limited(_many.decode(body))
        return [_one.decode(body)]
    except NOT_READ as exc:
        value = value_of(body)
        if isinstance(value, Fault):
            raise InvalidInput((value,)) from None
        raise invalid(value if isinstance(value, list) else [value], exc) from None


def parse_ndjson(body: bytes) -> list[Event]:
    """The events of an NDJSON body, one a line; empty lines are skipped.

    Raises: InvalidInput.
    """
    try:
        return _limited(_one.decode_lines(body))
    except NOT_READ as exc:
        lines = filter(bytes.strip, body.split(b"\n"))
        raise invalid(map(value_of, lines), exc) from None


def parse_as(body: bytes, kind: type[S]) -> S:
    """The JSON body as a `kind`.

    Raises: InvalidInput with every fault.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except NOT_READ as exc:
        value = value_of(body)
        faults = (value,) if isinstance(value, Fault) else collect_faults(value, kind, "")
        refusal = InvalidInput.with_faults(faults)
        raise (refusal if refusal.faults else InvalidInput((fault_in(exc, ""),))) from None


def collect_faults(value: Any, kind: Any, path: str) -> Iterator[Fault]:
    """Every fault of `value` as a `kind` (a msgspec Struct, or any type msgspec can convert to)."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        for fault in _fault_of(value, kind, path):
            inside = _faults_inside(value, kind, path)
            yield next(inside, fault)
            yield from inside
        return
    if _is_valid(value, kind):  # as most parts of a faulty message are; field by field costs more
        return
    if not isinstance(value, dict):
        yield Fault(path, f"Expected `object`, got `{_json_name(value)}`")
        return
    fields = _fields_of(kind)
    if kind.__struct_config__.forbid_unknown_fields:
        known = [field.encode_name for field in fields]
        for name in sorted(value.keys() - set(known)):
            at = f"{path}.{name[:KEY_CHARS_MAX]}".lstrip(".")
            yield unknown_name(at, name, known, FaultCode.UNKNOWN_FIELD, FaultCode.MISSPELT_FIELD)
    for field in fields:
        at = f"{path}.{field.encode_name}".lstrip(".")
        if field.encode_name in value:
            yield from collect_faults(value[field.encode_name], field.type, at)
        elif field.required:
            yield Fault(at, "is missing")


@cache
def _fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The struct's fields; msgspec evaluates all annotations anew at each call."""
    return msgspec.structs.fields(kind)


def _is_valid(value: Any, kind: type[msgspec.Struct]) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _faults_inside(value: Any, kind: Any, path: str) -> Iterator[Fault]:
    """The faults of an array's items, or of an object's keys and values, as many as are listed."""
    if get_origin(kind) is Annotated:
        base, *bounds = get_args(kind)
        yield from _faults_inside(value, base, path)
        container = get_origin(base)
        if container and isinstance(value, container):
            yield from _fault_of(value, Annotated[container, *bounds], path)
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _faults_inside(value, each, path)
    elif get_origin(kind) is list and isinstance(value, list):
        (item_kind,) = get_args(kind)
        for index, item in enumerate(islice(value, limits.FAULTS_LISTED_MAX)):
            yield from collect_faults(item, item_kind, f"{path}[{index}]")
    elif get_origin(kind) is dict and isinstance(value, dict):
        key_kind, item_kind = get_args(kind)
        for key, item in islice(value.items(), limits.FAULTS_LISTED_MAX):
            wrong = _fault_of(key, key_kind, path)
            # A malformed key may be long, or hold control characters: it is no part of a path.
            shown = repr(key[:KEY_CHARS_MAX])
            yield from (Fault(path, f"the key {shown} {fault.detail}") for fault in wrong)
            if not wrong:
                yield from collect_faults(item, item_kind, f"{path}.{key}")


def _fault_of(value: Any, kind: Any, path: str) -> list[Fault]:
    """The first fault that msgspec finds, or nothing. A kind may say in words what it must be."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        metas = getattr(kind, "__metadata__", ())
        meaning = next((meta.description for meta in metas if meta.description), None)
        return [Fault(path, f"must be {meaning}") if meaning else fault_in(exc, path)]
    return []


def _limited(events: list[Event]) -> list[Event]:
    if len(events) > limits.REQUEST_MESSAGES_MAX:
        detail = f"has {len(events)} messages; send at most {limits.REQUEST_MESSAGES_MAX} at once"
        raise InvalidInput((Fault("", detail),))
    return events


def invalid(values: Iterable[Any], cause: Exception) -> InvalidInput:
    """Every fault of the values, of which no more is read than is listed.

    Of two fields with the same name, a decoded value holds only the last one. If the fault was in
    the other, the values have none, and the first pass's error is all that is known.
    """
    refusal = InvalidInput.with_faults(faults_of(values))
    return refusal if refusal.faults else InvalidInput((fault_in(cause, ""),))


def faults_of(values: Iterable[Any], first: int = 0) -> Iterator[Fault]:
    """The faults of the values, each with the value's number, of which the first is `first`."""
    for index, value in enumerate(values, first):
        if isinstance(value, Fault):
            yield Fault(f"[{index}]", value.detail)
        else:
            yield from collect_faults(value, Event, f"[{index}]")


def fault_in(exc: Exception, path: str) -> Fault:
    """The fault in msgspec's words; the path it names is appended to `path`."""
    detail, _, inner = str(exc).partition(" - at `$")
    return Fault((path + inner.rstrip("`")).lstrip("."), detail)


def value_of(body: bytes | msgspec.Raw) -> Any:
    """The body decoded, or the fault if it is not JSON or can't be decoded."""
    try:
        return msgspec.json.decode(body)
    except NOT_READ as exc:
        return Fault("", f"is not JSON: {exc}")


def _json_name(value: Any) -> str:
    names = {list: "array", str: "str", bool: "bool", int: "int", float: "float"}
    return "null" if value is None else names.get(get_origin(type(value)) or type(value), "?")
