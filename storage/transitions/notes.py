"""Facts about the daemon itself, which change nothing else in the database; and no change."""

import msgspec

from hookbundle.storage.daemon_facts import Noted
from hookbundle.storage.database.unit import Unit


class Note(msgspec.Struct, frozen=True):
    """A fact about the daemon: started, stopped, the wall clock was stepped ..."""

    fact: Noted
    now_ms: int


class Confirm(msgspec.Struct, frozen=True):
    """Changes nothing. In a cluster its group is agreed on all the same: the caller gets a result
    only if this node still owns the partition."""


def note(unit: Unit, transition: Note) -> None:
    unit.emit(transition.fact, transition.now_ms)


def confirm(unit: Unit, transition: Confirm) -> None:
    pass
