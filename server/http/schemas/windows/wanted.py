"""By which rule the windows of a webhook end: as a caller writes it, in one of two fields.

`aggregation` is the first edition's: `none`, or a length. `window` says the same, and more. They
are one setting. Both may be given if they agree, so that a document that was read can be written.
"""

from typing import Any

from msgspec import UNSET

from hookbundle.engine import durations, limits
from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.windows import parsing
from hookbundle.engine.windows.rule import CUSTOM
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn

Fields = dict[str, Any]
NOT_NAMED: Fields = {"aggregation_ms": None, "window": None}


def window_of(at: str, hook: WebhookIn, faults: list[Fault]) -> Fields:
    """The two fields of `WebhookChanges`, None where nothing is to change; each fault is added.

    `at`: what paths begin with.
    """
    known = len(faults)
    by_rule = NOT_NAMED
    if hook.window is not UNSET:
        by_rule = _by_rule(f"{at}window", hook.window, faults)
    is_wrong = len(faults) > known
    if hook.aggregation is UNSET:
        return by_rule
    if hook.aggregation == CUSTOM and (by_rule["window"] or is_wrong):
        return by_rule
    by_length = _by_length(f"{at}aggregation", hook.aggregation, faults)
    if hook.window is UNSET or len(faults) > known:
        return by_length
    if by_length != by_rule:
        faults.append(fault(f"{at}window", FaultCode.TWO_WINDOWS, beside="aggregation"))
    return by_rule


def _by_rule(path: str, wanted: Any, faults: list[Fault]) -> Fields:
    try:
        setting = parsing.parse(wanted, path)
    except InvalidInput as exc:
        faults += exc.faults
        return NOT_NAMED
    plain_ms = parsing.plain_ms(setting)
    if plain_ms is None:
        return {"aggregation_ms": 0, "window": parsing.written(wanted)}
    return {"aggregation_ms": plain_ms, "window": b""}


def _by_length(path: str, wanted: str, faults: list[Fault]) -> Fields:
    try:
        return {"aggregation_ms": parse_aggregation(wanted), "window": b""}
    except ValueError:
        faults.append(fault(path, FaultCode.NO_AGGREGATION, got=quoted(wanted)))
        return NOT_NAMED


def parse_aggregation(text: str) -> int:
    """Milliseconds; 0 for `none`. Raises: ValueError."""
    if text == "none":
        return 0
    length_ms = durations.parse_ms(text)
    if not limits.WINDOW_MS_MIN <= length_ms <= limits.WINDOW_MS_MAX or length_ms % 1_000:
        raise ValueError(f"{text!r} is not `none` or a whole duration from 1s to 24h")
    return length_ms
