"""What the bytes of a request are: JSON, or a form.

Whatever is JSON is an outcome in the end. What is none raises NotJson, and nothing else does.
"""

from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.fault_codes import FaultCode
from hookbundle.engine.messages.checking import collect_faults
from hookbundle.engine.messages.malformed import Broken, value_of

FORM_FIELDS_MAX = 1_000
# A structure costs a hundred times its bytes when it is decoded, in one go.
PARTS_MAX = 500_000
PARTS = (b"[", b"{", b",")
# JSON all the same, which can't be read here and will not get better: it has no known shape.
BEYOND_READING = (
    FaultCode.JSON_TOO_DEEP,
    FaultCode.NUMBER_TOO_LARGE,
    FaultCode.HALF_A_PAIR,  # in a body that is too long to be read a second time
)

S = TypeVar("S", bound=msgspec.Struct)


class NotJson(Exception):
    """`fault` says why, and where."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def json_of(body: bytes) -> Any:
    """The decoded body; None for JSON that is nested too deeply, has a number that is too large, or
    more than PARTS_MAX parts.

    Half an emoji and bytes that are not UTF-8 become `?`: nobody is there to send them again.

    Raises: NotJson.
    """
    if len(body) > PARTS_MAX and parts_of(body) > PARTS_MAX:
        return None
    value = value_of(body)
    match value:
        case Broken(mended, _):
            return mended
        case Fault():
            if value.code in BEYOND_READING:
                return None
            raise NotJson(value)
        case _:
            return value


def parts_of(body: bytes) -> int:
    """How many values a body has at most, without reading it."""
    return sum(map(body.count, PARTS))


def part(value: Any, kind: type[S], path: str) -> S:
    """A part of the body as its type, fields that are not known left out.

    Raises: InvalidInput with every fault, below `path`.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise InvalidInput.with_faults(collect_faults(value, kind, path)) from None


def form_fields(body: bytes) -> list[tuple[str, str]]:
    """Names and values, empty ones too; none if there are more than FORM_FIELDS_MAX.

    Bytes that are not UTF-8 become the replacement character.
    """
    if body.count(b"&") >= FORM_FIELDS_MAX:
        return []
    found: list[tuple[str, str]] = []
    for each in body.decode("utf-8", "replace").replace("+", " ").split("&"):
        if each:
            name, _, value = each.partition("=")
            if "%" in each:  # the standard library looks at what is plain as long as at the rest
                name, value = unquote(name), unquote(value)
            found.append((name, value))
    return found
