"""What came from a source in the last second or so: counted, and some requests kept."""

import msgspec

from hookbundle.storage import source_facts
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import Source
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.sources import lookup, requests
from hookbundle.storage.tables.sources.requests import Seen

TOLD_EVERY_MS = 60_000
KINDS_COUNTED_MAX = 200  # of outcomes; they are a closed set, but of several versions


class NoteSource(msgspec.Struct, frozen=True, kw_only=True):
    """`counts`: by outcome. `seen_ms`, `message_ms`: of the last request, and of the last one with
    a message, or 0. `refused`: requests that were not authentic, the last one for `reason`."""

    workspace_number: int
    source: int
    counts: tuple[tuple[str, int], ...]
    seen_ms: int
    message_ms: int
    refused: int
    reason: str
    seen: tuple[Seen, ...]
    now_ms: int


def note(unit: Unit, transition: NoteSource) -> None:
    """Nothing happens if the source was deleted. Raises: NotFound if the workspace is gone."""
    workspace, number = transition.workspace_number, transition.source
    settings = unit.workspace_numbered(workspace)
    unit.usage(workspace)
    source = unit.get(keys.of_source(workspace, number, keys.SETTINGS), Source)
    notes = lookup.notes_of(unit, workspace, number)
    if source is None or source.deleted_ms or notes is None:
        return
    unit.advance_time(transition.now_ms)
    for outcome, count in transition.counts:
        if outcome in notes.counts or len(notes.counts) < KINDS_COUNTED_MAX:
            notes.counts[outcome] = notes.counts.get(outcome, 0) + count
    notes.seen_ms = max(notes.seen_ms, transition.seen_ms)
    notes.message_ms = max(notes.message_ms, transition.message_ms)
    notes.refused += transition.refused
    if transition.refused and transition.now_ms >= notes.told_ms + TOLD_EVERY_MS:
        fact = source_facts.SourceRefused(
            source=source.id, requests=notes.refused, reason=transition.reason
        )
        unit.tell(settings.workspace, fact, transition.now_ms)
        notes.refused, notes.told_ms = 0, transition.now_ms
    for seen in transition.seen:
        requests.keep(unit, workspace, number, notes, seen)
    if transition.seen:
        lookup.schedule_by(unit, workspace, lookup.first_too_old_ms(notes))
    lookup.keep_notes(unit, workspace, number, notes)
