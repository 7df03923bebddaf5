"""Finds a field that an object has twice: of two, decoders take the last, and say nothing."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hookbundle.engine.errors import Fault
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import malformed, spelling

TWICE = object()  # the value of a field that an object has twice


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
