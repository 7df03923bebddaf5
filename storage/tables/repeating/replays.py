"""Replays: many deliveries that are sent once more, chosen by a filter. A webhook has one at most.

A replay walks what there was when it was asked for, from the oldest on, in steps (transitions/
timed/replay_steps.py): dead letters that the filter means are queued again, and delivered ones are
resent, each in its old position. It keeps its order by a gate: as long as the walk has not come to
a number, the webhook begins no delivery from there on. When the walk is over the gate is open, and
the replay is `sending` until nothing of it waits.

It is cancelled by the same kind of walk, over what waits: dead letters are dead letters again, and
resends are over. The one being sent is not touched, and is its own no longer.

The record says how far it has come, and is written with the rows of a step; so a crash loses no
place. A delivery knows the number of its replay (`Delivery.replay`) as long as it waits.
"""

from typing import Literal

from hookbundle.storage import facts
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Action, Delivery, Replay
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity

QUEUING, SENDING, CANCELLING = "queuing", "sending", "cancelling"
DONE, CANCELLED = "done", "cancelled"
OVER = (DONE, CANCELLED)
KEPT = 20  # of a workspace, those that are over and the one under way

Became = Literal["delivered", "failed", "dropped", "released"]


def key_of(workspace: int, number: int) -> bytes:
    return keyspace.owned_numbered(keyspace.REPLAYS, workspace, number)


def find(unit: Unit, workspace: int, number: int) -> Replay | None:
    """None also if its record is damaged: a webhook must not wait for that."""
    return unit.readable(key_of(workspace, number), Replay)


def of_webhook(unit: Unit, webhook: Webhook) -> Replay | None:
    """The replay of the webhook that is not over."""
    number = unit.state(webhook.number).replay
    return find(unit, webhook.workspace, number) if number else None


def keep(unit: Unit, workspace: int, replay: Replay) -> None:
    unit.put(key_of(workspace, replay.number), replay)


def due_of(webhook: Webhook) -> Due:
    return Due(0, DueKind.REPLAY, webhook.number)


def needs_a_step(replay: Replay) -> bool:
    """Whether its webhook has a row in the due index."""
    walks = replay.state in (QUEUING, CANCELLING)
    return walks or (replay.state == SENDING and not replay.waiting)


def left(unit: Unit, webhook: Webhook, delivery: Delivery, became: Became) -> None:
    """A delivery waits no longer, or no longer for its replay, if it has one.

    The head is the caller's to store.
    """
    number, delivery.replay = delivery.replay, 0
    if not number or number != unit.state(webhook.number).replay:
        return  # it has none, or that is over
    replay = find(unit, webhook.workspace, number)
    if replay is None:
        return
    replay.waiting -= 1
    setattr(replay, became, getattr(replay, became) + 1)
    keep(unit, webhook.workspace, replay)
    if needs_a_step(replay):
        unit.put_due(due_of(webhook))


def close(
    unit: Unit, settings: Settings, webhook: Webhook, replay: Replay, now_ms: int, state: str
) -> None:
    """The replay is over. `state`: DONE or CANCELLED."""
    replay.state, replay.ended_ms = state, now_ms
    replay.dropped += replay.waiting
    replay.waiting = 0
    keep(unit, webhook.workspace, replay)
    forget(unit, webhook, unit.state(webhook.number))
    fact = facts.ReplayEnded(
        replay=replay.number,
        outcome="cancelled" if state == CANCELLED else "done",
        queued=replay.queued,
        delivered=replay.delivered,
        failed=replay.failed,
        dropped=replay.dropped,
    )
    unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
    action = Action(
        at_ms=now_ms,
        action="replay ended",
        messages=replay.queued_messages,
        outcome=state,
        detail=f"replay {replay.number}: {replay.delivered} of {replay.queued} delivered",
    )
    activity.add(unit, webhook.number, action)


def forget(unit: Unit, webhook: Webhook, state: WebhookState) -> None:
    """The webhook has no replay, and waits for none."""
    state.replay = state.gate = 0
    unit.delete_due(due_of(webhook))


def all_of(unit: Unit, workspace: int) -> list[tuple[bytes, Replay | None]]:
    """The workspace's replays by their keys, oldest first; None for one that is damaged."""
    prefix = keyspace.owned(keyspace.REPLAYS, workspace)
    return [(key, codec.readable(key, value, Replay)) for key, value in unit.rows(prefix)]


def forget_oldest(unit: Unit, known: list[tuple[bytes, Replay | None]]) -> None:
    """There is room for one more: of those that are over the oldest are deleted."""
    over = [key for key, replay in known if replay is None or replay.state in OVER]
    for key in over[: max(len(known) + 1 - KEPT, 0)]:
        unit.delete(key)
