"""A source is made, changed, deleted, and gets another token.

A deleted source is gone at once: its address is unknown, and nothing of its settings is left. What
it remembers and its requests are erased in steps (timed/source_steps.py).
"""

from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.engine.preconditions import Precondition, check
from hookbundle.engine.sources import settings as source_settings
from hookbundle.storage import source_facts
from hookbundle.storage.database import codec
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.rows import READ_WEIGHT
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import (
    Source,
    SourceMemory,
    SourceNotes,
    SourceToken,
    TokenDigest,
)
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity
from hookbundle.storage.tables.sources import lookup


class CreateSource(msgspec.Struct, frozen=True, kw_only=True):
    """`settings`: as `settings.written` makes them. `digest`: of its token."""

    workspace_id: str
    kind: str
    name: str
    settings: bytes
    digest: bytes
    now_ms: int
    caller: str


class ChangeSource(msgspec.Struct, frozen=True, kw_only=True):
    """`name`, `settings`: None: as they are. `settings`: JSON of those that are to be changed."""

    workspace_id: str
    source_id: str
    name: str | None
    settings: bytes | None
    precondition: Precondition | None
    now_ms: int
    caller: str


class RotateSourceToken(msgspec.Struct, frozen=True, kw_only=True):
    """`digest`: of the new token. Those so far are good until `keep_until_ms` at most."""

    workspace_id: str
    source_id: str
    digest: bytes
    keep_until_ms: int
    precondition: Precondition | None
    now_ms: int
    caller: str


class DeleteSource(msgspec.Struct, frozen=True, kw_only=True):
    workspace_id: str
    source_id: str
    precondition: Precondition | None
    now_ms: int
    caller: str


class SourceKept(msgspec.Struct, frozen=True):
    """The source as it is now."""

    source: Source


def create_source(unit: Unit, transition: CreateSource) -> SourceKept:
    """Raises: NotFound if there is no such workspace; Conflict if it has too many sources."""
    settings = unit.workspace(transition.workspace_id)
    workspace, usage = settings.workspace, unit.usage(settings.workspace.number)
    sources = list(lookup.all_of(unit, workspace.number))
    alive = [each for each in sources if not each.deleted_ms]
    if len(alive) >= limits.SOURCES_MAX or len(sources) >= 2 * limits.SOURCES_MAX:
        raise Conflict.of(
            Code.TOO_MANY_SOURCES,
            workspace=workspace.id,
            count=len(sources),
            most=limits.SOURCES_MAX,
        )
    number = usage.source_next
    usage.source_next += 1
    source = Source(
        id=f"{transition.kind}-{number}",
        number=number,
        workspace=workspace.number,
        kind=transition.kind,
        name=transition.name,
        settings=transition.settings,
        tokens=(TokenDigest(transition.digest),),
        version=1,
        created_ms=transition.now_ms,
    )
    lookup.keep(unit, source)
    lookup.keep_notes(unit, workspace.number, number, SourceNotes())
    lookup.keep_memory(unit, workspace.number, number, SourceMemory())
    _put_token(unit, settings, source, transition.digest)
    fact = source_facts.SourceCreated(
        source=source.id,
        kind=source.kind,
        caller=transition.caller,
        changes=_told(source.name, _names_in(source.settings)),
    )
    unit.tell(workspace, fact, transition.now_ms)
    _act(unit, settings, "source created", source, transition.now_ms, transition.caller)
    return SourceKept(source)


def change_source(unit: Unit, transition: ChangeSource) -> SourceKept:
    """Raises: NotFound; Changed if the precondition does not hold; InvalidInput with every fault
    of the settings. Nothing is written if nothing changes."""
    settings = unit.workspace(transition.workspace_id)
    source = lookup.named(unit, settings, transition.source_id)
    check(transition.precondition, source.version, settings.workspace.id, source_id=source.id)
    changed, written = [], source.settings
    if transition.settings is not None:
        wanted = msgspec.json.decode(transition.settings)
        before = source_settings.stored(source.settings)
        after = source_settings.parse(source.kind, wanted, before)
        names = source_settings.SourceSettings.__struct_fields__
        changed = [name for name in names if getattr(before, name) != getattr(after, name)]
        written = source_settings.written(after)
    name = source.name if transition.name is None else transition.name
    if name == source.name and not changed:
        return SourceKept(source)
    changes = _told(name if name != source.name else None, changed)
    source = msgspec.structs.replace(
        source, name=name, settings=written, version=source.version + 1
    )
    lookup.keep(unit, source)
    fact = source_facts.SourceChanged(source=source.id, caller=transition.caller, changes=changes)
    unit.tell(settings.workspace, fact, transition.now_ms)
    _act(unit, settings, "source changed", source, transition.now_ms, transition.caller)
    return SourceKept(source)


