"""The activity log of a webhook: its ten most recent actions, a row each.

What concerns a workspace as a whole stands with its first webhook.
"""

from collections.abc import Callable

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Action, Delivery
from hookbundle.storage.database.unit import Unit


def add(unit: Unit, webhook: int, action: Action, *, goes_on: bool = False) -> None:
    """The action is the newest line; one beyond ten is deleted.

    With `goes_on` it takes the place of the newest one, because it is of the same thing.
    """
    state = unit.state(webhook)
    number = state.action_next - goes_on
    state.action_next = number + 1
    unit.put(_key(webhook, number), action)
    if number >= limits.ACTIVITY_ENTRIES:
        unit.delete(_key(webhook, number - limits.ACTIVITY_ENTRIES))


def add_of(
    unit: Unit,
    webhook: int,
    delivery: Delivery,
    now_ms: int,
    *,
    action: str,
    outcome: str,
    detail: str,
) -> None:
    """The newest line says what a person did with the delivery."""
    line = Action(
        at_ms=now_ms,
        action=action,
        chat_id=delivery.chat_id,
        messages=delivery.messages,
        outcome=outcome,
        detail=detail,
        delivery=delivery.number,
    )
    add(unit, webhook, line)


def newest(unit: Unit, webhook: int, is_same: Callable[[Action], bool]) -> Action | None:
    """The newest line if the next one is of the same thing, so that it can go on with it.

    A damaged line is none: it must not keep a message from being accepted.
    """
    key = _key(webhook, max(unit.state(webhook).action_next - 1, 0))
    action = unit.readable(key, Action)
    return action if action is not None and is_same(action) else None


def _key(webhook: int, number: int) -> bytes:
    return keyspace.owned_numbered(keyspace.ACTIONS, webhook, number)
