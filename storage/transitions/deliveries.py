"""What people do to a delivery: retry it, or discard it.

A dead letter that is retried is back in its old position in the queue, ahead of everything that
was sealed after it, its rejections forgotten. The wait after an error belongs to the webhook, not
to one delivery; so a retry ends the wait, and the head of the queue goes first.
The count of consecutive errors stays: only a success or enabling the webhook sets it to 0.
"""

from dataclasses import dataclass

from hookbundle.engine import limits
from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.records import Action, Delivery, WebhookState, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.facts import Was
from hookbundle.storage.tables import queue, readiness

DISCARDED = DeliveryState.DISCARDED


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

    `wake`: the webhook has something to send.
    """

    workspace_number: int
    returned: int
    messages: int
    last: int
    wake: bool


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
    workspace = unit.workspace(transition.workspace_id)
    state = unit.state(workspace.number)
    delivery, was = _find(unit, workspace, transition.number)
    if was == "pending" and not (state.enabled and workspace.url):
        missing = "is disabled; enable it" if workspace.url else "has no URL; set one"
        raise Conflict(f"the webhook of workspace {workspace.id!r} {missing}, and it goes on")
    waited = state.next_attempt_ms > transition.now_ms
    state.next_attempt_ms = 0
    if was == "parked":
        queue.requeue(unit, workspace.number, delivery)
    if waited or was == "parked":
        _tell_retried(unit, workspace, delivery, was, transition)
        _act_retried(unit, workspace, [delivery], transition)
    readiness.reconcile(unit, workspace, state)
    returned = int(was == "parked")
    return Retried(workspace.number, returned, delivery.messages, delivery.number, state.ready)


def retry_dead_letters(unit: Unit, transition: RetryDeadLetters) -> Retried:
    """Raises: NotFound."""
    workspace = unit.workspace(transition.workspace_id)
    state = unit.state(workspace.number)
    returned: list[Delivery] = []
    for delivery in queue.all_of(unit, keyspace.DEAD_LETTERS, workspace.number):
        if len(returned) == transition.most:
            break
        if delivery.number > transition.after and not queue.is_erased(
            unit, workspace.number, delivery
        ):
            queue.requeue(unit, workspace.number, delivery)
            _tell_retried(unit, workspace, delivery, "parked", transition)
            delivery.body = b""  # it is stored again; the bodies of all may not fit into memory
            returned.append(delivery)
    if returned:
        state.next_attempt_ms = 0
        _act_retried(unit, workspace, returned, transition)
    readiness.reconcile(unit, workspace, state)
    return Retried(
        workspace_number=workspace.number,
        returned=len(returned),
        messages=sum(delivery.messages for delivery in returned),
        last=returned[-1].number if returned else transition.after,
        wake=state.ready,
    )


def discard_delivery(unit: Unit, transition: DiscardDelivery) -> Discarded:
    """Raises: NotFound; Conflict while it is being sent."""
    workspace = unit.workspace(transition.workspace_id)
    state = unit.state(workspace.number)
    delivery, was = _find(unit, workspace, transition.number)
    delivery_id = queue.delivery_id(workspace.number, delivery)
    if in_flight(state, delivery.number, transition.alive_since_ms):
        raise Conflict(f"delivery {delivery_id!r} is being sent; try again when its outcome is in")
    if was == "parked":
        queue.remove_dead_letter(unit, workspace.number, delivery, DISCARDED)
    else:
        queue.remove(unit, workspace.number, delivery, DISCARDED)
    unit.meta.totals.discarded += 1
    unit.emit(
        facts.DeliveryDiscarded(
            delivery=delivery_id,
            was=was,
            deliveries=1,
            messages=delivery.messages,
            reason=transition.reason,
            caller=transition.caller,
        ),
        transition.now_ms,
        workspace.id,
        delivery.chat_id,
    )
    action = Action(
        at_ms=transition.now_ms,
        action="discarded",
        chat_id=delivery.chat_id,
        messages=delivery.messages,
        outcome="discarded",
        detail=f"{transition.reason}, by {transition.caller}",
    )
    unit.add_action(workspace.number, action, limits.ACTIVITY_ENTRIES)
    readiness.reconcile(unit, workspace, state)
    return Discarded(delivery.chat_id, delivery.messages, was)


def in_flight(state: WebhookState, number: int, alive_since_ms: int) -> bool:
    """Whether the delivery is being sent at this moment."""
    flight = state.flight
    return flight is not None and flight.delivery == number and flight.began_ms >= alive_since_ms


def _find(unit: Unit, workspace: Workspace, number: int) -> tuple[Delivery, Was]:
    tables: tuple[tuple[bytes, Was], ...] = (
        (keyspace.QUEUED, "pending"),
        (keyspace.DEAD_LETTERS, "parked"),
    )
    for prefix, was in tables:
        key = keyspace.owned_numbered(prefix, workspace.number, number)
        delivery = unit.get(key, Delivery)
        if delivery is not None and not queue.is_erased(unit, workspace.number, delivery):
            return delivery, was
    raise NotFound(f"delivery number {number} is not waiting: it was delivered or discarded")


def _tell_retried(
    unit: Unit,
    workspace: Workspace,
    delivery: Delivery,
    was: Was,
    transition: RetryDelivery | RetryDeadLetters,
) -> None:
    unit.emit(
        facts.DeliveryRetried(
            delivery=queue.delivery_id(workspace.number, delivery),
            was=was,
            messages=delivery.messages,
            caller=transition.caller,
        ),
        transition.now_ms,
        workspace.id,
        delivery.chat_id,
    )


def _act_retried(
    unit: Unit,
    workspace: Workspace,
    deliveries: list[Delivery],
    transition: RetryDelivery | RetryDeadLetters,
) -> None:
    """One activity line for all steps of a request, so that they don't crowd out the others."""
    messages = sum(delivery.messages for delivery in deliveries)
    alone = isinstance(transition, RetryDelivery)
    detail = f"{'' if alone else 'all dead_letters, '}by {transition.caller}"
    actions = unit.activity(workspace.number).actions
    if not alone and actions and (actions[-1].action, actions[-1].detail) == ("retried", detail):
        messages += actions.pop().messages
    action = Action(
        at_ms=transition.now_ms,
        action="retried",
        chat_id=deliveries[0].chat_id if alone else "",
        messages=messages,
        outcome="pending",
        detail=detail,
    )
    unit.add_action(workspace.number, action, limits.ACTIVITY_ENTRIES)
