"""The rules for sources: their records, what they remember, their requests."""

import struct
from collections.abc import Generator, Iterator
from contextlib import suppress

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.kinds import KINDS
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import Usage
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import (
    Kept,
    KeptBody,
    KeptRequest,
    Remembered,
    Source,
    SourceMemory,
    SourceNotes,
    SourceToken,
)
from hookbundle.storage.maintenance.check_ledger import Ledger, is_live
from hookbundle.storage.tables.sources import lookup, memory, requests

Problems = Iterator[str]


def kind_of(key: bytes) -> tuple[bytes, int]:
    """The letter of the key, and which of the records with that letter it is."""
    letter = key[:1]
    if letter == keys.MEMORY and len(key) > keyspace.OWNED_U4.size:
        return letter, key[keyspace.OWNED_U4.size]
    return letter, key[-1] if letter in (keys.SOURCES, keys.REQUESTS) else 0


def counted(ledger: Ledger, workspace: int) -> int:
    """The bytes of all that the sources of the workspace have, as they say themselves."""
    size = 0
    for key, value in rows.rows(ledger.txn, keyspace.owned(keys.SOURCES, workspace)):
        if key[-1] == keys.NOTES:
            notes = codec.readable(key, value, SourceNotes)
            size += notes.kept_bytes if notes else 0
        elif key[-1] == keys.MEMORY_STATE:
            state = codec.readable(key, value, SourceMemory)
            size += sum(state.bytes) if state else 0
    return size


def check_usage(ledger: Ledger, workspace: int, usage: Usage) -> Problems:
    due_ms = usage.sources_due_ms
    if due_ms >= 0 and not ledger.has_due(due_ms, DueKind.SOURCE, workspace):
        yield f"has no row in the due index for its sources at {due_ms}"


def check_source(ledger: Ledger, key: bytes, source: Source) -> Problems:
    workspace, number, _ = keys.in_record(key)
    if not (yield from is_live(ledger.owner(workspace), "workspace")):
        return
    if (source.workspace, source.number) != (workspace, number):
        yield f"says it is source {source.number} of workspace {source.workspace}"
        return
    usage = ledger.get(keyspace.owned(keyspace.USAGES, workspace), Usage)
    if usage is not None and number >= usage.source_next:
        yield "has a number that was never assigned"
    for which in (keys.NOTES, keys.MEMORY_STATE):
        if not ledger.has(keys.of_source(workspace, number, which)):
            yield f"has no record {which}"
    due_ms = lookup.next_due_ms(source, _notes(ledger, workspace, number))
    if usage is not None and due_ms is not None and not 0 <= usage.sources_due_ms <= due_ms:
        yield f"is to be acted on at {due_ms}, and its workspace's row is at {usage.sources_due_ms}"
    if source.deleted_ms:
        return
    if source.kind not in KINDS:
        yield f"is of kind {source.kind!r}, which is not known"
    try:
        source_settings.stored(source.settings)
    except msgspec.DecodeError:
        yield "has settings that can't be read"
    if not source.tokens or source.tokens[0].until_ms:
        yield "has no token that lasts"
    for token in source.tokens:
        known = ledger.get(keys.token(token.digest), SourceToken)
        if known is None or (known.workspace, known.source) != (workspace, number):
            yield f"has a token that leads elsewhere: {token.digest.hex()[:12]}"


def check_notes(ledger: Ledger, key: bytes, notes: SourceNotes) -> Problems:
    workspace, number, _ = keys.in_record(key)
    if not (yield from _is_of_source(ledger, workspace, number)):
        return
    size = sum(kept.size for kept in notes.kept)
    if size != notes.kept_bytes:
        yield f"says kept_bytes {notes.kept_bytes}, counted {size}"
    quiet = sum(1 for kept in notes.kept if kept.is_quiet)
    most, quiet_most = limits.SOURCE_REQUESTS_MAX, limits.SOURCE_QUIET_REQUESTS_MAX
    if len(notes.kept) > most or quiet > quiet_most:
        yield f"keeps {len(notes.kept)} requests, {quiet} of them without a message"
    if any(kept.number >= notes.request_next for kept in notes.kept):
        yield "keeps a request with a number that was never assigned"
    for kept in notes.kept:
        both = [keys.request(workspace, number, kept.number, n) for n in (keys.HEAD, keys.BODY)]
        if sum(ledger.size(each) for each in both) != kept.size:
            yield f"says request {kept.number} has {kept.size} bytes, which is not so"


