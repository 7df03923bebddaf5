"""Events of arbitrary types, for tests of the feed that do not depend on their meaning."""

import msgspec

from hookbundle.storage.daemon_facts import Noted
from hookbundle.storage.transitions.notes import Note


def noted(kind: str, detail: str = "") -> Noted:
    """An event of the type `test.<kind>`. The kind must be one word."""
    name = f"Test{kind.capitalize()}"
    made = msgspec.defstruct(name, [], bases=(Noted,), frozen=True, kw_only=True)(detail=detail)
    assert isinstance(made, Noted)
    return made


def note_of(kind: str, detail: str, at_ms: int) -> Note:
    return Note(noted(kind, detail), at_ms)
