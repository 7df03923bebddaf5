"""Facts about the daemon itself, which change nothing else in the database."""

from dataclasses import dataclass

from hookbundle.storage.daemon_facts import Noted
from hookbundle.storage.database.unit import Unit


@dataclass(frozen=True, slots=True)
class Note:
    """A fact about the daemon: started, stopped, the wall clock was stepped ..."""

    fact: Noted
    now_ms: int


def note(unit: Unit, transition: Note) -> None:
    unit.emit(transition.fact, transition.now_ms)
