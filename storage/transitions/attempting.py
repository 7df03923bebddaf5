"""Attempts: begun before the first byte leaves, finished with everything their outcome changes.

outcomes.py says what that is. It is one transition, so no crash can come between its parts. An
attempt that was begun and never finished is found at the next begin: its outcome is unknown, it is
no error, and the delivery is sent again at once, with the same id and the same bytes.

A delivery of a webhook with a format is not begun before its body was rendered: the answer is a
`Render`, and rendering/storing.py takes what comes of it.
"""

import msgspec

from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Outcome
from hookbundle.engine.delivery.states import DEAD_LETTER, DELIVERY_MOVES, IN_FLIGHT
from hookbundle.engine.delivery.success import Success, success_of
from hookbundle.engine.delivery.urls import shown_url
from hookbundle.engine.errors import Code, Conflict
from hookbundle.engine.formats.jobs import Job
from hookbundle.engine.requests.request import Request, stored
from hookbundle.storage import facts
from hookbundle.storage.database.delivery_records import Attempt, Delivery
from hookbundle.storage.database.records import Flight, WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, erasures, failing, moving, queue, readiness
from hookbundle.storage.tables.pacing import pace
from hookbundle.storage.tables.rendering import jobs
from hookbundle.storage.transitions import outcomes


class BeginAttempt(msgspec.Struct, frozen=True):
    """Asks for the next delivery of the webhook, if one may be sent now."""

    webhook: int
    now_ms: int


class FinishAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of the attempt, and all of it but the body, which is stored already.

    `go_on`: the answer shall be the next delivery. `requests`: how often the request went out.

    `spread` in [-1, 1] is the draw of the jitter: the caller's, as a transition has no randomness.
    """

    webhook: int
    delivery: int
    attempt: int
    outcome: Outcome
    result: Attempt
    now_ms: int
    spread: float
    policy: BackoffPolicy
    go_on: bool
    requests: int = 1


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery to send now. Secrets come newest first.

    `request`: with which method, headers and credentials. `errors`, `own_faults`: how many in a row
    came before it. `is_first`: the webhook was never called before. `may_repeat`: the request may
    go out a second time, over a new connection.
    """

    delivery_id: str
    delivery: Delivery
    body: bytes
    attempt: int
    url: str
    request: Request
    success: Success
    secrets: tuple[str, ...]
    workspace: int
    errors: int
    own_faults: int
    is_first: bool
    may_repeat: bool = True


class Render(msgspec.Struct, frozen=True):
    """The next delivery needs a body of its webhook's format first: `StoreBody` brings it.

    Nothing was written for it: who does not come back has changed nothing.
    """

    webhook: int
    workspace: int
    delivery: int
    job: Job


class AskAgain(msgspec.Struct, frozen=True):
    """The queue begins with deliveries of deleted chats; some are erased, others may be left."""


class Idle(msgspec.Struct, frozen=True):
    """Nothing may be sent now. The transition that changes this wakes the webhook."""


class Next(msgspec.Struct, frozen=True, gc=False):
    """The delivery whose turn it is. `instead_of`: the number of the head in the place of which it
    goes, or 0."""

    delivery: Delivery
    instead_of: int = 0


Step = Begun | Render | AskAgain | Idle


def begin_attempt(unit: Unit, transition: BeginAttempt) -> Step:
    """Raises: NotFound if the webhook is gone."""
    settings, webhook = unit.webhook_numbered(transition.webhook)
    state = unit.state(webhook.number)
    if state.flight is not None:
        record_lost(unit, settings, webhook, state.flight, transition.now_ms)
    return begin_next(unit, settings, webhook, state, transition.now_ms)


def finish_attempt(unit: Unit, transition: FinishAttempt) -> Step:
    """Raises: NotFound if the webhook is gone; Conflict if this attempt is not under way."""
    settings, webhook = unit.webhook_numbered(transition.webhook)
    state = unit.state(webhook.number)
    flight = state.flight
    finished = (transition.delivery, transition.attempt)
    if flight is None or (flight.delivery, flight.attempt) != finished:
        raise Conflict.of(Code.ATTEMPT_OVER, delivery=finished[0], attempt=finished[1])
    delivery = queue.find(unit, webhook.number, transition.delivery)
    # Else it was deleted with its chat, or discarded for lost, and nothing of the attempt is kept.
    if delivery is not None and outcomes.is_awaited(state, delivery):
        # Enabling and a new URL raise the epoch. An attempt that began before says nothing of the
        # receiver as it is now: it may deliver, but it neither counts nor disables.
        of_the_past = flight.epoch != state.epoch
        ended = outcomes.Ended(
            flight=flight,
            outcome=transition.outcome,
            result=transition.result,
            now_ms=transition.now_ms,
            spread=transition.spread,
            policy=transition.policy,
            of_the_past=of_the_past,
        )
        outcomes.apply(unit, settings, webhook, delivery, ended)
    if pace.is_paced(webhook):
        pace.ended(unit, settings, webhook, flight, transition.requests, transition.now_ms)
    # Last, because the flight is what makes the delivery one in flight. From here on the same
    # outcome again is a Conflict: two outcomes of one attempt can't both be recorded.
    state.flight = None
    if transition.go_on:
        following = begin_next(unit, settings, webhook, state, transition.now_ms)
        if not isinstance(following, Idle):
            return following
    readiness.reconcile(unit, webhook, state)
    return Idle()


