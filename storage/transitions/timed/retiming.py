"""Open windows follow changed settings, in steps that leave room for intake.

Each window gets the rule and the end that it would have if it had been opened with the settings of
now. Those that would be over by then are sealed.
"""

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.limits import STEP_WEIGHT
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.rows import BYTES_PER_WEIGHT, READ_WEIGHT
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import readiness, windows
from hookbundle.storage.tables.rules import ends, judging
from hookbundle.storage.transitions import sealing


class RetimeWindows(msgspec.Struct, frozen=True):
    """Goes on re-timing the windows of a webhook whose windows were changed, or its zone."""

    webhook: int
    most: int
    now_ms: int
    product_name: str


class Retimed(msgspec.Struct, frozen=True):
    """`wake`: the webhook, if it became ready."""

    finished: bool
    wake: tuple[int, ...]


def retime_windows(unit: Unit, transition: RetimeWindows) -> Retimed:
    """Raises: NotFound if the webhook is gone."""
    settings, webhook = unit.any_webhook_numbered(transition.webhook)
    state = unit.state(webhook.number)
    if state.retime_after is None:
        return Retimed(finished=True, wake=())
    unit.usage(webhook.workspace)  # now, so that a damaged one ends the step before its first write
    unit.flush_chats()
    prefix = keyspace.owned(keyspace.CHATS, webhook.workspace)
    keys = []
    for key, value in unit.rows(prefix, state.retime_after):
        keys.append((key, READ_WEIGHT + len(value) // BYTES_PER_WEIGHT))
        if len(keys) == transition.most:
            break
    wake, finished, heavy = False, len(keys) < transition.most, unit.weight + STEP_WEIGHT
    last = keys[-1][0] if keys else b""
    for key, weight in keys:
        if unit.weight >= heavy:  # it sealed large windows; the next step goes on from here
            finished = False
            break
        last = key
        unit.weight += weight
        # A damaged chat keeps its time, and the others get theirs; `check` names it.
        try:
            chat = key_fields.subject(key)
            wake |= _retime_chat(unit, settings, webhook, chat, transition)
        except CorruptRecord:
            continue
    _remember_position(unit, webhook.number, state, None if finished else last)
    if finished and webhook.deleted_ms:
        unit.put_due(Due(0, DueKind.DELETE, webhook.number))
    wake |= readiness.reconcile(unit, webhook, state)
    return Retimed(finished, (webhook.number,) if wake else ())


def _retime_chat(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    chat: bytes,
    transition: RetimeWindows,
) -> bool:
    """Raises: CorruptRecord, with nothing written."""
    key = keyspace.owned(keyspace.CHATS, webhook.workspace, chat)
    record = unit.find_chat(key)
    collecting = record.of(webhook.number) if record else None
    window = collecting.window if collecting else None
    if record is not None and collecting is not None and webhook.deleted_ms:
        unit.keep_chat(key, record)
        windows.drop(unit, webhook, chat, record, collecting)
        return False
    if record is None or collecting is None or window is None:
        return False  # and it is not written: most chats may have nothing for the webhook
    unit.keep_chat(key, record)
    # Later than now it was opened by a clock that was wrong; see clock_recovery.py.
    judging.judge_again(unit, webhook, chat, window)
    window.opened_ms = min(window.opened_ms, transition.now_ms)
    collecting.arrived_ms = min(collecting.arrived_ms, transition.now_ms)
    end = ends.end_of(settings, webhook, collecting, window)
    if end is not None and end.at_ms > transition.now_ms:
        ends.move(unit, settings, webhook, chat, window, end.at_ms, transition.now_ms)
        return False
    return sealing.seal(unit, settings, webhook, chat, record, collecting, "settings", transition)


def _remember_position(
    unit: Unit, webhook: int, state: WebhookState, position: bytes | None
) -> None:
    state.retime_after = position
    if position is None:
        unit.delete_due(Due(0, DueKind.RETIME, webhook))
