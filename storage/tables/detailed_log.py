"""The detailed log of a workspace: its newest hundred requests with their responses."""

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.records import Exchange, WebhookState
from hookbundle.storage.database.unit import Unit


def add(unit: Unit, workspace_number: int, state: WebhookState, exchange: Exchange) -> None:
    """The exchange is the newest entry of the detailed log; one beyond 100 is deleted."""
    number = state.log_next
    state.log_next += 1
    unit.put(keyspace.owned_numbered(keyspace.LOG, workspace_number, number), exchange)
    # Numbers have no gaps, so one entry in and one out keeps the log at its size.
    if number >= limits.LOG_ENTRIES:
        oldest = number - limits.LOG_ENTRIES
        unit.delete(keyspace.owned_numbered(keyspace.LOG, workspace_number, oldest))
