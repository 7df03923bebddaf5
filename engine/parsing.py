"""From the bytes of a request to events, or to every fault in them with its path.

Valid input is decoded and checked in one pass by msgspec. That pass stops at the first fault, so
only input already known to be invalid is walked a second time, field by field, to name them all.
"""

from collections.abc import Iterator
from typing import Any, TypeVar, get_origin

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.message import Event

FAULTS_MAX = 100

S = TypeVar("S", bound=msgspec.Struct)

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
    except msgspec.ValidationError:
        value = msgspec.json.decode(body)
        raise _invalid(value if isinstance(value, list) else [value]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise InvalidInput((Fault("", f"is not JSON: {exc}"),)) from None


def parse_ndjson(body: bytes) -> list[Event]:
    """The events of an NDJSON body, one a line; empty lines are let pass.

    Raises: InvalidInput.
    """
    try:
        return _limited(_one.decode_lines(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _invalid(_lines(body)) from None


def parse_as(body: bytes, kind: type[S]) -> S:
    """The JSON body as a `kind`.

    Raises: InvalidInput with every fault.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as exc:
        faults = tuple(collect_faults(msgspec.json.decode(body), kind, ""))
        raise InvalidInput(faults or (Fault("", str(exc)),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise InvalidInput((Fault("", f"is not JSON: {exc}"),)) from None


def collect_faults(value: Any, kind: Any, path: str) -> Iterator[Fault]:
    """Every fault of `value` as a `kind` (a msgspec Struct, or any type msgspec can convert to)."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as exc:
            detail, _, inner = str(exc).partition(" - at `$")
            yield Fault(path + inner.rstrip("`"), detail)
        return
    if not isinstance(value, dict):
        yield Fault(path, f"Expected `object`, got `{_json_name(value)}`")
        return
    fields = msgspec.structs.fields(kind)
    if kind.__struct_config__.forbid_unknown_fields:
        for name in value.keys() - {field.encode_name for field in fields}:
            yield Fault(f"{path}.{name}".lstrip("."), "is no setting; is it misspelled?")
    for field in fields:
        at = f"{path}.{field.encode_name}".lstrip(".")
        if field.encode_name in value:
            yield from collect_faults(value[field.encode_name], field.type, at)
        elif field.required:
            yield Fault(at, "is missing")


def _limited(events: list[Event]) -> list[Event]:
    if len(events) > limits.REQUEST_MESSAGES_MAX:
        detail = f"has {len(events)} messages; send at most {limits.REQUEST_MESSAGES_MAX} at once"
        raise InvalidInput((Fault("", detail),))
    return events


def _invalid(values: list[Any]) -> InvalidInput:
    faults: list[Fault] = []
    for index, value in enumerate(values):
        found = [value] if isinstance(value, Fault) else collect_faults(value, Event, f"[{index}]")
        faults.extend(found)
        if len(faults) > FAULTS_MAX:
            faults[FAULTS_MAX:] = [Fault("", "has more faults than are listed")]
            break
    return InvalidInput(tuple(faults))


def _lines(body: bytes) -> list[Any]:
    """Each line decoded; in the place of one that is not JSON, the fault that says so."""
    values: list[Any] = []
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        try:
            values.append(msgspec.json.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            values.append(Fault(f"[{len(values)}]", f"is not JSON: {exc}"))
    return values


def _json_name(value: Any) -> str:
    names = {list: "array", str: "str", bool: "bool", int: "int", float: "float"}
    return "null" if value is None else names.get(get_origin(type(value)) or type(value), "?")
