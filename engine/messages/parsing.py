"""Decodes the body of a request to events, or to all its faults, each with its path.

Valid input is decoded and checked in one pass by msgspec, which refuses fields that are not known.
Only what fails is read again: with such fields, which are named in the answer, or with faults,
which are then found field by field.

A path begins with the place of its message: `[3].` in an array, `line 4.` in NDJSON, and with
nothing where there is only one message.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import changes, malformed, mistaken, spelling
from hookbundle.engine.messages.changes import AnyEvent
from hookbundle.engine.messages.checking import collect_faults
from hookbundle.engine.messages.malformed import (
    BYTE_ORDER_MARK,
    NOT_READ,
    READ_AGAIN_BYTES,
    Broken,
    value_of,
)
from hookbundle.engine.messages.message import Event
from hookbundle.engine.messages.places import InLines, Place, alone, in_array
from hookbundle.engine.messages.spelling import UnknownFields
from hookbundle.engine.messages.strict import StrictEvent

S = TypeVar("S", bound=msgspec.Struct)

_strict_one = msgspec.json.Decoder(StrictEvent)
_strict_many = msgspec.json.Decoder(list[StrictEvent])
_one = msgspec.json.Decoder(Event)
_many = msgspec.json.Decoder(list[Event])
_raws = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Form:
    """How messages stand in a body. `parts`: each by itself, as bytes or as it could be read."""

    strict: Callable[[bytes], Iterable[Event]]
    tolerant: Callable[[bytes], Iterable[Event]]
    parts: Callable[[bytes], list[Any]]


class Parsed(msgspec.Struct, frozen=True):
    """The events of a request, where each stands in it, and its fields that are not known.

    `mixed`: instead of `events`, if there are changes among them. A msgspec Struct because one is
    made for every request.
    """

    events: Sequence[Event]
    place: Place
    unknown: UnknownFields
    mixed: Sequence[AnyEvent] = ()


NONE_UNKNOWN = UnknownFields()  # of nearly all requests; nothing is added to it


def parse_json(body: bytes, *, strict: bool = False) -> Parsed:
    """The events of a JSON body: one object, or an array of them.

    With `strict` an unknown field is a fault. Raises: InvalidInput.
    """
    if body[:1] == b"{":  # as nearly all begin; what is wrong with one is found below
        try:
            return Parsed((_strict_one.decode(body),), alone, NONE_UNKNOWN)
        except NOT_READ:
            return _refused_once(body, strict=strict)
    body = body.removeprefix(BYTE_ORDER_MARK)  # which editors of Windows write
    if body.lstrip()[:1] == b"[":
        return _parsed(ARRAY, body, in_array, strict=strict)
    return _parsed(ONE, body, alone, strict=strict)


def parse_ndjson(body: bytes, *, strict: bool = False) -> Parsed:
    """The events of an NDJSON body, one a line; empty lines are skipped.

    With `strict` an unknown field is a fault. Raises: InvalidInput.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    return _parsed(LINES, body, InLines(body), strict=strict)


def parse_as(body: bytes, kind: type[S]) -> S:
    """The JSON body as a `kind`.

    Raises: InvalidInput with every fault.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except NOT_READ:
        value = value_of(body.removeprefix(BYTE_ORDER_MARK))
        refusal = InvalidInput.with_faults(_faults_as(value, kind))
        if not refusal.faults and body.startswith(BYTE_ORDER_MARK):
            return parse_as(body[len(BYTE_ORDER_MARK) :], kind)
        raise (refusal if refusal.faults else InvalidInput((_unexplained(body),))) from None


def _faults_as(value: Any, kind: type[msgspec.Struct]) -> Iterator[Fault]:
    if isinstance(value, Fault):
        yield value
        return
    if isinstance(value, Broken):
        yield from value.faults
        value = value.value
    yield from collect_faults(value, kind, "")


def events_in(form: Form, body: bytes, unknown: UnknownFields, *, strict: bool) -> Iterable[Event]:
    """The events of a body; fields that are not known are added to `unknown`.

    Raises: one of NOT_READ if it has a fault, or with `strict` such a field.
    """
    if unknown.is_full and not strict and not changes.may_be_in(body):
        return form.tolerant(body)
    try:
        return form.strict(body)
    except NOT_READ:
        if strict or changes.may_be_in(body):
            raise
    return _tolerated(form, body, unknown)


def mixed_in(form: Form, body: bytes, unknown: UnknownFields, *, strict: bool) -> list[AnyEvent]:
    """The events of a body that could not be read as messages alone.

    Raises: one of NOT_READ if it has a fault, with `strict` also if a field of it is not known.
    """
    events: list[AnyEvent] = []
    for part in form.parts(body) if changes.may_be_in(body) else (None,):
        value = _value(part)
        kind = changes.kind_of(value)
        if not isinstance(part, (bytes, msgspec.Raw)) or kind is None:
            raise msgspec.ValidationError
        events.append(msgspec.json.decode(part, type=kind))
        if strict and any(spelling.unknown_in(value)):
            raise msgspec.ValidationError
        unknown.look(value)
    return events


def _tolerated(form: Form, body: bytes, unknown: UnknownFields) -> Iterable[Event]:
    events = form.tolerant(body)
    for part in form.parts(body):
        unknown.look(_value(part))
    return events


def faults_of(parts: Iterable[Any], place: Place, first: int, *, strict: bool) -> Iterator[Fault]:
    """The faults of a body's parts, each at its place; `first` is the number of the first part."""
    for index, part in enumerate(parts, first):
        value, where = _value(part), place(index)
        if isinstance(value, Fault):
            yield value.within(where)
            continue
        if isinstance(value, Broken):
            for broken in value.faults:
                yield broken.within(where)
            value = value.value
        around = mistaken.wrapping(value)
        if around is not None:
            yield fault(where, FaultCode.IS_WRAPPED, name=quoted(around))
            continue
        kind = changes.kind_of(value)
        if kind is None:
            yield changes.several(value, where)
            continue
        yield from collect_faults(value, kind, where)
        if isinstance(value, dict):
            for found in changes.rule_faults(value):
                yield found.within(where)
        if strict:
            yield from spelling.strict_faults(value, where)


