"""What people do to a delivery: retry it, or discard it.

A dead letter that is retried is back in its old position in the queue, ahead of everything that
was sealed after it, its rejections forgotten. The wait after an error belongs to the webhook, not
to one delivery; so a retry ends the wait, and the head of the queue goes first.
The count of consecutive errors stays: only a success or enabling the webhook sets it to 0.
"""

from dataclasses import dataclass

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Action, Delivery
from hookbundle.storage.database.records import Webhook, WebhookState
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.facts import Was
from hookbundle.storage.tables import activity, queue, readiness

DISCARDED = DeliveryState.DISCARDED
WAITS: dict[str, Was] = {DeliveryState.QUEUED: "pending", DeliveryState.DEAD_LETTER: "parked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDelivery:
    workspace_id: str
    number: int
    now_ms: int
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDeadLetters:
    """The oldest `most` of the workspace's dead letters with a number above `after`."""

    workspace_id: str
    after: int
    most: int
    now_ms: int
    caller: str


@dataclass(frozen=True, slots=True)
class Retried:
    """`returned`: how many dead letters are queued again; `last` is the number of the last.

    `wake`: webhooks that have something to send.
    """

    returned: int
    messages: int
    last: int
    wake: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardDelivery:
    """An attempt that began before `alive_since_ms` is not under way: its daemon has died."""

    workspace_id: str
    number: int
    reason: str
    alive_since_ms: int
    now_ms: int
    caller: str


@dataclass(frozen=True, slots=True)
class Discarded:
    chat_id: str
    messages: int
    was: Was


def retry_delivery(unit: Unit, transition: RetryDelivery) -> Retried:
    """Raises: NotFound; Conflict for a queued one of a webhook that sends nothing."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.outbound
    state = unit.state(webhook.number)
    delivery, was = _find(unit, webhook, transition.number)
    if was == "pending" and not (state.enabled and webhook.url):
        missing = "is disabled; enable it" if webhook.url else "has no URL; set one"
        raise Conflict(
            f"the webhook of workspace {settings.workspace.id!r} {missing}, and it goes on"
        )
    waited = state.next_attempt_ms > transition.now_ms
    state.next_attempt_ms = 0
    if was == "parked":
        queue.requeue(unit, webhook, delivery)
    if waited or was == "parked":
        _tell_retried(unit, settings, webhook, delivery, was, transition)
        _act_retried(unit, webhook, [delivery], transition)
    readiness.reconcile(unit, webhook, state)
    returned = int(was == "parked")
    wake = (webhook.number,) if state.ready else ()
    return Retried(returned, delivery.messages, delivery.number, wake)


def retry_dead_letters(unit: Unit, transition: RetryDeadLetters) -> Retried:
    """Raises: NotFound."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.outbound
    state = unit.state(webhook.number)
    returned: list[Delivery] = []
    for delivery in queue.all_of(unit, keyspace.DEAD_LETTERS, webhook.number):
        if len(returned) == transition.most:
            break
        if delivery.number > transition.after and not queue.is_erased(unit, webhook, delivery):
            queue.requeue(unit, webhook, delivery)
            _tell_retried(unit, settings, webhook, delivery, "parked", transition)
            returned.append(delivery)
    if returned:
        state.next_attempt_ms = 0
        _act_retried(unit, webhook, returned, transition)
    readiness.reconcile(unit, webhook, state)
    return Retried(
        returned=len(returned),
        messages=sum(delivery.messages for delivery in returned),
        last=returned[-1].number if returned else transition.after,
        wake=(webhook.number,) if state.ready else (),
    )


def discard_delivery(unit: Unit, transition: DiscardDelivery) -> Discarded:
    """Raises: NotFound; Conflict while it is being sent."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.outbound
    state = unit.state(webhook.number)
    delivery, was = _find(unit, webhook, transition.number)
    delivery_id = queue.delivery_id(webhook.number, delivery)
    if in_flight(state, delivery.number, transition.alive_since_ms):
        raise Conflict(f"delivery {delivery_id!r} is being sent; try again when its outcome is in")
    queue.end(unit, webhook, delivery, DISCARDED, transition.now_ms)
    unit.meta.totals.discarded += 1
    unit.tell(
        settings.workspace,
        facts.DeliveryDiscarded(
            delivery=delivery_id,
            was=was,
            deliveries=1,
            messages=delivery.messages,
            reason=transition.reason,
            caller=transition.caller,
        ),
        transition.now_ms,
        delivery.chat_id,
    )
    action = Action(
        at_ms=transition.now_ms,
        action="discarded",
        chat_id=delivery.chat_id,
        messages=delivery.messages,
        outcome="discarded",
        detail=f"{transition.reason}, by {transition.caller}",
        delivery=delivery.number,
    )
    activity.add(unit, webhook.number, action)
    readiness.reconcile(unit, webhook, state)
    return Discarded(delivery.chat_id, delivery.messages, was)


def in_flight(state: WebhookState, number: int, alive_since_ms: int) -> bool:
    """Whether the delivery is being sent at this moment."""
    flight = state.flight
    return flight is not None and flight.delivery == number and flight.began_ms >= alive_since_ms


def _find(unit: Unit, webhook: Webhook, number: int) -> tuple[Delivery, Was]:
    delivery = queue.find(unit, webhook.number, number)
    if delivery is not None and not queue.is_erased(unit, webhook, delivery):
        was = WAITS.get(delivery.state)
        if was is not None:
            return delivery, was
    raise NotFound(f"delivery number {number} is not waiting: it was delivered or discarded")


def _tell_retried(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    delivery: Delivery,
    was: Was,
    transition: RetryDelivery | RetryDeadLetters,
) -> None:
    fact = facts.DeliveryRetried(
        delivery=queue.delivery_id(webhook.number, delivery),
        was=was,
        messages=delivery.messages,
        caller=transition.caller,
    )
    unit.tell(settings.workspace, fact, transition.now_ms, delivery.chat_id)


def _act_retried(
    unit: Unit,
    webhook: Webhook,
    deliveries: list[Delivery],
    transition: RetryDelivery | RetryDeadLetters,
) -> None:
    """One activity line for all steps of a request, so that they don't crowd out the others."""
    messages = sum(delivery.messages for delivery in deliveries)
    alone = isinstance(transition, RetryDelivery)
    detail = f"{'' if alone else 'all dead_letters, '}by {transition.caller}"
    before = None
    if not alone:
        same = ("retried", detail)
        before = activity.newest(
            unit, webhook.number, lambda line: (line.action, line.detail) == same
        )
    if before is not None:
        messages += before.messages
    action = Action(
        at_ms=transition.now_ms,
        action="retried",
        chat_id=deliveries[0].chat_id if alone else "",
        messages=messages,
        outcome="pending",
        detail=detail,
        delivery=deliveries[0].number if alone else 0,
    )
    activity.add(unit, webhook.number, action, goes_on=before is not None)
