"""One body that makes its receiver fail, told apart from a receiver that is broken.

Five answers in a row to the head of a queue that say "I failed" (500 to 599 but 502, 503 and 504)
raise a question: is it the receiver, or this one body? The next attempt is made with the next
delivery instead. If that is delivered, the head becomes a dead letter of reason `receiver_fails`;
if not, the receiver is broken, and the head goes on. The question is asked once of a delivery; it
may be asked anew when the delivery begins anew: after enabling, another URL, or a retry.

The head's record has the count, and so the question survives a crash; while it is open every
attempt is made with the next delivery. An attempt whose outcome nobody knows answers nothing.
"""

from hookbundle.engine.delivery.outcomes import Outcome, is_of_the_body
from hookbundle.engine.delivery.states import QUEUED
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import Flight, WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import erasures, history, moving, queue
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.repeating import resends

ANSWERS = 5


def is_in_question(state: WebhookState, head: Delivery) -> bool:
    """Whether the next attempt is to be made with the delivery after the head."""
    if head.server_errors < ANSWERS or head.compared:
        return False
    return head.failing_epoch == state.epoch and not moving.is_back(state, head)


def count(state: WebhookState, head: Delivery, outcome: Outcome) -> None:
    """The head of the queue was attempted, and not delivered."""
    if head.failing_epoch != state.epoch:
        head.failing_epoch, head.server_errors, head.compared = state.epoch, 0, False
    head.server_errors = head.server_errors + 1 if is_of_the_body(outcome) else 0


def answered(unit: Unit, webhook: Webhook, flight: Flight, *, delivered: bool) -> Delivery | None:
    """The attempt that was made instead of one of the head is over.

    Returns the former head, if it is a dead letter now, or if its resend is over.
    """
    state = unit.state(webhook.number)
    head = queue.find(unit, webhook.number, flight.instead_of)
    if head is None:
        return None
    is_queued = moving.state_of(state, head) is QUEUED
    if not is_queued and not resends.is_waiting(state, head):
        return None  # it was discarded meanwhile
    if erasures.is_erased(unit, webhook, head) or not is_in_question(state, head):
        return None
    weight = history.weight(head)
    if delivered and head.resending:
        unit.meta.totals.resends_failed += 1
        resends.end(unit, webhook, head, "failed")
        return head
    if delivered:
        queue.move_to_dead_letters(unit, webhook, head, weight, kinds.FAILS)
        return head
    head.compared = True
    queue.keep(unit, webhook, head, weight)
    return None
