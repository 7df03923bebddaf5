"""A test request: recorded in both logs, outside the queue and the error count."""

from dataclasses import dataclass

from hookbundle.engine import limits
from hookbundle.storage import facts
from hookbundle.storage.database.records import Action, Exchange
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import detailed_log


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTest:
    """A test request was made: outside the queue and the counter, but in the logs."""

    workspace_number: int
    exchange: Exchange
    now_ms: int


def record_test(unit: Unit, transition: RecordTest) -> None:
    """Raises: NotFound if the workspace is gone."""
    workspace = unit.workspace_numbered(transition.workspace_number)
    exchange = transition.exchange
    detailed_log.add(unit, workspace.number, unit.state(workspace.number), exchange)
    detail = exchange.error or f"status {exchange.status}"
    action = Action(
        at_ms=transition.now_ms,
        action="test",
        outcome=exchange.outcome,
        detail=detail,
        logged=unit.state(workspace.number).log_next,
    )
    unit.add_action(workspace.number, action, limits.ACTIVITY_ENTRIES)
    unit.emit(
        facts.WebhookTested(outcome=exchange.outcome, status=exchange.status, error=exchange.error),
        transition.now_ms,
        workspace.id,
    )
