"""Windows as they are written, in parts."""

from typing import Any

OFFICE = {"from": "09:00", "to": "18:00"}
DIRECT = {"kind": "direct"}
LARGE = {"chat_ids": ["c" * 190] * 70}  # three of them are too large for a window


def with_rules(*rules: Any, **beside: Any) -> dict[str, Any]:
    return {"rules": list(rules), "else": "none", **beside}


def rule(window: Any, match: Any = DIRECT) -> dict[str, Any]:
    return {"match": match, "window": window}
