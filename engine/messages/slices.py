"""A large request, read a slice at a time: what stands still for it stands still briefly.

Decoding eight megabytes at once holds the interpreter's lock throughout, and holds every message
twice. Here a slice is cut off, decoded and put among its chats before the next one is looked at;
nothing is decoded past the largest number of messages, or past the last fault that is listed.
"""

import re
from collections.abc import Generator, Iterator
from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.messages.message import Event, PartsByChat, put
from hookbundle.engine.messages.parsing import NOT_READ, fault_in, faults_of, value_of

SLICE_BYTES = 64 * 1024
FAULTY_AT_ONCE = 16  # messages that are read again, field by field: a millisecond
# A slice is longer only if a single message is. Such a one is read once, so that its first fault is
# the only one that is listed. Its text may have so many characters, all of them brackets; more
# than this is a structure, which costs a hundred times its bytes when decoded.
BULKY_BYTES = 2 * SLICE_BYTES
PARTS_MAX = 2 * limits.TEXT_CHARS_MAX
PARTS = (b"[", b"{", b",")
# Where a message may end and the next one begin; whether it is so is seen when the slice is read.
BOUNDARY = re.compile(rb"}[ \t\r\n]*,[ \t\r\n]*(?={)")
NUMBER = re.compile(r"\[(\d+)\](.*)", re.DOTALL)

_raw = msgspec.json.Decoder(msgspec.Raw)
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_lines = msgspec.json.Decoder(Event)
_items = msgspec.json.Decoder(list[Event])


def read(body: bytes, *, ndjson: bool) -> Generator[None, None, PartsByChat]:
    """Yields after each slice; returns the messages by chat.

    Raises: InvalidInput with the faults of all messages.
    """
    chats: PartsByChat = {}
    faults: list[Fault] = []
    count = 0
    for piece in _of_lines(body) if ndjson else _of_items(body):
        if len(piece) > BULKY_BYTES and sum(map(piece.count, PARTS)) > PARTS_MAX:
            faults.append(Fault(f"[{count}]", f"has more than {PARTS_MAX} brackets and commas"))
            break
        try:
            events = _lines.decode_lines(piece) if ndjson else _items.decode(piece)
        except NOT_READ as exc:
            if len(piece) > BULKY_BYTES:
                faults.append(_at(fault_in(exc, ""), count))
                break
            values = (
                list(filter(bytes.strip, piece.split(b"\n"))) if ndjson else _raws.decode(piece)
            )
            found = yield from _listed(values, count)
            found = found or [_at(fault_in(exc, ""), count)]
            faults += found
            count += len(values)
        else:
            found = put(chats, events, count)
            faults += found
            count += len(events)
        if count > limits.REQUEST_MESSAGES_MAX:
            most = limits.REQUEST_MESSAGES_MAX
            raise InvalidInput(
                (Fault("", f"has more than {most} messages; send at most {most} at once"),)
            )
        if len(faults) > limits.FAULTS_LISTED_MAX:
            break
        yield
    if faults:
        raise InvalidInput.with_faults(faults)
    return chats


def _of_items(body: bytes) -> Iterator[bytes]:
    """Arrays of some of the body's messages each, in order.

    Raises: InvalidInput if the body is no JSON.
    """
    try:
        _raw.decode(body)
    except NOT_READ as exc:
        raise InvalidInput((Fault("", f"is not JSON: {exc}"),)) from None
    if body.lstrip()[:1] != b"[":
        yield b"[%b]" % body
        return
    at, end = body.index(b"[") + 1, body.rindex(b"]")
    size, view = SLICE_BYTES, memoryview(body)
    while at < end:
        found = BOUNDARY.search(body, at + size, end)
        piece = b"".join((b"[", view[at : found.start() + 1 if found else end], b"]"))
        if found and not _is_json(piece):
            size *= 2  # that was within a message
            continue
        yield piece
        at, size = found.end() if found else end, SLICE_BYTES


def _of_lines(body: bytes) -> Iterator[bytes]:
    """Some of the body's lines each, in order."""
    at = 0
    while at < len(body):
        end = body.find(b"\n", at + SLICE_BYTES)
        end = len(body) if end < 0 else end
        yield body[at:end]
        at = end + 1


def _listed(values: list[Any], first: int) -> Generator[None, None, list[Fault]]:
    """The faults of a slice's messages, as many as are listed and one more.

    It yields now and then: to find a fault takes a hundred times as long as to decode a message.
    """
    found: list[Fault] = []
    for at in range(0, len(values), FAULTY_AT_ONCE):
        for fault in faults_of(map(value_of, values[at : at + FAULTY_AT_ONCE]), first + at):
            found.append(fault)
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


def _at(fault: Fault, first: int) -> Fault:
    """The fault, whose path counts from the slice's first message, as the request counts."""
    match = NUMBER.fullmatch(fault.path)
    if match is None:
        return Fault(f"[{first}]{'.' if fault.path else ''}{fault.path}", fault.detail)
    return Fault(f"[{first + int(match[1])}]{match[2]}", fault.detail)
