"""Reads what may be there of a decoded body. A value of another type is as good as none.

For what only adorns a message: names, the phone beside a hidden id. What makes a message (its id,
its chat, its text) is read by a type, and is a fault if it is of another one.
"""

from typing import Any

from hookbundle.engine import limits


def at(value: Any, *path: str) -> Any:
    """What is there; None if nothing is."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text(value: Any, *path: str) -> str:
    """The text there; empty if there is none."""
    for each in path:  # as `at`, of which this is most of the calls
        value = value.get(each) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def name(value: Any, *path: str) -> str:
    """The name there, without space around it and cut at what intake takes; empty for none."""
    return text(value, *path).strip()[: limits.NAME_CHARS_MAX]


def first_of(*names: str) -> str:
    """The first that is not empty."""
    return next((each for each in names if each), "")


def items(value: Any, *path: str) -> list[Any]:
    """The items of the list there; none if there is no list."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def objects(value: Any, *path: str) -> list[dict[str, Any]]:
    """Those items of the list there that are objects."""
    return [each for each in items(value, *path) if isinstance(each, dict)]


def id_of(value: Any, *path: str) -> str:
    """An id that may be a number, as text; empty if there is none."""
    found = at(value, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if abs(found) < 10**20 else ""
    return found if isinstance(found, str) else ""


def has(value: Any, *path: str) -> bool:
    """Whether there is anything: not null, not an empty text, list or object, not false or 0."""
    return bool(at(value, *path))
