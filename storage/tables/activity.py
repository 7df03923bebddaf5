"""The activity log of a webhook: its ten most recent actions, a row each.

What concerns a workspace as a whole stands with its first webhook.
"""

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.unit import Unit


def add(unit: Unit, webhook: int, action: Action) -> None:
    """The action is the newest line; one beyond ten is deleted."""
    state = unit.state(webhook)
    number = state.action_next
    state.action_next += 1
    unit.put(keyspace.owned_numbered(keyspace.ACTIONS, webhook, number), action)
    if number >= limits.ACTIVITY_ENTRIES:
        oldest = number - limits.ACTIVITY_ENTRIES
        unit.delete(keyspace.owned_numbered(keyspace.ACTIONS, webhook, oldest))


def newest(unit: Unit, webhook: int) -> Action | None:
    number = unit.state(webhook).action_next - 1
    return unit.get(_key(webhook, number), Action) if number >= 0 else None


def replace_newest(unit: Unit, webhook: int, action: Action) -> None:
    """The newest line says this instead: it goes on with the same thing."""
    unit.put(_key(webhook, unit.state(webhook).action_next - 1), action)


def _key(webhook: int, number: int) -> bytes:
    return keyspace.owned_numbered(keyspace.ACTIONS, webhook, number)