def rotate_token(unit: Unit, transition: RotateSourceToken) -> SourceKept:
    """Raises: NotFound; Changed if the precondition does not hold; Conflict if too many tokens
    would be good."""
    settings = unit.workspace(transition.workspace_id)
    source = lookup.named(unit, settings, transition.source_id)
    check(transition.precondition, source.version, settings.workspace.id, source_id=source.id)
    kept, ended = [], []
    for token in source.tokens:
        until_ms = min(token.until_ms or transition.keep_until_ms, transition.keep_until_ms)
        if until_ms > transition.now_ms:
            kept.append(TokenDigest(token.digest, until_ms))
        else:
            ended.append(token)
    if len(kept) >= limits.SOURCE_TOKENS_MAX:
        raise Conflict.of(Code.TOO_MANY_SOURCE_TOKENS, source=source.id, count=len(kept))
    lookup.drop_tokens(unit, ended)
    source = msgspec.structs.replace(
        source,
        tokens=(TokenDigest(transition.digest), *kept),
        version=source.version + 1,
    )
    lookup.keep(unit, source)
    _put_token(unit, settings, source, transition.digest)
    if kept:
        ends_ms = min(token.until_ms for token in kept)
        lookup.schedule_by(unit, source.workspace, ends_ms)
    fact = source_facts.SourceTokenRotated(
        source=source.id, caller=transition.caller, keep_until=transition.keep_until_ms
    )
    unit.tell(settings.workspace, fact, transition.now_ms)
    _act(unit, settings, "source token rotated", source, transition.now_ms, transition.caller)
    return SourceKept(source)


def delete_source(unit: Unit, transition: DeleteSource) -> SourceKept:
    """Raises: NotFound; Changed if the precondition does not hold."""
    settings = unit.workspace(transition.workspace_id)
    source = lookup.named(unit, settings, transition.source_id)
    check(transition.precondition, source.version, settings.workspace.id, source_id=source.id)
    memory = lookup.memory_of(unit, source.workspace, source.number) or SourceMemory()
    unit.usage(source.workspace)  # now, so that a damaged one ends it before the first write
    lookup.drop_tokens(unit, source.tokens)
    memory.deleted = True
    lookup.keep_memory(unit, source.workspace, source.number, memory)
    # Nothing of it may be read once more, its secrets above all.
    erased = msgspec.structs.replace(
        source, name="", settings=b"", tokens=(), deleted_ms=transition.now_ms
    )
    lookup.keep(unit, erased)
    lookup.schedule(unit, source.workspace, 0)
    fact = source_facts.SourceDeleted(source=source.id, caller=transition.caller)
    unit.tell(settings.workspace, fact, transition.now_ms)
    _act(unit, settings, "source deleted", source, transition.now_ms, transition.caller)
    return SourceKept(erased)


def drop_all(unit: Unit, workspace: int) -> None:
    """The workspace is being deleted: none of its sources can be reached, nor their secrets read.

    What they remember and their requests are erased in the steps of the workspace's erasure.
    """
    is_any_damaged = False
    for key, value in list(lookup.settings_of(unit, workspace)):
        source = codec.readable(key, value, Source)
        if source is None:
            is_any_damaged = True
        else:
            lookup.drop_tokens(unit, source.tokens)
        unit.delete(key)
    if is_any_damaged:
        _drop_lost_tokens(unit, workspace)
    lookup.schedule(unit, workspace, -1)


def _drop_lost_tokens(unit: Unit, workspace: int) -> None:
    """Those of its damaged sources, which don't say any more which they are: all are looked at."""
    for key, value in list(unit.rows(keys.TOKENS)):
        unit.weight += READ_WEIGHT
        token = codec.readable(key, value, SourceToken)
        if token is not None and token.workspace == workspace:
            unit.delete(key)


def _put_token(unit: Unit, settings: Settings, source: Source, digest: bytes) -> None:
    workspace = settings.workspace
    unit.put(keys.token(digest), SourceToken(workspace.number, workspace.id, source.number))


def _names_in(written: bytes) -> list[str]:
    return list(msgspec.json.decode(written, type=dict[str, Any]))


def _told(name: str | None, settings: list[str]) -> dict[str, Any]:
    """What feed and activity tell: no value of a setting, as any may be a secret."""
    told: dict[str, Any] = {} if name is None else {"name": name}
    return {**told, "settings": settings} if settings else told


def _act(
    unit: Unit, settings: Settings, what: str, source: Source, now_ms: int, caller: str
) -> None:
    action = Action(at_ms=now_ms, action=what, detail=f"{source.id}, by {caller}")
    activity.add(unit, settings.first.number, action)