def _refused_once(body: bytes, *, strict: bool) -> Parsed:
    """The one message that could not be decoded strictly: it may have fields that are not known,
    or be a change.

    Raises: InvalidInput.
    """
    unknown = UnknownFields()
    try:
        if changes.may_be_in(body):
            return Parsed((), alone, unknown, mixed_in(ONE, body, unknown, strict=strict))
        if not strict:
            return Parsed(list(_tolerated(ONE, body, unknown)), alone, unknown)
    except NOT_READ:
        pass
    raise _refusal(ONE, body, alone, strict=strict) from None


def _refusal(form: Form, body: bytes, place: Place, *, strict: bool) -> InvalidInput:
    other = mistaken.unlike(body, ndjson=form is LINES)
    if other is not None:
        return InvalidInput((other,))
    parts = form.parts(body)
    refusal = InvalidInput.with_faults(faults_of(parts, place, 0, strict=strict))
    return refusal if refusal.faults else unexplained(body, parts, place)


def _parsed(form: Form, body: bytes, place: Place, *, strict: bool) -> Parsed:
    unknown = UnknownFields()
    events: Sequence[Event] = ()
    mixed: Sequence[AnyEvent] = ()
    try:
        events = list(events_in(form, body, unknown, strict=strict))
    except NOT_READ:
        try:
            mixed = mixed_in(form, body, unknown, strict=strict)
        except NOT_READ:
            raise _refusal(form, body, place, strict=strict) from None
    if len(events) + len(mixed) > limits.REQUEST_MESSAGES_MAX:
        raise InvalidInput((too_many(),))
    return Parsed(events, place, unknown, mixed)


def too_many() -> Fault:
    return fault("", FaultCode.TOO_MANY_MESSAGES, most=limits.REQUEST_MESSAGES_MAX)


def unexplained(body: bytes, parts: Iterable[Any], place: Place) -> InvalidInput:
    """What msgspec refuses though no part of it has a fault.

    Of two fields with one name a decoded value holds only the last; the fault was in the other.
    """
    for index, part in enumerate(parts):
        if isinstance(part, (bytes, msgspec.Raw)):
            twice = mistaken.given_twice(bytes(part))
            if twice is not None:
                return InvalidInput((twice.within(place(index)),))
    return InvalidInput((_unexplained(body),))


def _unexplained(body: bytes) -> Fault:
    value = value_of(body)
    if isinstance(value, Fault):
        return value
    twice = mistaken.given_twice(body)
    return twice or fault("", FaultCode.INVALID, detail="is not as it must be")


def _value(part: Any) -> Any:
    return value_of(part) if isinstance(part, (bytes, msgspec.Raw)) else part


def _items(body: bytes) -> list[Any]:
    try:
        return list(_raws.decode(body))
    except NOT_READ:
        return malformed.items_of(body) if len(body) <= READ_AGAIN_BYTES else [value_of(body)]


ONE = Form(
    lambda body: (_strict_one.decode(body),),
    lambda body: (_one.decode(body),),
    lambda body: [body],
)
ARRAY = Form(_strict_many.decode, _many.decode, _items)
LINES = Form(
    _strict_one.decode_lines,
    _one.decode_lines,
    lambda body: list(filter(bytes.strip, body.split(b"\n"))),
)