def check_memory(ledger: Ledger, key: bytes, state: SourceMemory) -> Problems:
    workspace, number, _ = keys.in_record(key)
    if not (yield from _is_of_source(ledger, workspace, number)):
        return
    entries, sizes = [0, 0], [0, 0]
    prefix = keys.all_of(keys.MEMORY, workspace, number) + bytes((keys.ENTRY,))
    for each, value in rows.rows(ledger.txn, prefix):
        entry = codec.readable(each, value, Remembered)
        with suppress(struct.error, ValueError):  # reported at its own key
            ring = memory.ring_of(keys.in_entry(each)[2])
            entries[ring] += entry is not None
            sizes[ring] += memory.size_of(entry) if entry else 0
    for name, said, found in (("entries", state.entries, entries), ("bytes", state.bytes, sizes)):
        if said != tuple(found):
            yield f"says {name} {said}, counted {tuple(found)}"


def check_entry(ledger: Ledger, key: bytes, entry: Remembered) -> Problems:
    workspace, number, name = keys.in_entry(key)
    if not (yield from _is_of_source(ledger, workspace, number)):
        return
    memory.Map(name.map)  # raises ValueError for one that is none
    if not ledger.has(keys.place(workspace, number, memory.ring_of(name), entry.place, name)):
        yield f"has no place {entry.place} in its ring"
    if not ledger.has(keys.entry_of_chat(workspace, entry.chat.encode(), number, name)):
        yield f"has no row under its chat {entry.chat!r}"
    state = ledger.get(keys.of_source(workspace, number, keys.MEMORY_STATE), SourceMemory)
    if state is not None and entry.place >= state.place_next:
        yield f"has place {entry.place}, which was never assigned"


def check_place(ledger: Ledger, key: bytes) -> Problems:
    workspace, source, ring, number, name = keys.in_place(key)
    if not (yield from _is_of_source(ledger, workspace, source)):
        return
    entry_key = keys.entry(workspace, source, name)
    entry = ledger.get(entry_key, Remembered)
    if ring != memory.ring_of(name) or not ledger.has(entry_key):
        yield "is of an entry that does not exist"
    elif entry is not None and entry.place != number:
        yield f"is of an entry that has place {entry.place}"


def check_request(ledger: Ledger, key: bytes, request: KeptRequest) -> Problems:
    workspace, source, number, _ = keys.in_request(key)
    if not (yield from _is_of_source(ledger, workspace, source)):
        return
    kept = _kept(ledger, workspace, source, number)
    if kept is None:
        yield "is none of those that its source keeps"
    elif kept.at_ms != request.at_ms:
        yield f"came at {request.at_ms}, its source says at {kept.at_ms}"
    for chat in request.chats or requests.NO_CHAT:
        if not ledger.has(keys.request_of_chat(workspace, chat.encode(), source, number)):
            yield f"has no row under its chat {chat!r}"


def check_body(ledger: Ledger, key: bytes, body: KeptBody) -> Problems:
    workspace, source, number, _ = keys.in_request(key)
    if not (yield from _is_of_source(ledger, workspace, source)):
        return
    if not ledger.has(keys.request(workspace, source, number, keys.HEAD)):
        yield "belongs to no request"


def check_token(ledger: Ledger, key: bytes, token: SourceToken) -> Problems:
    if not (yield from is_live(ledger.owner(token.workspace), "workspace")):
        return
    record = keys.of_source(token.workspace, token.source, keys.SETTINGS)
    source = ledger.get(record, Source)
    if source is None:
        if not ledger.has(record):
            yield "is of a source that does not exist"
    elif key[1:] not in [each.digest for each in source.tokens]:
        yield f"is none of source {source.id!r}"


def check_of_chat(ledger: Ledger, key: bytes) -> Problems:
    workspace, chat, of_chat = keys.in_chat(key)
    chat.decode()  # raises if its name could not be shown
    if not (yield from is_live(ledger.owner(workspace), "workspace")):
        return
    if of_chat.entry is not None:
        entry_key = keys.entry(workspace, of_chat.source, of_chat.entry)
        entry = ledger.get(entry_key, Remembered)
        if entry is not None and entry.chat.encode() != chat:
            yield f"is of an entry of chat {entry.chat!r}"
    else:
        entry_key = keys.request(workspace, of_chat.source, of_chat.request, keys.HEAD)
        request = ledger.get(entry_key, KeptRequest)
        if request is not None and chat.decode() not in (request.chats or requests.NO_CHAT):
            yield "is of a request without a message of it"
    if not ledger.has(entry_key):
        yield "is of something that does not exist"


def _is_of_source(ledger: Ledger, workspace: int, source: int) -> Generator[str, None, bool]:
    """As `is_live`. It is a problem if there is no such source."""
    if not (yield from is_live(ledger.owner(workspace), "workspace")):
        return False
    if not ledger.has(keys.of_source(workspace, source, keys.SETTINGS)):
        yield "belongs to no source"
        return False
    return True


def _notes(ledger: Ledger, workspace: int, source: int) -> SourceNotes | None:
    return ledger.get(keys.of_source(workspace, source, keys.NOTES), SourceNotes)


def _kept(ledger: Ledger, workspace: int, source: int, number: int) -> Kept | None:
    notes = _notes(ledger, workspace, source)
    return requests.find(notes, number) if notes else None
