"""What came of rendering a body: stored with the begin of its attempt, or what it means instead.

Of a rendered body nothing is stored before the transaction that begins the first attempt. So it is
of the format of that moment, and all attempts send the same bytes; and what a crash cuts short is
rendered again, when nothing of it has left. What can't be rendered is the fault of the format: the
receiver was not called, no error counts, and the delivery waits among the dead letters for another
format.
"""

from typing import assert_never

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.formats.jobs import NoRecord, Rendered, Unrenderable
from hookbundle.storage import facts, format_facts
from hookbundle.storage.database.delivery_records import Action, Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, bodies, history, moving, queue, readiness
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.rendering import jobs
from hookbundle.storage.tables.rendering.skipping import BY, BY_FORMAT, NO_RECORD
from hookbundle.storage.transitions import attempting
from hookbundle.storage.transitions.attempting import Idle, Next, Step

# Details of the activity log, which the console has in other languages too.
RESTS = {
    "limits": "three bodies in a row took too much",
    "machine": "this machine could render nothing",
}


class Rests(msgspec.Struct, frozen=True):
    """Nothing is rendered for the webhook before `until_ms`. `cause`: as of `Resting`."""

    until_ms: int
    cause: str


Made = Rendered | NoRecord | Unrenderable | Rests


class StoreBody(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a `Render` of the delivery, made with this format. Answers as a begin does.

    It changes nothing if it is another delivery's turn by now, if this one has a body already, or
    if the webhook has another format; which the answer then asks to be used.
    """

    webhook: int
    delivery: int
    format: bytes
    options: bytes
    made: Made
    now_ms: int


def store_body(unit: Unit, transition: StoreBody) -> Step:
    """Raises: NotFound if the webhook is gone."""
    settings, webhook = unit.webhook_numbered(transition.webhook)
    state, now_ms = unit.state(webhook.number), transition.now_ms
    if state.flight is not None:
        attempting.record_lost(unit, settings, webhook, state.flight, now_ms)
    turn = attempting.whose_turn(unit, settings, webhook, state, now_ms)
    if not isinstance(turn, Next):
        return turn
    if not _is_of(webhook, turn.delivery, transition):
        return attempting.begin(unit, settings, webhook, state, turn, now_ms)
    match transition.made:
        case Rendered(body=body):
            _keep(unit, webhook, turn.delivery, body)
            return attempting.begin(unit, settings, webhook, state, turn, now_ms)
        case Rests(until_ms=until_ms, cause=cause):
            _rest(unit, settings, webhook, state, until_ms, cause, now_ms)
            return Idle()
        case NoRecord():
            _skip(unit, settings, webhook, turn.delivery, now_ms)
        case Unrenderable():
            _set_aside(unit, settings, webhook, turn.delivery, transition.made, now_ms)
        case _:
            assert_never(transition.made)
    following = attempting.begin_next(unit, settings, webhook, state, now_ms)
    readiness.reconcile(unit, webhook, state)
    return following


def _is_of(webhook: Webhook, delivery: Delivery, transition: StoreBody) -> bool:
    """Whether it is what is to be sent now, with the format of now."""
    if delivery.number != transition.delivery or not jobs.is_wanted(webhook, delivery):
        return False
    return (webhook.format, webhook.format_options) == (transition.format, transition.options)


def _keep(unit: Unit, webhook: Webhook, delivery: Delivery, body: bytes) -> None:
    """The head is stored here too: the begin of an attempt does not write it."""
    weight = history.weight(delivery)
    _put_back(unit, webhook, delivery)
    bodies.put(unit, webhook.number, delivery.number, body, prefix=bodies.RENDERED)
    delivery.rendered_bytes = len(body)
    queue.keep(unit, webhook, delivery, weight)


def _put_back(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    """A dead letter that is queued for every caller is in the queue."""
    if delivery.state == DeliveryState.DEAD_LETTER:
        queue.put_back(unit, webhook, delivery)


def _rest(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    state: WebhookState,
    until_ms: int,
    cause: str,
    now_ms: int,
) -> None:
    """The webhook waits as after an error, but none counts."""
    state.next_attempt_ms = state.resting_ms = max(until_ms, now_ms + 1)
    readiness.reconcile(unit, webhook, state)
    fact = format_facts.WebhookRenderingRests(until=state.resting_ms, cause=cause)
    unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
    action = Action(
        at_ms=now_ms, action="rendering", outcome="rests", detail=RESTS.get(cause, cause)
    )
    activity.add(unit, webhook.number, action)


def _skip(
    unit: Unit, settings: Settings, webhook: Webhook, delivery: Delivery, now_ms: int
) -> None:
    """Its format wants a record of the receiver's that its chat does not name."""
    delivery.discarded_by, delivery.discard_reason = BY_FORMAT
    queue.end(unit, webhook, delivery, DeliveryState.DISCARDED, now_ms)
    unit.meta.totals.discarded += 1
    unit.meta.totals.no_record += 1
    fact = facts.DeliveryDiscarded(
        delivery=queue.delivery_id(webhook.number, delivery),
        was="queued",
        deliveries=1,
        messages=delivery.messages,
        reason=NO_RECORD,
        caller=BY,
    )
    unit.tell(settings.workspace, fact, now_ms, delivery.chat_id, webhook.id)
    activity.add_of(
        unit,
        webhook.number,
        delivery,
        now_ms,
        action="discarded",
        outcome="discarded",
        detail=f"{NO_RECORD}, by {BY}",
    )


def _set_aside(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    delivery: Delivery,
    made: Unrenderable,
    now_ms: int,
) -> None:
    """It is a dead letter, of which the receiver knows nothing."""
    weight = history.weight(delivery)
    _put_back(unit, webhook, delivery)
    # What was queued again before it becomes a dead letter anew is not queued for ever.
    moving.begun(unit.state(webhook.number), delivery.number)
    where = f"{made.pointer}: " if made.pointer else ""
    delivery.last_error = f"{kinds.FORMAT}: {made.code}: {where}{made.why}"
    delivery.status = 0
    queue.move_to_dead_letters(unit, webhook, delivery, weight, kinds.FORMAT)
    fact = format_facts.DeliveryNotRendered(
        delivery=queue.delivery_id(webhook.number, delivery),
        messages=delivery.messages,
        pointer=made.pointer,
        code=made.code.value,
        why=made.why,
    )
    unit.tell(settings.workspace, fact, now_ms, delivery.chat_id, webhook.id)
    activity.add_of(
        unit,
        webhook.number,
        delivery,
        now_ms,
        action="bundle" if delivery.bundle else "message",
        outcome="dead_letter",
        detail=delivery.last_error,
    )
