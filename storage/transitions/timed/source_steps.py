"""Erases what deleted sources had, and drops what is too old: requests, and former tokens."""

from itertools import islice

import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database import codec
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import (
    Remembered,
    Source,
    SourceMemory,
    SourceNotes,
)
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.sources import lookup, memory, requests


class SourceStep(msgspec.Struct, frozen=True, kw_only=True):
    """Erases up to `most` entries and requests of deleted sources of the workspace."""

    workspace_number: int
    most: int
    now_ms: int


class SourcesStepped(msgspec.Struct, frozen=True):
    finished: bool


def source_step(unit: Unit, transition: SourceStep) -> SourcesStepped:
    """Raises: NotFound if the workspace is gone; CorruptRecord."""
    number, now_ms = transition.workspace_number, transition.now_ms
    unit.workspace_numbered(number)
    unit.usage(number)
    unit.advance_time(now_ms)
    left, due = transition.most, list[int]()
    for source in list(lookup.all_of(unit, number)):
        if source.deleted_ms:
            left -= _erase(unit, source, left)
            if left <= 0:
                return SourcesStepped(finished=False)
            continue
        source = _without_ended(unit, source, now_ms)
        next_ms = lookup.next_due_ms(source, _without_old(unit, source, now_ms))
        due += [] if next_ms is None else [next_ms]
    lookup.schedule(unit, number, min(due, default=-1))
    return SourcesStepped(finished=True)


def _erase(unit: Unit, source: Source, most: int) -> int:
    """How many entries and requests were erased; `most` or more if some may be left."""
    workspace, number = source.workspace, source.number
    state = lookup.memory_of(unit, workspace, number) or SourceMemory()
    prefix = keys.all_of(keys.MEMORY, workspace, number)
    entries = list(islice(unit.rows(prefix + bytes((keys.ENTRY,))), most))
    for key, value in entries:
        entry = codec.readable(key, value, Remembered)
        if entry is None:
            unit.delete(key)
        else:
            memory.drop(unit, workspace, number, state, keys.in_entry(key)[2], entry)
    lookup.keep_memory(unit, workspace, number, state)
    done = len(entries)
    if done >= most:
        return done
    notes = lookup.notes_of(unit, workspace, number) or SourceNotes()
    for kept in notes.kept:
        requests.drop(unit, workspace, number, notes, kept)
    done += len(notes.kept)
    # What damaged entries and requests have left.
    for letter in (keys.MEMORY, keys.REQUESTS):
        done += unit.delete_rows(keys.all_of(letter, workspace, number), most - done)
        if done >= most:
            lookup.keep_notes(unit, workspace, number, notes)
            return done
    usage = unit.usage(workspace)
    usage.source_bytes -= sum(state.bytes) + notes.kept_bytes  # 0, if nothing was damaged
    for which in (keys.SETTINGS, keys.NOTES, keys.MEMORY_STATE):
        unit.delete(keys.of_source(workspace, number, which))
    return done


def _without_ended(unit: Unit, source: Source, now_ms: int) -> Source:
    """The source without the former tokens that have ended."""
    ended = [token for token in source.tokens if 0 < token.until_ms <= now_ms]
    if not ended:
        return source
    lookup.drop_tokens(unit, ended)
    tokens = tuple(token for token in source.tokens if token not in ended)
    source = msgspec.structs.replace(source, tokens=tokens)
    lookup.keep(unit, source)
    return source


def _without_old(unit: Unit, source: Source, now_ms: int) -> SourceNotes | None:
    """What is noted of the source, without the requests that are too old."""
    workspace, number = source.workspace, source.number
    notes = lookup.notes_of(unit, workspace, number)
    if notes is None:
        return None
    old = [each for each in notes.kept if each.at_ms + limits.SOURCE_REQUEST_MS_MAX <= now_ms]
    for kept in old:
        requests.drop(unit, workspace, number, notes, kept)
    if old:
        lookup.keep_notes(unit, workspace, number, notes)
    return notes
