"""The option `--limits messages=500,bytes=256KiB` of a webhook."""

from typing import Any

import click

from hookbundle.commands.configuration.kinds import SIZES
from hookbundle.engine import limits
from hookbundle.engine.error_codes import quoted

DEFAULT = "default"
WHOLE = {"messages": limits.BUNDLE_MESSAGES_MAX, "bytes": limits.BUNDLE_BODY_BYTES_MAX}
FORM = "write messages=500,bytes=256KiB, one of them, or `default`"


class Limits(click.ParamType[dict[str, Any]]):
    """Which limits are to be set; the daemon says whether they are possible."""

    name = "limits"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        if value == DEFAULT:
            return dict(WHOLE)
        found: dict[str, Any] = {}
        for part in str(value).split(","):
            key, equals, text = part.strip().partition("=")
            size = _number(text, may_have_unit=key == "bytes")
            if not equals or key not in WHOLE or size is None or key in found:
                self.fail(f"{quoted(part)} is no limit; {FORM}", param, ctx)
            found[key] = size
        return found


def _number(text: str, *, may_have_unit: bool) -> int | None:
    """The number, with its unit if it has one and may; None if it is none."""
    for unit, factor in SIZES.items() if may_have_unit else ():
        digits = text.removesuffix(unit)
        if digits != text and _is_number(digits):
            return int(digits) * factor
    return int(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12
