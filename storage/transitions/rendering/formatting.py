"""Another format of a webhook: what waits for it is queued again; and what is told of a format.

What was never sent has no rendered body yet, and gets one of the new format. What was sent keeps
its bytes.
"""

from typing import Any

import msgspec

from hookbundle.storage import format_facts
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import moving
from hookbundle.storage.tables.dead_letters import kinds

SEED, TEMPLATE = "seed", "template"


def render_anew(unit: Unit, settings: Settings, webhook: Webhook, now_ms: int, caller: str) -> None:
    """The webhook has another format, or other variables of it; errors count as before."""
    state = unit.state(webhook.number)
    if state.rests_until_ms:  # of the former format
        state.next_attempt_ms = state.resting_ms = 0
    returned = moving.return_all(unit, webhook, kinds.BY_FORMAT)
    if returned.deliveries:
        fact = format_facts.DeliveryReturned(
            deliveries=returned.deliveries, messages=returned.messages, caller=caller
        )
        unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)


def told(fields: dict[str, Any]) -> dict[str, Any]:
    """Of changed fields those of the format, as feed and activity tell of them.

    Of a template nothing, and of its variables the names: their values may be secret.
    """
    shown: dict[str, Any] = {}
    if "format" in fields:
        setting = msgspec.json.decode(fields["format"]) if fields["format"] else SEED
        shown["format"] = setting if isinstance(setting, str) else TEMPLATE
    if "format_options" in fields:
        options = fields["format_options"]
        names = sorted(msgspec.json.decode(options)) if options else []
        shown["format_options"] = ", ".join(names) or "none"
    return shown
