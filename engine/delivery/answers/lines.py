"""A rule for an answer as one line, as commands and pages take it.

/ok equals true
/status equals "done" else rejected
/errors absent
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault

EXAMPLE = "/ok equals true"
WHOLE = '""'  # the pointer of the whole answer
LINE = re.compile(
    r"(?P<pointer>\S.*?)\s+"
    r"(?:(?P<test>exists|absent)|equals\s+(?P<value>.+?))"
    r"(?:\s+else\s+(?P<otherwise>failed|rejected))?"
)


def rule_of(line: str, path: str) -> dict[str, Any] | Fault:
    """The rule as the API takes it, which judges it; or the fault that it is none."""
    found = LINE.fullmatch(line.strip())
    value: Any = True
    try:
        if found is not None and found["value"] is not None:
            value = json.loads(found["value"])
    except (ValueError, RecursionError):
        found = None
    if found is None:
        return fault(path, FaultCode.NO_RULE_LINE, got=quoted(line.strip()), example=EXAMPLE)
    pointer = "" if found["pointer"] == WHOLE else found["pointer"]
    otherwise = {"else": found["otherwise"]} if found["otherwise"] else {}
    return {"pointer": pointer, found["test"] or "equals": value, **otherwise}


def line_of(rule: dict[str, Any]) -> str:
    """The line for a rule that was set."""
    pointer = rule["pointer"] or WHOLE
    otherwise = f" else {rule['else']}" if "else" in rule else ""
    if "equals" in rule:
        value = json.dumps(rule["equals"], ensure_ascii=False)
        return f"{pointer} equals {value}{otherwise}"
    return f"{pointer} {'exists' if 'exists' in rule else 'absent'}{otherwise}"


def lines_of(rules: Iterable[dict[str, Any]]) -> str:
    return "\n".join(map(line_of, rules))
