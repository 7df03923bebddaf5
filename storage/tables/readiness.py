"""When a webhook has something to send: the only module that writes READY and RETRY rows.

A webhook is in exactly one of three conditions:

    ready      enabled, has a URL and a queue, no wait    a READY row, also if a replay holds it
    waiting    as ready, but waits after an error, or     a RETRY row in the due index
               for its rate or its budget
    idle       disabled, merging, or nothing to send      no row

The rows exist so that no delivery depends on a message between actors. A webhook actor is woken by
a message, and messages are lost in a crash; but READY rows are read at every start and by the
regular sweep, and RETRY rows are read by the Timer. Both are written in the transaction that
changes the condition, so they are never out of date.
"""

from hookbundle.engine.delivery.states import WebhookStatus, webhook_status
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit


def reconcile(unit: Unit, webhook: Webhook, state: WebhookState) -> bool:
    """The rows agree with the state. True if the webhook has just become ready.

    The caller then has to wake the webhook's actor after the commit. Call it after every change of
    the state's `enabled`, `queued`, `resending`, `merging`, `next_attempt_ms` or `paced_ms`, or of
    the webhook's URL.
    """
    may_send = state.enabled and bool(webhook.url) and has_work(state) and not state.merging
    retry_ms = waits_until_ms(state) if may_send else 0
    ready = may_send and not retry_ms
    # The state says which rows exist, so nothing is read or written if they need no change: most
    # calls only add a delivery to a queue that is ready already.
    if retry_ms != state.retry_ms:
        if state.retry_ms:
            unit.delete_due(Due(state.retry_ms, DueKind.RETRY, webhook.number))
        if retry_ms:
            unit.put_due(Due(retry_ms, DueKind.RETRY, webhook.number))
        state.retry_ms = retry_ms
    if ready == state.ready:
        return False
    key = keyspace.owned(keyspace.READY, webhook.number)
    if ready:
        unit.put_flag(key)
    else:
        unit.delete(key)
    state.ready = ready
    return ready


def has_work(state: WebhookState) -> bool:
    """Whether anything waits to be sent."""
    return state.queued > 0 or state.resending > 0


def waits_until_ms(state: WebhookState) -> int:
    """Before when nothing may be sent, be it after an error or for rate or budget; 0: no wait."""
    next_ms, paced_ms = state.next_attempt_ms, state.paced_ms
    return paced_ms if paced_ms > next_ms else next_ms  # thrice for a delivery: `max` costs more


def status_of(webhook: Webhook, state: WebhookState) -> WebhookStatus:
    """Whether the webhook is enabled, waits for something, has no URL, or is disabled.

    It does not wait while there is nothing to send.
    """
    waits = state.retry_ms > 0
    return webhook_status(
        enabled=state.enabled,
        has_url=bool(webhook.url),
        next_attempt_ms=state.next_attempt_ms if waits else 0,
        paced_ms=state.paced_ms if waits else 0,
        merging=state.merging is not None,
    )
