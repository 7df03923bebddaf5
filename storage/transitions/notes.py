"""Facts about the daemon itself, which change nothing else in the database; and no change."""

from dataclasses import dataclass

from hookbundle.storage.daemon_facts import Noted
from hookbundle.storage.database.unit import Unit


@dataclass(frozen=True, slots=True)
class Note:
    """A fact about the daemon: started, stopped, the wall clock was stepped ..."""

    fact: Noted
    now_ms: int


@dataclass(frozen=True, slots=True)
class Confirm:
    """Changes nothing. In a cluster its group is agreed on all the same: the caller gets a result
    only if this node still owns the partition."""


def note(unit: Unit, transition: Note) -> None:
    unit.emit(transition.fact, transition.now_ms)


def confirm(unit: Unit, transition: Confirm) -> None:
    pass
