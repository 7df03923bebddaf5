"""The rules for a webhook's two logs: the detailed log and the activity log."""

from collections.abc import Iterator

from hookbundle.engine import limits
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Action, LogRow
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.maintenance.check_ledger import Ledger, is_live
from hookbundle.storage.tables import history

Problems = Iterator[str]


def check_action(ledger: Ledger, key: bytes, action: Action) -> Problems:
    webhook, number = key_fields.owner(key), key_fields.number(key)
    if not (yield from is_live(ledger.owner_of_webhook(webhook), "webhook")):
        return
    state = ledger.get(keyspace.owned(keyspace.STATES, webhook), WebhookState)
    if state is not None:
        yield from _check_turn(number, state.action_next, limits.ACTIVITY_ENTRIES)
        if action.logged > state.log_next:
            yield f"names entry {action.logged - 1} of the detailed log, which was never written"


def check_log_row(ledger: Ledger, key: bytes, row: LogRow) -> Problems:
    webhook, number = key_fields.owner(key), key_fields.number(key)
    if not (yield from is_live(ledger.owner_of_webhook(webhook), "webhook")):
        return
    state = ledger.get(keyspace.owned(keyspace.STATES, webhook), WebhookState)
    if state is not None:
        yield from _check_turn(number, state.log_next, limits.LOG_ENTRIES)
    workspace = ledger.workspace_of(webhook)
    assert workspace is not None  # it is live
    if row.test is not None:
        ledger.of_workspace(workspace).test_bytes += ledger.size(key)
        return
    # Both are erased in one step with the entries that name them.
    attempt = keyspace.of_delivery(keyspace.ATTEMPTS, webhook, row.delivery, row.attempt)
    if not ledger.has(history.key_of(webhook, row.delivery)):
        yield f"names delivery {row.delivery}, which does not exist"
    elif not ledger.has(attempt):
        yield f"names attempt {row.attempt} of delivery {row.delivery}, which does not exist"


def _check_turn(number: int, following: int, most: int) -> Problems:
    if not following - most <= number < following:
        yield f"is not among the last {most} of {following}"
