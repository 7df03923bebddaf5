"""JSON in an option, or in a file that it names as `@FILE`."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from hookbundle.engine import limits
from hookbundle.engine.error_codes import quoted


class NoJson(ValueError):
    """There is none; the words say why."""


def read(text: str, what: str) -> Any:
    """What the text says, or the file of which it has the name. Raises: NoJson."""
    if text.startswith("@"):
        try:
            with Path(text[1:]).open(encoding="utf-8") as file:
                text = file.read(limits.SETTINGS_BYTES_MAX)
        except (OSError, UnicodeDecodeError) as exc:
            raise NoJson(f"{text} can't be read: {exc}") from exc
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as exc:
        raise NoJson(f"this is no {what} in JSON: {exc}") from exc


def given(kind: click.ParamType[Any], text: str, what: str, *where: Any) -> Any:
    """The same of an option of that kind. `where`: parameter and context. Raises: UsageError."""
    try:
        return read(text, what)
    except NoJson as exc:
        kind.fail(str(exc), *where)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a field that is given twice, one would be lost before the daemon sees it."""
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            raise ValueError(f"{quoted(name)} is given twice")
    return dict(pairs)
