"""A webhook as commands show it: each setting as it is given to its option."""

from typing import Any

from hookbundle.commands.terminal import output
from hookbundle.commands.workspaces import formats, requests, success

SHOWN = (
    "id",
    "url",
    "aggregation",
    "rule",
    "window",
    "success",
    "success_rules",
    "filter",
    "request",
    "format",
    "format_options",
    "limits.messages",
    "limits.bytes",
    "rate",
    "budget",
    "warnings",
    "state",
    "full",
    "consecutive_errors",
    "last_error",
    "disabled_reason",
    "disabled_at",
    "next_attempt_at",
    "rendering_rests_until",
    "counts.windows",
    "counts.queued",
    "counts.dead_letters",
    "counts.not_rendered",
    "counts.held_messages",
    "counts.overflowed",
    "meter.messages",
    "meter.calls",
)
PACE = (
    "pace.used",
    "pace.left",
    "pace.counted_since",
    "pace.resets_at",
    "pace.forecast",
    "pace.used_up_at",
)


def settings_in_words(webhook: dict[str, Any]) -> dict[str, Any]:
    """With its success, its request and its format in words."""
    found = formats.in_words(success.shown(webhook))
    return {**found, "request": requests.in_words(found.get("request"))}


def in_words(webhook: dict[str, Any]) -> dict[str, Any]:
    """The same, and its window as a sentence, `rule`; null for one that only a newer daemon
    knows."""
    from hookbundle.engine.errors import InvalidInput
    from hookbundle.engine.phrasing import ENGLISH
    from hookbundle.engine.windows import in_words as window

    found = settings_in_words(webhook)
    try:
        return {**found, "rule": window.sentence(found["window"], ENGLISH)}
    except InvalidInput:
        return {**found, "rule": None}


def say_resting(webhook: dict[str, Any]) -> None:
    """Why one waits whose receiver has not failed."""
    until = webhook.get("rendering_rests_until")
    if until and webhook["state"] == "backing_off":
        output.say(
            f"Nothing is sent before {until}: three bodies of its format in a row took too much, "
            "or the machine could make none. No error is counted. Another format begins at once."
        )


def columns_of(webhook: dict[str, Any]) -> tuple[str, ...]:
    """What is shown of a webhook; of its budget only if it has one."""
    return (*SHOWN, *PACE) if webhook["pace"] else SHOWN
