"""A webhook's deliveries go where commands for all of them have put them, in steps.

For every caller they are there already; see tables/moving.py. So a step changes no counter but
those of history, tells nothing, and may come at any time: before a crash, after it, or between the
attempts of the deliveries that it moves.
"""

from itertools import islice

import msgspec

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.records import Moving
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import history, moving, queue
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.repeating import resends
from hookbundle.storage.transitions.timed.readable import readable


class MoveDeliveries(msgspec.Struct, frozen=True):
    """Goes on moving up to `most` deliveries of the webhook."""

    webhook: int
    most: int
    now_ms: int


class Moved(msgspec.Struct, frozen=True):
    finished: bool


def move_deliveries(unit: Unit, transition: MoveDeliveries) -> Moved:
    """Raises: NotFound if the webhook is gone."""
    _, webhook = unit.any_webhook_numbered(transition.webhook)
    state = unit.state(webhook.number)
    if state.moving is None:
        return Moved(finished=True)
    unit.usage(webhook.workspace)  # now, so that a damaged one ends the step before its first write
    unit.advance_time(transition.now_ms)
    left = transition.most - _discard(unit, webhook, state.moving, transition)
    if left and state.moving.resends:
        left -= _end_resends(unit, webhook, state.moving, left)
    for prefix in kinds.ALL:
        if left:
            left -= _return(unit, webhook, state.moving, prefix, left)
    if not left:
        return Moved(finished=False)
    moving.finish(unit, webhook.number, state)
    return Moved(finished=True)


def _discard(unit: Unit, webhook: Webhook, marks: Moving, transition: MoveDeliveries) -> int:
    """How many deliveries became history; fewer than there may be if none is left."""
    most, done = transition.most, 0
    for prefix in (*kinds.ALL, keyspace.QUEUED):
        found = moving.between(unit.rows, prefix, webhook.number, 0, marks.discard_before)
        for number in list(islice((n for n in found if n != marks.discard_but), most - done)):
            delivery = readable(unit, webhook, number)
            if delivery is not None:
                queue.finish_discard(unit, webhook, delivery, transition.now_ms)
            else:  # `check` has named it; of its text nothing may stay
                unit.delete(keyspace.owned_numbered(prefix, webhook.number, number))
                history.delete_unreadable(unit, webhook.number, number)
            done += 1
    if done < most:
        marks.discard_before = marks.discard_but = 0
    return done


def _end_resends(unit: Unit, webhook: Webhook, marks: Moving, most: int) -> int:
    """How many resends are over; fewer than `most` if none is left."""
    prefix = keyspace.RESENDS
    found = moving.between(unit.rows, prefix, webhook.number, 0, moving.NO_END)
    numbers = list(islice((number for number in found if number != marks.resends_but), most))
    for number in numbers:
        delivery = readable(unit, webhook, number)
        if delivery is not None:
            resends.end(unit, webhook, delivery, "dropped")
        else:
            unit.delete(keyspace.owned_numbered(prefix, webhook.number, number))
            history.delete_unreadable(unit, webhook.number, number)
    if len(numbers) < most:
        marks.resends, marks.resends_but = False, 0
    return len(numbers)


def _return(unit: Unit, webhook: Webhook, marks: Moving, prefix: bytes, most: int) -> int:
    """How many dead letters are in the queue; fewer than `most` if none is left."""
    back = kinds.stretch_of(marks, prefix)
    found = moving.between(unit.rows, prefix, webhook.number, back.first, back.end)
    numbers = list(islice((number for number in found if number != back.but), most))
    for number in numbers:
        delivery = readable(unit, webhook, number)
        if delivery is not None:  # else it stays where it is, and holds up nothing behind it
            queue.put_back(unit, webhook, delivery)
        kinds.pass_by(marks, prefix, number)
    return len(numbers)
