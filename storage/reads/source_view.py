"""Sources as their owner sees them, and as a request finds its own. Short read transactions."""

from collections.abc import Iterator
from contextlib import contextmanager

import lmdb
import msgspec

from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Usage
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import (
    KeptBody,
    KeptRequest,
    Remembered,
    Source,
    SourceMemory,
    SourceNotes,
    SourceToken,
)
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.workspace_view import settings_of
from hookbundle.storage.tables.sources import lookup
from hookbundle.storage.tables.sources.memory import Map, name_of


class SourceView(msgspec.Struct, frozen=True):
    """A source and how it fares, at the same moment. `remembers`: entries of its memory."""

    source: Source
    notes: SourceNotes
    remembers: int


class Addressed(msgspec.Struct, frozen=True):
    """The source that a token leads to. `workspace_id`: of its workspace."""

    workspace_id: str
    source: Source


class RequestView(msgspec.Struct, frozen=True):
    number: int
    request: KeptRequest
    body: bytes


class StoredMemory(msgspec.Struct, frozen=True):
    """What a source remembers, in one read transaction; engine/sources/memory.py has the rules."""

    txn: lmdb.Transaction
    workspace: int
    source: int

    def phone_of_lid(self, lid: str) -> str | None:
        return self._value(Map.LID, lid)

    def phone_of_user(self, user_id: str) -> str | None:
        return self._value(Map.USER, user_id)

    def name_of(self, chat_id: str) -> str | None:
        return self._value(Map.NAME, chat_id)

    def is_new(self, chat_id: str) -> bool:
        return self._find(Map.NEW, chat_id) is not None

    def chat_of_message(self, message_id: str) -> str | None:
        entry = self._find(Map.MESSAGE, message_id)
        return entry.chat if entry else None

    def _value(self, map_: Map, text: str) -> str | None:
        entry = self._find(map_, text)
        return entry.value if entry else None

    def _find(self, map_: Map, text: str) -> Remembered | None:
        """None too for one that is damaged, or that its chat's deletion has still to erase."""
        key = keys.entry(self.workspace, self.source, name_of(map_, text))
        entry = rows.readable(self.txn, key, Remembered)
        if entry is None or entry.at_ms <= _erased_ms(self.txn, self.workspace, entry.chat):
            return None
        return entry


class SourceReads:
    """Reads of one environment, from any thread."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def addressed(self, digest: bytes, now_ms: int) -> Addressed | None:
        """The source of the token with that SHA-256; None if there is none, or it has ended."""
        with self._env.read() as txn:
            token = rows.get(txn, keys.token(digest), SourceToken)
            if token is None:
                return None
            key = keys.of_source(token.workspace, token.source, keys.SETTINGS)
            source = rows.get(txn, key, Source)
        if source is None or source.deleted_ms:
            return None
        is_good = any(
            each.digest == digest and (not each.until_ms or now_ms < each.until_ms)
            for each in source.tokens
        )
        return Addressed(token.workspace_id, source) if is_good else None

    @contextmanager
    def memory(self, workspace: int, source: int) -> Iterator[StoredMemory]:
        with self._env.read() as txn:
            yield StoredMemory(txn, workspace, source)

    def all_of(self, workspace_id: str) -> list[SourceView]:
        """The workspace's sources, the oldest first, without damaged ones. Raises: NotFound."""
        with self._env.read() as txn:
            number = settings_of(txn, workspace_id).number
            return [_view(txn, source) for source in _sources(txn, number)]

    def named(self, workspace_id: str, source_id: str) -> SourceView:
        """Raises: NotFound."""
        with self._env.read() as txn:
            return _view(txn, _named(txn, workspace_id, source_id))

    def requests(
        self, workspace_id: str, source_id: str, limit: int, before: int = 0
    ) -> list[RequestView]:
        """The requests that are kept, the newest first; with `before` those that are older.

        One whose chat is being erased is not among them. Raises: NotFound.
        """
        with self._env.read() as txn:
            source = _named(txn, workspace_id, source_id)
            found: list[RequestView] = []
            for number in _newest(txn, source):
                if before and number >= before:
                    continue
                request = _request(txn, source, number)
                found += [request] if request else []
                if len(found) == limit:
                    break
            return found

    def heads(self, workspace_id: str, source_id: str) -> dict[int, KeptRequest]:
        """All of `requests` by their numbers, in that order, without bodies. Raises: NotFound."""
        with self._env.read() as txn:
            source = _named(txn, workspace_id, source_id)
            heads = ((number, _head(txn, source, number)) for number in _newest(txn, source))
            return {number: head for number, head in heads if head is not None}


def _sources(txn: lmdb.Transaction, workspace: int) -> Iterator[Source]:
    for key, value in rows.rows(txn, keyspace.owned(keys.SOURCES, workspace)):
        source = damaged.without(key, value, Source) if key[-1] == keys.SETTINGS else None
        if source is not None and not source.deleted_ms:
            yield source


def _named(txn: lmdb.Transaction, workspace_id: str, source_id: str) -> Source:
    number = settings_of(txn, workspace_id).number
    for source in _sources(txn, number):
        if source.id == source_id:
            return source
    raise lookup.unknown(source_id, workspace_id)


def _view(txn: lmdb.Transaction, source: Source) -> SourceView:
    at = source.workspace, source.number
    notes = rows.get(txn, keys.of_source(*at, keys.NOTES), SourceNotes)
    state = rows.get(txn, keys.of_source(*at, keys.MEMORY_STATE), SourceMemory)
    return SourceView(source, notes or SourceNotes(), sum(state.entries) if state else 0)


def _newest(txn: lmdb.Transaction, source: Source) -> Iterator[int]:
    """The numbers of the source's requests, the newest first."""
    return (kept.number for kept in reversed(_view(txn, source).notes.kept))


def _request(txn: lmdb.Transaction, source: Source, number: int) -> RequestView | None:
    """None if it is damaged, or is being erased."""
    head = _head(txn, source, number)
    if head is None:
        return None
    key = keys.request(source.workspace, source.number, number, keys.BODY)
    body = rows.readable(txn, key, KeptBody)
    return RequestView(number, head, body.body) if body else None


def _head(txn: lmdb.Transaction, source: Source, number: int) -> KeptRequest | None:
    """As above; its body may be damaged."""
    key = keys.request(source.workspace, source.number, number, keys.HEAD)
    head = rows.readable(txn, key, KeptRequest)
    return None if head is None or _is_erased(txn, source.workspace, head) else head


def _is_erased(txn: lmdb.Transaction, workspace: int, request: KeptRequest) -> bool:
    if not request.chats:  # whichever chat is deleted, this goes
        usage = rows.get(txn, keyspace.owned(keyspace.USAGES, workspace), Usage)
        return usage is not None and usage.erasures > 0
    return any(request.at_ms <= _erased_ms(txn, workspace, chat) for chat in request.chats)


def _erased_ms(txn: lmdb.Transaction, workspace: int, chat: str) -> int:
    """When the chat was deleted, if what it had is still being erased; else -1."""
    key = keyspace.owned(keyspace.ERASURES, workspace, chat.encode())
    erasure = rows.readable(txn, key, Erasure)
    return erasure.at_ms if erasure else -1
