"""A large request, read a slice at a time: what stands still for it stands still briefly.

Decoding eight megabytes at once holds the interpreter's lock throughout, and holds every message
twice. Here a slice is cut off, decoded and put among its chats before the next one is looked at;
nothing is decoded past the largest number of messages, or past the last fault that is listed.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import changes, malformed, mistaken, parsing
from hookbundle.engine.messages.changes import ChangesByChat
from hookbundle.engine.messages.malformed import BYTE_ORDER_MARK, NOT_READ, READ_AGAIN_BYTES
from hookbundle.engine.messages.message import PartsByChat, put
from hookbundle.engine.messages.places import From, InLines, Place, alone
from hookbundle.engine.messages.spelling import UnknownFields

SLICE_BYTES = 16 * 1024  # some 30 messages: a fifth of a millisecond
FAULTY_AT_ONCE = 16  # messages that are read again, field by field: a millisecond
# A slice is longer only if a single message is. Its text may have so many characters, all of them
# brackets; more than this is a structure, which costs a hundred times its bytes when decoded.
BULKY_BYTES = 128 * 1024
PARTS_MAX = 2 * limits.TEXT_CHARS_MAX
NEXT = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
PARTS = (b"[", b"{", b",")
# Where a message may end and the next one begin; whether it is so is seen when the slice is read.
BOUNDARY = re.compile(rb"}[ \t\r\n]*,[ \t\r\n]*(?={)")

_raw = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Read:
    """The messages of a request by chat, its changes, and its fields that are not known."""

    chats: PartsByChat
    unknown: UnknownFields
    changes: ChangesByChat


def read(body: bytes, *, ndjson: bool, strict: bool = False) -> Generator[None, None, Read]:
    """Yields after each slice; returns the messages by chat.

    Raises: InvalidInput with the faults of all messages.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    done, faults, count = Read({}, UnknownFields(), {}), list[Fault](), 0
    form = parsing.LINES if ndjson else parsing.ARRAY
    for piece, place in _of_lines(body) if ndjson else _of_items(body):
        if isinstance(place, From):
            place.first = count
        if len(piece) > BULKY_BYTES and sum(map(piece.count, PARTS)) > PARTS_MAX:
            faults.append(fault(place(0), FaultCode.TOO_MANY_PARTS, most=PARTS_MAX))
            break
        try:
            events = list(parsing.events_in(form, piece, done.unknown, strict=strict))
        except NOT_READ:
            try:
                mixed = parsing.mixed_in(form, piece, done.unknown, strict=strict)
            except NOT_READ:
                other = None if count else mistaken.unlike(body, ndjson=ndjson)
                if other is not None:
                    raise InvalidInput((other,)) from None
                parts = form.parts(piece)
                found = yield from _listed(parts, place, strict=strict)
                faults += found or parsing.unexplained(piece, parts, place).faults
                count += len(parts)
            else:
                faults += changes.put(done.chats, done.changes, mixed, place)
                count += len(mixed)
        else:
            faults += put(done.chats, events, place)
            count += len(events)
        if count > limits.REQUEST_MESSAGES_MAX:
            raise InvalidInput((parsing.too_many(),))
        if len(faults) > limits.FAULTS_LISTED_MAX:
            break
        yield
    if faults:
        raise InvalidInput.with_faults(faults)
    return done


def _of_items(body: bytes) -> Iterator[tuple[bytes, Place]]:
    """Arrays of some of the body's messages each, in order; the last one may be no JSON.

    Raises: InvalidInput if the body is no JSON, and it can't be said which message is not.
    """
    failure: Exception | None = None
    try:
        _raw.decode(body)
    except NOT_READ as exc:
        failure = exc
    if body.lstrip()[:1] != b"[":
        if failure is not None:
            other = mistaken.unlike(body, ndjson=False)
            reason = other or malformed.reason_of(body, failure)
            if other is not None or not _is_readable(body):
                raise InvalidInput((reason,))
        yield b"[%b]" % body, alone
        return
    if failure is not None:
        yield from _of_broken(body, failure)
        return
    at, end = body.index(b"[") + 1, body.rindex(b"]")
    size, view, place = SLICE_BYTES, memoryview(body), From(0)
    while at < end:
        found = BOUNDARY.search(body, at + size, end)
        piece = b"".join((b"[", view[at : found.start() + 1 if found else end], b"]"))
        if found and not _is_json(piece):
            size *= 2  # that was within a message
            continue
        yield piece, place
        at, size = found.end() if found else end, SLICE_BYTES


def _of_broken(body: bytes, failure: Exception) -> Iterator[tuple[bytes, Place]]:
    """As `_of_items`, of an array in which something is no JSON: up to that, or all if only texts
    are broken.

    Raises: InvalidInput if it can't be said which message is none.
    """
    at, place, is_explained = body.index(b"[") + 1, From(0), False
    while True:
        part = b"[" + body[at : at + BULKY_BYTES]
        is_end = at + BULKY_BYTES >= len(body)
        found = malformed.whole_items(part)
        is_cut_off = not is_end and _ends_early(found.fault)
        if found.fault is not None and not is_cut_off:
            yield part, place
            return
        is_explained |= any(isinstance(item, malformed.Broken) for item in found.items)
        if found.items:
            yield part[: found.size] + b"]", place
        if not is_cut_off or not found.items:
            break
        at += found.size - 1
        following = NEXT.match(body, at)
        at = following.end() if following else at
    if not is_explained or is_cut_off:
        raise InvalidInput((malformed.reason_of(body, failure),))


def _ends_early(fault: Fault | None) -> bool:
    return fault is not None and fault.code == FaultCode.JSON_ENDS_EARLY


def _is_readable(body: bytes) -> bool:
    """Whether the body is JSON but for texts in it that are none."""
    return len(body) <= READ_AGAIN_BYTES and not isinstance(malformed.value_of(body), Fault)


def _of_lines(body: bytes) -> Iterator[tuple[bytes, Place]]:
    """Some of the body's lines each, in order."""
    at, line = 0, 1
    while at < len(body):
        end = body.find(b"\n", at + SLICE_BYTES)
        end = len(body) if end < 0 else end
        piece = body[at:end]
        yield piece, InLines(piece, line)
        at, line = end + 1, line + piece.count(b"\n") + 1


def _listed(parts: list[Any], place: Place, *, strict: bool) -> Generator[None, None, list[Fault]]:
    """The faults of a slice's messages, as many as are listed and one more.

    It yields now and then: to find a fault takes a hundred times as long as to decode a message.
    """
    found: list[Fault] = []
    for at in range(0, len(parts), FAULTY_AT_ONCE):
        some = parts[at : at + FAULTY_AT_ONCE]
        for each in parsing.faults_of(some, place, at, strict=strict):
            found.append(each)
            if len(found) > limits.FAULTS_LISTED_MAX:
                return found
        yield
    return found


def _is_json(piece: bytes) -> bool:
    try:
        _raw.decode(piece)
    except NOT_READ:
        return False
    return True