def record_lost(
    unit: Unit, settings: Settings, webhook: Webhook, flight: Flight, now_ms: int
) -> None:
    """An attempt that has no end yet will never have one: its actor asks for the next one."""
    if pace.is_paced(webhook):
        pace.ended(unit, settings, webhook, flight, 1, now_ms)
    outcomes.record_lost(unit, settings, webhook, flight, now_ms)


def begin_next(
    unit: Unit, settings: Settings, webhook: Webhook, state: WebhookState, now_ms: int
) -> Step:
    """The attempt of the delivery whose turn it is begins, if it has a body to send."""
    turn = whose_turn(unit, settings, webhook, state, now_ms)
    if not isinstance(turn, Next):
        return turn
    return begin(unit, settings, webhook, state, turn, now_ms)


def whose_turn(
    unit: Unit, settings: Settings, webhook: Webhook, state: WebhookState, now_ms: int
) -> Next | AskAgain | Idle:
    """The delivery to send now, if one may be sent."""
    if not state.enabled or not webhook.url or state.merging is not None:
        return Idle()
    if pace.is_paced(webhook) and readiness.has_work(state):
        pace.judge(unit, settings, webhook, state, now_ms)
    if readiness.waits_until_ms(state) > now_ms:
        readiness.reconcile(unit, webhook, state)
        return Idle()
    head = queue.head(unit, webhook)
    if head is None:
        return Idle()
    erased, after = head, 0
    if not erasures.is_erased(unit, webhook, head):
        if not failing.is_in_question(state, head):
            return Next(head)
        following = queue.head(unit, webhook, after=head.number)
        if following is None:
            return Next(head)
        if not erasures.is_erased(unit, webhook, following):
            return Next(following, head.number)
        erased, after = following, head.number
    erasures.erase_heads(unit, settings, webhook, erased, now_ms, after)
    readiness.reconcile(unit, webhook, state)
    return AskAgain()


def begin(
    unit: Unit, settings: Settings, webhook: Webhook, state: WebhookState, turn: Next, now_ms: int
) -> Begun | Render:
    """The attempt begins, or its body is asked for."""
    if webhook.format and jobs.is_wanted(webhook, turn.delivery):
        job = jobs.job_of(unit, settings, webhook, turn.delivery)
        readiness.reconcile(unit, webhook, state)
        return Render(webhook.number, webhook.workspace, turn.delivery.number, job)
    begun = _begin(unit, settings, webhook, turn.delivery, turn.instead_of, now_ms)
    readiness.reconcile(unit, webhook, state)
    return begun


def _begin(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    delivery: Delivery,
    instead_of: int,
    now_ms: int,
) -> Begun:
    state = unit.state(webhook.number)
    if not delivery.resending:  # else it stays delivered
        before = queue.state_of(unit, webhook.number, delivery)
        states.move(DELIVERY_MOVES, before, IN_FLIGHT)
    body = bodies.sent(unit.get_raw, webhook.number, delivery)
    if delivery.state == DEAD_LETTER:  # queued again, and not moved there yet
        queue.put_back(unit, webhook, delivery)
    moving.begun(state, delivery.number)
    state.next_attempt_ms = 0
    may_repeat = True
    if pace.is_paced(webhook):
        may_repeat = pace.begun(unit, settings, webhook, state, now_ms)
    attempt = delivery.attempts + 1
    state.flight = Flight(
        delivery=delivery.number,
        attempt=attempt,
        began_ms=now_ms,
        epoch=state.epoch,
        url=shown_url(webhook.url),
        instead_of=instead_of,
    )
    delivery_id = queue.delivery_id(webhook.number, delivery)
    fact = facts.DeliveryAttempted(delivery=delivery_id, attempt=attempt)
    unit.tell(settings.workspace, fact, now_ms, delivery.chat_id, webhook.id)
    return Begun(
        delivery_id=delivery_id,
        delivery=delivery,
        body=body,
        attempt=attempt,
        url=webhook.url,
        request=stored(webhook.request),
        success=success_of(webhook.success, webhook.success_rules),
        secrets=tuple(
            secret.value
            for secret in webhook.secrets
            if not secret.expires_ms or secret.expires_ms > now_ms
        ),
        workspace=webhook.workspace,
        errors=state.consecutive_errors,
        own_faults=state.own_faults,
        is_first=not state.log_next,
        may_repeat=may_repeat,
    )
