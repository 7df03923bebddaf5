"""What somebody wants to count as delivered: as it is stored, or every fault with its path.

"success": "2xx"                    or "200", or [200, 202, 409]
"success_rules": [{"pointer": "/ok", "equals": true},
                  {"pointer": "/errors", "absent": true, "else": "rejected"}]
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from hookbundle.engine import checked, limits
from hookbundle.engine.delivery.success import (
    ALLOWED,
    ANY_2XX,
    DEFAULT,
    statuses_of,
    text_of,
)
from hookbundle.engine.error_codes import bounded
from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault, given, in_brief, not_one_of
from hookbundle.engine.near_names import near_name

POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
TESTS = ("exists", "absent", "equals")
FIELDS = ("pointer", *TESTS, "else")
FAILED, REJECTED = "failed", "rejected"
NUMBER_MAX = 2**63 - 1  # of a whole number, as it is stored


def success(path: str, value: Any, faults: list[Fault]) -> str:
    """As it is stored. What is wrong is added to the faults."""
    if value in (DEFAULT, ANY_2XX):
        return str(value)
    if not isinstance(value, list):
        faults.append(fault(path, FaultCode.NO_SUCCESS, got=in_brief(value)))
        return DEFAULT
    found: set[int] = set()
    for at, each in checked.items(value, path, len(ALLOWED), faults):
        if type(each) is not int or each not in ALLOWED:
            faults.append(fault(at, FaultCode.NO_SUCCESS_STATUS, got=in_brief(each)))
        elif each in found:
            faults.append(fault(at, FaultCode.GIVEN_TWICE))
        else:
            found.add(each)
    return text_of(frozenset(found))


def shown(stored: str) -> str | list[int]:
    """Statuses as they may be wanted."""
    return stored if stored in (DEFAULT, ANY_2XX) else sorted(statuses_of(stored))


def rules(path: str, value: Any, faults: list[Fault]) -> bytes:
    """As they are stored; null and an empty list are none. What is wrong is added to the faults."""
    if value is None or value == []:
        return b""
    if not isinstance(value, list):
        faults.append(fault(path, FaultCode.NOT_AN_ARRAY, given=given(value)))
        return b""
    documents = []
    for at, each in checked.items(value, path, limits.SUCCESS_RULES_MAX, faults):
        if not isinstance(each, dict):
            faults.append(fault(at, FaultCode.NOT_AN_OBJECT, given=given(each)))
            continue
        wrong = list(_faults_of(at, each))
        faults += wrong
        if not wrong:
            documents.append(_in_order(each))
    return msgspec.json.encode(documents)


def shown_rules(stored: bytes) -> list[dict[str, Any]]:
    """Rules as they may be wanted."""
    return msgspec.json.decode(stored, type=list[dict[str, Any]]) if stored else []


def _in_order(rule: dict[str, Any]) -> dict[str, Any]:
    """The same rule is always written in the same way; `failed` is what is meant anyway."""
    return {
        name: rule[name]
        for name in FIELDS
        if name in rule and (name != "else" or rule[name] != FAILED)
    }


def _faults_of(at: str, rule: dict[str, Any]) -> Iterator[Fault]:
    yield from islice(_unknown(at, rule), limits.FAULTS_LISTED_MAX)
    pointer = rule.get("pointer")
    if "pointer" not in rule:
        yield fault(f"{at}.pointer", FaultCode.MISSING)
    else:
        yield from _faults_of_pointer(f"{at}.pointer", pointer)
    if len(rule.keys() & set(TESTS)) != 1:
        yield fault(at, FaultCode.NO_TEST)
    for name in ("exists", "absent"):
        if name in rule and rule[name] is not True:
            yield not_one_of(f"{at}.{name}", (True,), rule[name])
    if pointer == "" and rule.get("absent") is True:
        yield fault(f"{at}.absent", FaultCode.NEVER_MET)
    if "equals" in rule:
        yield from _faults_of_value(f"{at}.equals", rule["equals"])
    if "else" in rule and rule["else"] not in (FAILED, REJECTED):
        yield not_one_of(f"{at}.else", (FAILED, REJECTED), rule["else"])


def _unknown(at: str, rule: dict[str, Any]) -> Iterator[Fault]:
    for name in rule:
        if name not in FIELDS:
            path = f"{at}.{bounded(name) if name.isprintable() else quoted(name)}"
            near = near_name(name, FIELDS)
            if near is None:
                yield fault(path, FaultCode.UNKNOWN_FIELD)
            else:
                yield fault(path, FaultCode.MISSPELT_FIELD, near=f"{at}.{near}")


def _faults_of_pointer(path: str, pointer: Any) -> Iterator[Fault]:
    most = limits.SUCCESS_POINTER_CHARS_MAX
    if not isinstance(pointer, str):
        yield fault(path, FaultCode.NOT_TEXT, given=given(pointer))
    elif len(pointer) > most:
        yield fault(path, FaultCode.TOO_LONG, most=most, size=len(pointer))
    elif not pointer.isprintable():
        yield fault(path, FaultCode.NOT_ONE_LINE)
    elif POINTER.fullmatch(pointer) is None:
        yield fault(path, FaultCode.NO_POINTER, got=quoted(pointer))


def _faults_of_value(path: str, value: Any) -> Iterator[Fault]:
    most = limits.SUCCESS_VALUE_CHARS_MAX
    if isinstance(value, dict | list):
        yield fault(path, FaultCode.NOT_A_SCALAR, given=given(value))
    elif isinstance(value, str) and len(value) > most:
        yield fault(path, FaultCode.TOO_LONG, most=most, size=len(value))
    elif type(value) is int and abs(value) > NUMBER_MAX:
        yield fault(path, FaultCode.NUMBER_TOO_LARGE)
