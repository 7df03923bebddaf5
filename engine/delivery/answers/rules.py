"""Judges an answer by the rules of a webhook. Whatever bytes come, there is a verdict.

An answer is what a receiver sent, at most `limits.ANSWER_READ_BYTES_MAX` of it, so it costs less
than a millisecond. It is read as RFC 8259 has it: UTF-8, whose byte order mark is passed over; of
a name that is given twice the last value counts, as everywhere; NaN is not JSON.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from hookbundle.engine import limits
from hookbundle.engine.delivery.success import Rule, Scalar
from hookbundle.engine.error_codes import bounded

INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
IS_EMPTY = "it is empty"
IS_TOO_LONG = f"it is longer than {limits.ANSWER_READ_BYTES_MAX // 1024} KiB"
IS_CUT_OFF = "it did not come whole"
IS_NOT_JSON = "it is not JSON"
# Why an answer can't be judged.
UNREADABLE = (IS_EMPTY, IS_TOO_LONG, IS_CUT_OFF, IS_NOT_JSON)
KINDS = ("an object", "an array")  # what is said of a value that has no short form
MISSING: Final = object()
NO_JSON: Final = object()


@dataclass(frozen=True, slots=True)
class Unmet:
    """The first rule that is not met, and the value at its pointer; or that there is no JSON.

    `unreadable`: why, if it could not be judged; the rest is empty then. `found`: MISSING if there
    is none.
    """

    unreadable: str = ""
    rule: Rule | None = None
    found: Any = MISSING

    def words(self, hidden: Callable[[str], str]) -> str:
        """In English, bounded. `hidden` takes secrets out of what the receiver wrote."""
        if self.rule is None:
            return self.unreadable
        at = shown_pointer(self.rule.pointer)
        if self.found is MISSING:
            return f"{at} is missing"
        found = _shown(self.found, hidden)
        if self.rule.test == "absent":
            return f"{at} is there: {found}"
        return f"{at} is {found}, not {_shown(self.rule.value, str)}"


def unmet(rules: tuple[Rule, ...], body: bytes, *, is_complete: bool) -> Unmet | None:
    """The first rule that the answer does not meet; None if it meets all.

    `body`: all that was read of it; `is_complete`: it ended there.
    """
    if not is_complete:
        is_long = len(body) >= limits.ANSWER_READ_BYTES_MAX
        return Unmet(IS_TOO_LONG if is_long else IS_CUT_OFF)
    if not body:
        return Unmet(IS_EMPTY)
    document = read(body)
    if document is NO_JSON:
        return Unmet(IS_NOT_JSON)
    for rule in rules:
        found = value_at(document, rule.tokens)
        if not _is_met(rule, found):
            return Unmet(rule=rule, found=found)
    return None


def read(body: bytes) -> Any:
    """The JSON value; NO_JSON if it is none that can be read."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):  # a number of 5,000 digits is a ValueError as well
        return NO_JSON


def value_at(document: Any, tokens: tuple[str, ...]) -> Any:
    """The value at a JSON pointer (RFC 6901); MISSING if there is none."""
    for token in tokens:
        if isinstance(document, dict) and token in document:
            document = document[token]
        elif isinstance(document, list) and _is_index(token, len(document)):
            document = document[int(token)]
        else:
            return MISSING
    return document


def shown_pointer(pointer: str) -> str:
    return bounded(pointer) if pointer else '""'


def is_equal(found: Any, wanted: Scalar) -> bool:
    """As JSON values: 1 is 1.0, but neither is true, which it is in Python."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, int | float) and isinstance(wanted, int | float):
        return found == wanted
    return type(found) is type(wanted) and bool(found == wanted)


def _is_met(rule: Rule, found: Any) -> bool:
    if rule.test == "absent":
        return found is MISSING
    if rule.test == "exists":
        return found is not MISSING
    return found is not MISSING and is_equal(found, rule.value)


def _is_index(token: str, size: int) -> bool:
    return INDEX.fullmatch(token) is not None and int(token) < size


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _shown(value: Any, hidden: Callable[[str], str]) -> str:
    """A value as JSON, bounded, what is invisible escaped; of an object or a list only the kind."""
    if isinstance(value, dict):
        return KINDS[0]
    if isinstance(value, list):
        return KINDS[1]
    if isinstance(value, str):
        value = bounded(hidden(value))
    written = json.dumps(value, ensure_ascii=False)
    text = written if isinstance(value, str) else bounded(hidden(written))
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
