"""A replay is asked for, or cancelled. What follows is in timed/replay_steps.py."""

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage import facts
from hookbundle.storage.database import key_fields
from hookbundle.storage.database.delivery_records import Action, Replay, ReplayFilter
from hookbundle.storage.database.settings import OUTBOUND, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity
from hookbundle.storage.tables.repeating import candidates, replays, resends


class StartReplay(msgspec.Struct, frozen=True, kw_only=True):
    """`deliveries`, `messages`: what the filter meant when it was counted."""

    workspace_id: str
    webhook_id: str = OUTBOUND
    wanted: ReplayFilter
    deliveries: int
    messages: int
    now_ms: int
    caller: str


class CancelReplay(msgspec.Struct, frozen=True, kw_only=True):
    workspace_id: str
    number: int
    now_ms: int
    caller: str


class Replaying(msgspec.Struct, frozen=True):
    """The replay as it is now."""

    replay: Replay
    webhook_id: str


def start_replay(unit: Unit, transition: StartReplay) -> Replaying:
    """The webhook sends nothing but what is older than the replay's next delivery, until it is put.

    Raises: NotFound; Conflict if the webhook has a replay that is not over, or no URL.
    """
    settings = unit.workspace(transition.workspace_id)
    webhook, workspace_id = settings.named(transition.webhook_id), settings.workspace.id
    state = unit.state(webhook.number)
    if not webhook.url:
        raise Conflict.of(Code.NO_WEBHOOK_URL, workspace=workspace_id)
    if replays.of_webhook(unit, webhook) is not None:  # a damaged one holds up no other
        raise Conflict.of(Code.REPLAY_UNDER_WAY, replay=state.replay, workspace=workspace_id)
    if resends.are_ending(state):
        raise Conflict.of(Code.RESENDS_ENDING, workspace=workspace_id)
    wanted, before = transition.wanted, unit.meta.delivery_next
    known = replays.all_of(unit, webhook.workspace)
    replay = Replay(
        number=1 + max((key_fields.number(key) for key, _ in known), default=0),
        webhook=webhook.number,
        state=replays.QUEUING,
        wanted=wanted,
        caller=transition.caller,
        created_ms=transition.now_ms,
        before=candidates.end_of(unit.rows, webhook, wanted, before),
        place=max(1, candidates.place_of(unit.rows, webhook, wanted.since_ms, before)),
        counted=transition.deliveries,
        counted_messages=transition.messages,
    )
    replays.forget_oldest(unit, known)
    replays.keep(unit, webhook.workspace, replay)
    state.replay, state.gate = replay.number, replay.place
    unit.put_due(replays.due_of(webhook))
    fact = facts.ReplayStarted(
        replay=replay.number,
        deliveries=transition.deliveries,
        messages=transition.messages,
        caller=transition.caller,
    )
    unit.tell(settings.workspace, fact, transition.now_ms, webhook=webhook.id)
    _note(unit, webhook, replay, "replay started", transition.now_ms, transition.caller)
    return Replaying(replay, webhook.id)


def cancel_replay(unit: Unit, transition: CancelReplay) -> Replaying:
    """From now on nothing of it is begun. One that is being cancelled already is left as it is.

    Raises: NotFound; Conflict if it is over.
    """
    settings = unit.workspace(transition.workspace_id)
    number = transition.number
    replay = replays.find(unit, settings.workspace.number, number)
    webhook = settings.webhook_or_none(replay.webhook) if replay else None
    if replay is None or webhook is None:
        raise NotFound.of(Code.NO_REPLAY, replay=number, workspace=settings.workspace.id)
    state = unit.state(webhook.number)
    if state.replay != number or replay.state in replays.OVER:
        raise Conflict.of(Code.REPLAY_OVER, replay=number, workspace=settings.workspace.id)
    if replay.state != replays.CANCELLING:
        replay.state, replay.place = replays.CANCELLING, 1
        state.gate = 1
        replays.keep(unit, webhook.workspace, replay)
        unit.put_due(replays.due_of(webhook))
        _note(unit, webhook, replay, "replay cancelled", transition.now_ms, transition.caller)
        unit.advance_time(transition.now_ms)
    return Replaying(replay, webhook.id)


def _note(
    unit: Unit, webhook: Webhook, replay: Replay, action: str, now_ms: int, caller: str
) -> None:
    line = Action(
        at_ms=now_ms,
        action=action,
        messages=replay.counted_messages,
        detail=f"replay {replay.number}: {replay.counted} deliveries, by {caller}",
    )
    activity.add(unit, webhook.number, line)
