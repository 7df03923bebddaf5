"""The format of a webhook and its variables, as they are shown."""

from typing import Any

import msgspec

from hookbundle.engine.formats.format import SEED, Format
from hookbundle.engine.formats.presets import presets
from hookbundle.storage.database.settings import Webhook


def format_shown(webhook: Webhook) -> Any:
    """`seed`, the name of a preset, or an object with the template."""
    return msgspec.json.decode(webhook.format) if webhook.format else SEED


def options_shown(webhook: Webhook) -> dict[str, Any]:
    """The variables of the format; of secret ones only that they are set."""
    return stored_format(webhook).shown_options()


def stored_format(webhook: Webhook) -> Format:
    shown = format_shown(webhook)
    preset = presets().get(shown) if isinstance(shown, str) else None
    return Format(webhook.format, webhook.format_options, preset)
