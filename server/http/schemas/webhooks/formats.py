"""The format of a webhook as it may be set: its template is read where bodies are rendered, and it
comes with what a preset brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from msgspec import UNSET

from hookbundle.engine import limits
from hookbundle.engine.delivery.answers import wanted as success
from hookbundle.engine.errors import Fault
from hookbundle.engine.formats.format import Format
from hookbundle.engine.formats.jobs import Reading
from hookbundle.engine.formats.parsing import outline
from hookbundle.engine.formats.presets import Preset
from hookbundle.server.http.schemas.webhooks.shown_formats import format_shown, stored_format
from hookbundle.server.http.schemas.webhooks.webhook import LimitsIn, WebhookIn
from hookbundle.storage.database.settings import Webhook

NOTHING: dict[str, bytes | None] = {"format": None, "format_options": None}


@dataclass(frozen=True, slots=True)
class Formatted:
    """The settings wanted, with those that a newly chosen preset brings where none are named.

    `fields`: of `WebhookChanges`; None stays. `faults`: of the format and its options.
    """

    hook: WebhookIn
    fields: dict[str, bytes | None]
    faults: tuple[Fault, ...] = ()


class Templates(Protocol):
    """What reads templates; `Rendering` does."""

    async def read(self, reading: Reading, workspace: int) -> Sequence[Fault]: ...


async def formatted(
    hook: WebhookIn, present: Webhook | None, workspace: int, templates: Templates, at: str = ""
) -> Formatted:
    """Reads the format and its options, which are one setting: what is not named of the two stays.

    Another format without options has none. Paths of faults begin with `at`. `present`: the webhook
    as it is, None if it is to be made. `workspace`: 0 if it is not there yet. Raises: Overloaded.
    """
    if hook.format is UNSET and hook.format_options is UNSET:
        return Formatted(hook, NOTHING)
    was = present or Webhook(id="", number=0, workspace=0)
    value = format_shown(was) if hook.format is UNSET else hook.format
    options = _options(hook, was, is_same=value in (format_shown(was), None))
    read = await judged(value, options, workspace, templates, at)
    if isinstance(read, list):
        return Formatted(hook, NOTHING, tuple(read))
    if read.preset is not None and read.format != was.format:
        hook = _with_preset(hook, read.preset)
    return Formatted(hook, {"format": read.format, "format_options": read.options})


async def judged(
    value: Any, options: Any, workspace: int, templates: Templates, at: str = ""
) -> Format | list[Fault]:
    """The format, or every fault. `workspace`: who wants it; 0 if it is not there yet.

    Presets are ours, and not read again. Raises: Overloaded.
    """
    found = outline(value, options, f"{at}format", f"{at}format_options")
    if found.template is None or found.format.preset is not None:
        return found.judged(())
    return found.judged(await templates.read(found.template, workspace))


def _options(hook: WebhookIn, was: Webhook, *, is_same: bool) -> Any:
    """Those that are wanted; one of which only is said that it is set stays."""
    kept = stored_format(was).given_options if is_same else {}
    if hook.format_options is UNSET:
        return dict(kept)
    if not isinstance(hook.format_options, dict):
        return hook.format_options
    return {
        name: kept[name] if value == {"set": True} and name in kept else value
        for name, value in hook.format_options.items()
    }


def _with_preset(hook: WebhookIn, preset: Preset) -> WebhookIn:
    """What is not named is as the preset's receiver wants it."""
    found = brought(preset)
    unnamed = {name: each for name, each in found.items() if getattr(hook, name) is UNSET}
    return msgspec.structs.replace(hook, **unnamed)


def brought(preset: Preset) -> dict[str, Any]:
    """The settings that the preset's receiver wants beside the format; a limit that it does not
    name is the largest there is."""
    messages, size = preset.limits.messages, preset.limits.bytes
    most = limits.BUNDLE_MESSAGES_MAX, limits.BUNDLE_BODY_BYTES_MAX
    return {
        "success": success.shown(preset.success),
        "success_rules": list(preset.success_rules),
        "limits": LimitsIn(messages or most[0], size or most[1]),
        "rate": preset.rate or None,
    }
