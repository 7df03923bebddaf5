"""The steps of a replay: deliveries are put into the queue, or taken back, a bounded number each.

The place in the record and the gate of the webhook move with the rows, in one transaction. What a
step can't read it passes over: a damaged delivery must not hold up those behind it.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import NamedTuple

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Delivery, Replay
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.rows import READ_WEIGHT
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import erasures, history, moving, queue, readiness
from hookbundle.storage.tables.repeating import candidates, replays, resends
from hookbundle.storage.tables.repeating.matching import matches
from hookbundle.storage.transitions.timed.readable import readable

LOOKED_AT = 6  # to look at so many deliveries costs as much as to change one


class ReplayStep(msgspec.Struct, frozen=True):
    """Goes on with the webhook's replay: changes up to `most` deliveries."""

    webhook: int
    most: int
    now_ms: int


class Replayed(msgspec.Struct, frozen=True):
    """`finished`: there is nothing to do now. `wake`: webhooks that may send what they may not
    have sent before."""

    finished: bool
    wake: tuple[int, ...] = ()


class Changed(NamedTuple):
    """The ids of the deliveries that a step has put, or taken back."""

    dead_letters: list[str]
    resends: list[str]


def replay_step(unit: Unit, transition: ReplayStep) -> Replayed:
    """Raises: NotFound if the webhook is gone."""
    settings, webhook = unit.webhook_numbered(transition.webhook)
    state, now_ms = unit.state(webhook.number), transition.now_ms
    unit.usage(webhook.workspace)  # now, so that a damaged one ends the step before its first write
    unit.advance_time(now_ms)
    replay = replays.of_webhook(unit, webhook)
    is_finished = True
    if replay is None:  # `check` has named it; its webhook must not wait for it
        replays.forget(unit, webhook, state)
    elif replay.state == replays.CANCELLING:
        is_finished, back = _take_back(unit, webhook, state, replay, transition.most)
        _tell(unit, settings, webhook, facts.ReplayTakenBack, replay.number, back, now_ms)
        if is_finished:
            _close(unit, settings, webhook, now_ms, replays.CANCELLED)
    else:
        if replay.state == replays.QUEUING:
            is_finished, put = _queue(unit, webhook, state, replay, transition.most)
            _tell(unit, settings, webhook, facts.ReplayQueued, replay.number, put, now_ms)
        if is_finished and not replay.waiting:
            _close(unit, settings, webhook, now_ms, replays.DONE)
        elif is_finished:
            unit.delete_due(replays.due_of(webhook))
    readiness.reconcile(unit, webhook, state)
    return Replayed(is_finished, (webhook.number,) if state.ready else ())


def _tell(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    fact: type[facts.ReplayQueued | facts.ReplayTakenBack],
    replay: int,
    changed: Changed,
    now_ms: int,
) -> None:
    if changed.dead_letters or changed.resends:
        of_it = fact(replay=replay, dead_letters=changed.dead_letters, resends=changed.resends)
        unit.tell(settings.workspace, of_it, now_ms, webhook=webhook.id)


def _close(unit: Unit, settings: Settings, webhook: Webhook, now_ms: int, to: str) -> None:
    replay = replays.of_webhook(unit, webhook)
    if replay is not None:
        replays.close(unit, settings, webhook, replay, now_ms, to)


def _queue(
    unit: Unit, webhook: Webhook, state: WebhookState, replay: Replay, most: int
) -> tuple[bool, Changed]:
    """Deliveries that the filter means wait to be sent. True if there are no more."""
    budget, put = most * LOOKED_AT, Changed([], [])
    wanted, place, before = replay.wanted, replay.place, replay.before
    found = candidates.numbers(unit.rows, webhook, state, wanted, place, before)
    numbers = list(islice(found, budget))
    is_whole = len(numbers) < budget
    for number in numbers:
        if budget <= 0:
            is_whole = False
            break
        replay.place = number + 1
        unit.weight += READ_WEIGHT
        delivery = readable(unit, webhook, number)
        budget -= 1
        if delivery is not None and _is_meant(unit, webhook, state, replay, delivery):
            _put(unit, webhook, replay, delivery, put)
            budget -= LOOKED_AT
    if is_whole:
        replay.state, replay.place, state.gate = replays.SENDING, before, 0
    else:
        state.gate = replay.place
    replays.keep(unit, webhook.workspace, replay)
    return is_whole, put


def _is_meant(
    unit: Unit, webhook: Webhook, state: WebhookState, replay: Replay, delivery: Delivery
) -> bool:
    seen = moving.state_of(state, delivery)
    if not matches(delivery, seen, replay.wanted) or delivery.resending:
        return False
    return not erasures.is_erased(unit, webhook, delivery)


def _put(unit: Unit, webhook: Webhook, replay: Replay, delivery: Delivery, put: Changed) -> None:
    delivery_id = queue.delivery_id(webhook.number, delivery)
    if delivery.state == DeliveryState.DELIVERED:
        resends.begin(unit, webhook, delivery, replay.number)
        put.resends.append(delivery_id)
    else:
        queue.requeue(unit, webhook, delivery, replay.number)
        put.dead_letters.append(delivery_id)
    replay.queued += 1
    replay.queued_messages += delivery.messages
    replay.waiting += 1


def _take_back(
    unit: Unit, webhook: Webhook, state: WebhookState, replay: Replay, most: int
) -> tuple[bool, Changed]:
    """What the replay has put, and was not sent, is as it was before. True if there is no more."""
    budget, place, back = most * LOOKED_AT, replay.place, Changed([], [])
    numbers = list(islice(_waiting(unit, webhook, replay), budget))
    is_whole = len(numbers) < budget
    for number in numbers:
        if budget <= 0:
            is_whole = False
            break
        place = number + 1
        unit.weight += READ_WEIGHT
        delivery = readable(unit, webhook, number)
        budget -= 1
        if delivery is not None and delivery.replay == replay.number:
            _undo(unit, webhook, state, delivery, back)
            budget -= LOOKED_AT
    state.gate = place
    now = replays.of_webhook(unit, webhook)  # each of them has changed it
    if now is not None:
        now.place = place
        replays.keep(unit, webhook.workspace, now)
    return is_whole, back


def _undo(
    unit: Unit, webhook: Webhook, state: WebhookState, delivery: Delivery, back: Changed
) -> None:
    """What is being sent goes on: it is the replay's no longer."""
    if state.flight is not None and state.flight.delivery == delivery.number:
        replays.left(unit, webhook, delivery, "released")
        delivery.dead_reason = ""
        queue.keep(unit, webhook, delivery, history.weight(delivery))
        return
    delivery_id = queue.delivery_id(webhook.number, delivery)
    if delivery.resending:
        resends.end(unit, webhook, delivery, "dropped")
        back.resends.append(delivery_id)
    else:
        queue.take_back(unit, webhook, delivery)
        back.dead_letters.append(delivery_id)


def _waiting(unit: Unit, webhook: Webhook, replay: Replay) -> Iterator[int]:
    """Numbers of what is queued or to be resent, from the replay's place on."""
    first, end = replay.place, replay.before
    return merge(
        *(
            moving.between(unit.rows, prefix, webhook.number, first, end)
            for prefix in (keyspace.QUEUED, keyspace.RESENDS)
        )
    )
