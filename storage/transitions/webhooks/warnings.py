"""Warns before too many errors in a row disable a webhook, unless its settings say not to."""

from hookbundle.storage import webhook_facts
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, outbox

STEPS = (5, 8, 10)  # errors in a row
MAILED = 10


def warn(unit: Unit, settings: Settings, webhook: Webhook, errors_max: int, now_ms: int) -> None:
    """An error that counts has come. If it is one of the STEPS, and not the one that disables the
    webhook: a fact, a line of the activity log, and at MAILED an e-mail to the owner."""
    state = unit.state(webhook.number)
    errors, of = state.consecutive_errors, errors_max + 1
    if not (webhook.warnings and state.enabled) or errors not in STEPS or errors >= of:
        return
    mailed = errors == MAILED and bool(settings.workspace.owner_email)
    fact = webhook_facts.WebhookWarned(
        errors=errors,
        of=of,
        error=state.last_error,
        held=state.queued,
        held_messages=state.queued_messages,
        mailed=mailed,
    )
    unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
    detail = f"{errors} of {of} consecutive errors: {state.last_error}"
    action = Action(at_ms=now_ms, action="warned", outcome="errors", detail=detail)
    activity.add(unit, webhook.number, action)
    if mailed:
        outbox.add_warning(unit, settings.workspace, webhook, errors_max, now_ms)
