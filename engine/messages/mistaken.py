"""What a body is instead of what it is said to be: wrapped messages, NDJSON, a field given twice.

Of a field that an object has twice, decoders take the last, and say nothing.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hookbundle.engine.errors import Fault
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import malformed, spelling
from hookbundle.engine.messages.malformed import READ_AGAIN_BYTES, value_of

TWICE = object()  # the value of a field that an object has twice
FULL_LINE = re.compile(rb"[^\n]*[^ \t\r\n][^\n]*")


def wrapping(value: Any) -> str | None:
    """The field in which the messages are, if the value is an object around them or around one, as
    other programs' APIs want it."""
    if not isinstance(value, dict) or value.keys() & spelling.KNOWN[""]:
        return None
    return next((name for name, inner in value.items() if _may_be_messages(name, inner)), None)


def _may_be_messages(name: str, inner: Any) -> bool:
    if isinstance(inner, dict):
        return bool(inner.keys() & spelling.KNOWN[""]) or wrapping(inner) is not None
    if not isinstance(inner, list):
        return False
    return not inner or isinstance(inner[0], dict | list) or name.casefold() == "messages"


def unlike(body: bytes, *, ndjson: bool) -> Fault | None:
    """The fault of a body that is something else than it is said to be; None if it is none such."""
    begins = malformed.beginning(body)
    if begins is not None:
        return begins
    if not ndjson:
        return fault("", FaultCode.IS_NDJSON) if malformed.several_values(body) else None
    if body.lstrip()[:1] == b"[":
        return fault("", FaultCode.IS_NOT_NDJSON)
    lines = FULL_LINE.finditer(body)
    has_more = next(lines, None) is not None and next(lines, None) is not None
    if has_more and len(body) <= READ_AGAIN_BYTES and isinstance(value_of(body), dict):
        return fault("", FaultCode.IS_NOT_NDJSON)
    return None


def given_twice(body: bytes) -> Fault | None:
    """The first field of the body that an object has twice; None if there is none to be found."""
    if len(body) > malformed.READ_AGAIN_BYTES:
        return None

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            times = Counter(name for name, _ in pairs)
            made |= {name: TWICE for name, count in times.items() if count > 1}
        return made

    try:
        value = json.loads(body, object_pairs_hook=note)
    except malformed.NOT_READ_EITHER:
        return None
    at = next(_twice_in(value, ""), None)
    return None if at is None else fault(at, FaultCode.GIVEN_TWICE)


def _twice_in(value: Any, path: str, depth: int = 0) -> Iterator[str]:
    if value is TWICE:
        yield path
    elif depth > malformed.DEPTH_MAX:
        return
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _twice_in(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _twice_in(item, spelling.joined(path, name), depth + 1)
