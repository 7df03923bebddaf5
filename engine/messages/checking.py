"""Finds every fault of a decoded value, each with its path and in plain words.

msgspec says whether a value is as its type demands, and stops at the first fault; which one it is,
and the words for it, are found here. Only invalid input comes here.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault, given, in_brief, not_one_of
from hookbundle.engine.messages import spelling

# In the `extra` of an annotation: makes the fault of a value of another kind, from its path and the
# value in brief. For a text in a form that has to be said: that it must be text helps nobody.
OF_ANOTHER_KIND = "of_another_kind"


def collect_faults(value: Any, kind: Any, path: str) -> Iterator[Fault]:
    """Every fault of `value` as a `kind` (a msgspec Struct, or any type msgspec can convert to)."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        for found in _fault_of(value, kind, path):
            inside = _faults_inside(value, kind, path)
            yield next(inside, found)
            yield from inside
        return
    if _is_valid(value, kind):  # as most parts of a faulty message are; field by field costs more
        return
    if not isinstance(value, dict):
        yield fault(path, FaultCode.NOT_AN_OBJECT, given=given(value))
        return
    fields = _fields_of(kind)
    if kind.__struct_config__.forbid_unknown_fields:
        yield from spelling.unknown_faults(value, tuple(one.encode_name for one in fields), path)
    for field in fields:
        at = f"{path}.{field.encode_name}".lstrip(".")
        if field.encode_name in value:
            yield from collect_faults(value[field.encode_name], field.type, at)
        elif field.required:
            yield fault(at, FaultCode.MISSING)


@cache
def _fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The struct's fields; msgspec evaluates all annotations anew at each call."""
    return msgspec.structs.fields(kind)


@cache
def _info_of(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


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
        if container and isinstance(value, list if container is tuple else container):
            yield from _fault_of(value, Annotated[container, *bounds], path)
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            if isinstance(each, type) and issubclass(each, msgspec.Struct):
                if isinstance(value, dict):  # else it is another of the union's types that is meant
                    yield from collect_faults(value, each, path)
            else:
                yield from _faults_inside(value, each, path)
    elif get_origin(kind) in (list, tuple) and isinstance(value, list):
        item_kind = get_args(kind)[0]
        for index, item in enumerate(islice(value, limits.FAULTS_LISTED_MAX)):
            yield from collect_faults(item, item_kind, f"{path}[{index}]")
    elif get_origin(kind) is dict and isinstance(value, dict):
        key_kind, item_kind = get_args(kind)
        for key, item in islice(value.items(), limits.FAULTS_LISTED_MAX):
            # A malformed key may be long, or hold control characters: it is no part of a path.
            if _fault_of(key, key_kind, path):
                most = limits.REF_KEY_CHARS_MAX
                yield fault(path, FaultCode.BAD_KEY, key=quoted(key), most=most)
            else:
                yield from collect_faults(item, item_kind, f"{path}.{key}")


def _fault_of(value: Any, kind: Any, path: str) -> list[Fault]:
    """The fault of the value itself, or nothing if msgspec takes it."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return [_in_words(value, _info_of(kind), path)]
    return []


def _in_words(value: Any, info: inspect.Type, path: str) -> Fault:
    """What is wrong with a value that is not as `info` says."""
    match info:
        case inspect.Metadata(type=inner, extra=extra):
            if extra and OF_ANOTHER_KIND in extra and not _is_kind(value, inner):
                told: Fault = extra[OF_ANOTHER_KIND](path, in_brief(value))
                return told
            return _in_words(value, inner, path)
        case inspect.UnionType(types=types):
            options = [one for one in types if not isinstance(one, inspect.NoneType)]
            fitting = [one for one in options if _is_kind(value, one)]
            if fitting or len(options) == 1:
                return _in_words(value, (fitting or options)[0], path)
            return fault(path, FaultCode.NOT_TEXT_OR_NUMBER, given=given(value))
        case inspect.LiteralType(values=allowed):
            return not_one_of(path, allowed, value)
        case inspect.EnumType(cls=members):
            return not_one_of(path, [member.value for member in members], value)
    if not _is_kind(value, info):
        return fault(path, NOT_OF_KIND.get(type(info), FaultCode.NOT_AN_OBJECT), given=given(value))
    return _past_a_bound(value, info, path)


def _past_a_bound(value: Any, info: inspect.Type, path: str) -> Fault:
    bound = {name: getattr(info, name, None) for name in BOUNDS}
    if isinstance(value, (str, list, dict)):
        size, least, most = len(value), bound["min_length"], bound["max_length"]
        if least is not None and size < least:
            if size == 0:
                return fault(path, FaultCode.EMPTY)
            return fault(path, FaultCode.TOO_SHORT, least=least, size=size)
        if most is not None and size > most:
            is_text = isinstance(value, str)
            code = FaultCode.TOO_LONG if is_text else FaultCode.TOO_MANY_ENTRIES
            return fault(path, code, most=most, size=size)
        if isinstance(value, str):
            return fault(path, FaultCode.NOT_IN_FORM, value=in_brief(value))
    elif isinstance(value, (int, float)):
        least, most = bound["ge"], bound["le"]
        if least is not None and value < least:
            return fault(path, FaultCode.TOO_SMALL, least=least, value=in_brief(value))
        if most is not None and value > most:
            return fault(path, FaultCode.TOO_LARGE, most=most, value=in_brief(value))
        return fault(path, FaultCode.NUMBER_TOO_LARGE)
    return fault(path, FaultCode.INVALID, detail="is not taken here")


BOUNDS = ("min_length", "max_length", "ge", "le")
NOT_OF_KIND: dict[type[inspect.Type], FaultCode] = {
    inspect.StrType: FaultCode.NOT_TEXT,
    inspect.BoolType: FaultCode.NOT_TRUE_OR_FALSE,
    inspect.IntType: FaultCode.NOT_A_WHOLE_NUMBER,
    inspect.FloatType: FaultCode.NOT_A_NUMBER,
    inspect.ListType: FaultCode.NOT_AN_ARRAY,
    inspect.VarTupleType: FaultCode.NOT_AN_ARRAY,
}


def _is_kind(value: Any, info: inspect.Type) -> bool:
    """Whether the value is of the kind that `info` bounds further."""
    match info:
        case inspect.Metadata(type=inner):
            return _is_kind(value, inner)
        case inspect.StrType() | inspect.LiteralType() | inspect.EnumType():
            return isinstance(value, str)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case inspect.ListType() | inspect.VarTupleType():
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)
