"""A test request: recorded in both logs, outside the queue and the error count."""

import msgspec

from hookbundle.storage.database.delivery_records import Action, LogRow, WebhookTest
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, detailed_log
from hookbundle.storage.webhook_facts import WebhookTested


class RecordTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test request was made: outside the queue and the counter, but in the logs."""

    webhook: int
    test: WebhookTest
    now_ms: int


def record_test(unit: Unit, transition: RecordTest) -> None:
    """Raises: NotFound if the webhook is gone."""
    settings, webhook = unit.webhook_numbered(transition.webhook)
    result = transition.test.attempt
    detailed_log.add(unit, webhook, LogRow(test=transition.test))
    action = Action(
        at_ms=transition.now_ms,
        action="test",
        outcome=result.outcome,
        detail=result.error or f"status {result.status}",
        logged=unit.state(webhook.number).log_next,
    )
    activity.add(unit, webhook.number, action)
    fact = WebhookTested(outcome=result.outcome, status=result.status, error=result.error)
    unit.tell(settings.workspace, fact, transition.now_ms, webhook=webhook.id)
