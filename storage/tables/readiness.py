"""When a webhook has something to do: the one place that writes what wakes a webhook actor.

A webhook with deliveries in its queue is in exactly one of three conditions:

    ready      enabled, has a URL, waits for nothing      a row in READY
    waiting    enabled, backing off after an error        a RETRY row in the due index
    idle       disabled, without a URL, or nothing queued no row

READY is read at start and by the sweep, the due index by the clock. So nothing that happens to a
mailbox can leave a delivery lying.
"""

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import WebhookState, Workspace
from hookbundle.storage.database.unit import Unit


def settle(unit: Unit, workspace: Workspace, state: WebhookState) -> bool:
    """True if the webhook became ready just now, and somebody should wake it.

    Call it after every change of the state's `enabled`, `pending`, `next_attempt_ms`, or the URL.
    """
    may_send = state.enabled and bool(workspace.url) and state.pending > 0
    retry_ms = state.next_attempt_ms if may_send else 0
    ready = may_send and not retry_ms
    if retry_ms != state.retry_ms:
        if state.retry_ms:
            unit.delete_due(Due(state.retry_ms, DueKind.RETRY, workspace.number))
        if retry_ms:
            unit.put_due(Due(retry_ms, DueKind.RETRY, workspace.number))
        state.retry_ms = retry_ms
    if ready == state.ready:
        return False
    key = keyspace.owned(keyspace.READY, workspace.number)
    if ready:
        unit.put_flag(key)
    else:
        unit.delete(key)
    state.ready = ready
    return ready
