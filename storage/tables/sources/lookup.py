"""Finds the records of sources, and keeps the time of the workspace's SOURCE row.

A workspace has one such row in the due index while something of a source is to be erased (then its
time is 0), a kept request gets too old, or a former token ends.
"""

from collections.abc import Iterable, Iterator

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import (
    Source,
    SourceMemory,
    SourceNotes,
    TokenDigest,
)
from hookbundle.storage.database.unit import Unit


def all_of(unit: Unit, workspace: int) -> Iterator[Source]:
    """The sources of the workspace, those that are being erased too, without damaged ones.

    These must not stop the others; `check` names them.
    """
    for key, value in settings_of(unit, workspace):
        source = codec.readable(key, value, Source)
        if source is not None:
            yield source


def settings_of(unit: Unit, workspace: int) -> Iterator[tuple[bytes, bytes]]:
    """The records of `all_of`, not decoded, with damaged ones."""
    for key, value in unit.rows(keyspace.owned(keys.SOURCES, workspace)):
        if key[-1] == keys.SETTINGS:
            yield key, value


def named(unit: Unit, settings: Settings, source_id: str) -> Source:
    """Raises: NotFound."""
    for source in all_of(unit, settings.workspace.number):
        if source.id == source_id and not source.deleted_ms:
            return source
    raise unknown(source_id, settings.workspace.id)


def unknown(source_id: str, workspace_id: str) -> NotFound:
    """What is said of a source that the workspace does not have."""
    return NotFound.of(Code.UNKNOWN_SOURCE, source=source_id, workspace=workspace_id)


def keep(unit: Unit, source: Source) -> None:
    unit.put(keys.of_source(source.workspace, source.number, keys.SETTINGS), source)


def drop_tokens(unit: Unit, tokens: Iterable[TokenDigest]) -> None:
    """None of these leads to a source."""
    for token in tokens:
        unit.delete(keys.token(token.digest))


def memory_of(unit: Unit, workspace: int, source: int) -> SourceMemory | None:
    """None if nothing of the source is left."""
    return unit.get(keys.of_source(workspace, source, keys.MEMORY_STATE), SourceMemory)


def notes_of(unit: Unit, workspace: int, source: int) -> SourceNotes | None:
    return unit.get(keys.of_source(workspace, source, keys.NOTES), SourceNotes)


def keep_memory(unit: Unit, workspace: int, source: int, memory: SourceMemory) -> None:
    unit.put(keys.of_source(workspace, source, keys.MEMORY_STATE), memory)


def keep_notes(unit: Unit, workspace: int, source: int, notes: SourceNotes) -> None:
    unit.put(keys.of_source(workspace, source, keys.NOTES), notes)


def schedule(unit: Unit, workspace: int, at_ms: int) -> None:
    """The workspace's SOURCE row has this time; -1: it has none."""
    usage = unit.usage(workspace)
    if usage.sources_due_ms == at_ms:
        return
    if usage.sources_due_ms >= 0:
        unit.delete_due(Due(usage.sources_due_ms, DueKind.SOURCE, workspace))
    if at_ms >= 0:
        unit.put_due(Due(at_ms, DueKind.SOURCE, workspace))
    usage.sources_due_ms = at_ms


def schedule_by(unit: Unit, workspace: int, at_ms: int) -> None:
    """The workspace's SOURCE row has this time or an earlier one."""
    due_ms = unit.usage(workspace).sources_due_ms
    if due_ms < 0 or at_ms < due_ms:
        schedule(unit, workspace, at_ms)


def next_due_ms(source: Source, notes: SourceNotes | None) -> int | None:
    """When something of the source has to go next; None if nothing has."""
    if source.deleted_ms:
        return 0
    times = [token.until_ms for token in source.tokens if token.until_ms]
    if notes is not None and notes.kept:
        times.append(first_too_old_ms(notes))
    return min(times, default=None)


def first_too_old_ms(notes: SourceNotes) -> int:
    """When the first of the requests that are kept, of which there are some, is too old.

    It need not be the one that was noted first: another was longer under way.
    """
    return min(each.at_ms for each in notes.kept) + limits.SOURCE_REQUEST_MS_MAX
