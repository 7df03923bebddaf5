"""The input of `hookbundle send`, in batches: one JSON object, an array, or NDJSON.

A file is read in full batches. From a live pipe, what has come is sent after a moment, so that a
message does not wait for 499 others. Each message keeps its place in the input, because a fault is
of no use without it.
"""

import os
import re
import select
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from hookbundle.commands.terminal.failures import USAGE, CommandFailure, invalid_input
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode
from hookbundle.engine.messages import malformed, slices
from hookbundle.engine.messages.malformed import BYTE_ORDER_MARK, NOT_READ

BATCH_BYTES = 256 * 1024
BATCH_MESSAGES = 500
MOMENT_S = 0.2  # how long the first message of a batch waits for others
READ_BYTES = 256 * 1024

IN_LINE = re.compile(r"line (\d+)\.?(.*)", re.DOTALL)
IN_ARRAY = re.compile(r"\[(\d+)\]\.?(.*)", re.DOTALL)
AT_BYTE = re.compile(r" \(byte (\d+)\)")
BROKEN_TEXTS = (FaultCode.HALF_A_PAIR, FaultCode.NOT_UTF8)


@dataclass(frozen=True, slots=True)
class Batch:
    """`unit`: what the places count, a `line` or a `message`; empty if there is only one."""

    unit: str
    places: list[int]
    body: bytes

    @property
    def name(self) -> str:
        first, last = self.places[0], self.places[-1]
        if not self.unit:
            return "the message"
        return f"{self.unit} {first}" if first == last else f"{self.unit}s {first} to {last}"

    def located(self, path: str, detail: str) -> str:
        """A fault that the daemon found in this batch, with its place in the input."""
        found = IN_LINE.fullmatch(path)  # of the batch, which has no empty lines
        if found is None or not 0 < int(found[1]) <= len(self.places):
            return f"{path or 'input'}: {detail}"
        place = f"{self.unit} {self.places[int(found[1]) - 1]}" if self.unit else ""
        return ": ".join(filter(None, (place, found[2], detail)))


class Lines:
    """The lines of a file or pipe. It waits for a pipe as long as it is asked to."""

    def __init__(self, file: BinaryIO) -> None:
        self.number = 0
        """The number of the line that was returned last."""
        self._fd = file.fileno()
        self._whole: deque[bytes] = deque()
        self._rest: list[bytes] = []
        self._ended = False

    def next(self, within_s: float | None = None) -> bytes:
        """The next line with its newline; empty at the end.

        Raises: TimeoutError if a pipe has no whole line in time.
        """
        until_s = None if within_s is None else self.now_s() + within_s
        while not self._whole and not self._ended:
            self._take(self._read(until_s))
        if not self._whole:
            return b""
        self.number += 1
        return self._whole.popleft()

    def now_s(self) -> float:
        return time.monotonic()

    def _take(self, data: bytes) -> None:
        self._ended = not data
        *whole, rest = data.split(b"\n")
        if self._ended and any(self._rest):
            whole = [b""]  # the last line has no newline, and gets one
        for line in whole:
            self._whole.append(b"".join([*self._rest, line, b"\n"]))
            self._rest = []
        self._rest.append(rest)

    def _read(self, until_s: float | None) -> bytes:
        left_s = None if until_s is None else max(until_s - self.now_s(), 0)
        # A regular file is always readable. By poll, which takes descriptors of any number.
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if not poll.poll(None if left_s is None else left_s * 1_000):
            raise TimeoutError
        return os.read(self._fd, READ_BYTES)


def batches(file: BinaryIO) -> Iterator[Batch]:
    """The input in batches of at most BATCH_MESSAGES and about BATCH_BYTES, as NDJSON.

    Raises: Failure if the input is empty or not JSON.
    """
    lines = Lines(file)
    first = lines.next().removeprefix(BYTE_ORDER_MARK)
    while first and not first.strip():
        first = lines.next()
    try:
        is_ndjson = not isinstance(msgspec.json.decode(first or b"[]"), list)
    except NOT_READ as exc:
        # A document over several lines breaks off at the end of its first. Anything else is a fault
        # of this line: the rest of the input, which may be a live pipe, is not waited for.
        if not first.lstrip().startswith(b"[") and "truncated" not in str(exc):
            raise _not_json(first, exc, lines.number) from exc
        is_ndjson = False
    if is_ndjson:
        yield from _of_lines(first, lines)
    else:
        yield from _of_document(_document(first, lines))


def _of_lines(first: bytes, lines: Lines) -> Iterator[Batch]:
    line = first
    while line:
        found, places, size = [line], [lines.number], len(line)
        until_s = lines.now_s() + MOMENT_S
        while len(found) < BATCH_MESSAGES:
            try:
                line = lines.next(max(until_s - lines.now_s(), 0))
            except TimeoutError:
                line = b"\n"
                break
            if not line or size + len(line) > BATCH_BYTES:
                break
            if line.strip():
                found.append(line)
                places.append(lines.number)
                size += len(line)
                line = b"\n"
        yield Batch("line", places, b"".join(found))
        while line and not line.strip():
            line = lines.next()


def _document(first: bytes, lines: Lines) -> Any:
    """The whole input, decoded. Raises: Failure."""
    number, parts = lines.number, [first]
    while line := lines.next():
        parts.append(line)
    body = b"".join(parts)
    if not body.strip():
        raise CommandFailure("the input is empty; give a message, an array or NDJSON", USAGE)
    try:
        return msgspec.json.decode(body)
    except NOT_READ as exc:
        raise _not_json(body, exc, number) from exc


def _of_document(document: Any) -> list[Batch]:
    if not isinstance(document, list):
        return [Batch("", [1], msgspec.json.encode(document) + b"\n")]
    made: list[Batch] = []
    found: list[bytes] = []
    size = start = 0
    for place, one in enumerate(document):
        line = msgspec.json.encode(one) + b"\n"
        if found and (size + len(line) > BATCH_BYTES or len(found) == BATCH_MESSAGES):
            made.append(Batch("message", list(range(start + 1, place + 1)), b"".join(found)))
            found, size, start = [], 0, place
        found.append(line)
        size += len(line)
    if found:
        made.append(Batch("message", list(range(start + 1, len(document) + 1)), b"".join(found)))
    return made


def _not_json(body: bytes, exc: Exception, first_line: int) -> CommandFailure:
    """The failure, with the place of the fault as far as it is known."""
    broken = _broken_texts(body, first_line)
    if broken:
        return CommandFailure(invalid_input(broken), USAGE)
    fault = malformed.reason_of(body, exc)
    at = AT_BYTE.search(str(exc))
    ends_early = fault.code == FaultCode.JSON_ENDS_EARLY
    before = body[: int(at[1])] if at else body if ends_early else b""
    line = first_line + before.rstrip(b"\n").count(b"\n")
    return CommandFailure(f"line {line} {AT_BYTE.sub('', fault.detail)}", USAGE)


def _broken_texts(body: bytes, first_line: int) -> list[str]:
    """The texts of the input that are none, if nothing else keeps it from being JSON."""
    try:
        for _ in slices.read(body, ndjson=False):
            pass
    except InvalidInput as exc:
        faults = [fault for fault in exc.faults if fault.code in BROKEN_TEXTS]
    else:
        return []
    lines, alone = [], "" if b"\n" in body.strip() else f"line {first_line}"
    for fault in faults:
        found = IN_ARRAY.fullmatch(fault.path)
        place = f"message {int(found[1]) + 1}" if found else alone
        path = found[2] if found else fault.path
        lines.append(": ".join(filter(None, (place, path, fault.detail))))
    return lines
