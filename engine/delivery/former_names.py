"""Names of the first edition, which are still taken and may still be stored, but never shown.

Queries, options and filters of readers go through here, and so do facts and lines of the activity
log that were stored before the names of today.
"""

from typing import Any

STATES = {"pending": "queued", "parked": "dead_letter"}
FACTS = {"delivery.parked": "delivery.dead_lettered"}

_FORMER_FACTS = {now: former for former, now in FACTS.items()}


def state_of(name: str) -> str:
    """The state's name of today; any other word as it is."""
    return STATES.get(name, name)


def fact_type_of(name: str) -> str:
    """The fact's type of today; any other as it is."""
    return FACTS.get(name, name)


def fact_types_of(name: str) -> tuple[str, ...]:
    """All types that a filter may have for the fact: that of today, and its former one."""
    former = _FORMER_FACTS.get(name)
    return (name,) if former is None else (name, former)


def fact_data_of(data: dict[str, Any]) -> dict[str, Any]:
    """The data of a fact, changed in place: the state in which its delivery was."""
    if "was" in data:
        data["was"] = state_of(data["was"])
    return data
