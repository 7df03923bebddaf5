"""Sources in a scratch database: made, taught, noted."""

from hashlib import sha256
from typing import Any

import msgspec

from hookbundle.engine.sources.memory import Learned
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import KeptRequest, Source, SourceMemory
from hookbundle.storage.reads.source_view import RequestView, SourceReads, StoredMemory
from hookbundle.storage.tables.sources.requests import Seen
from hookbundle.storage.transitions.sources.learning import LearnFromSource
from hookbundle.storage.transitions.sources.lifetime import CreateSource, SourceKept
from hookbundle.storage.transitions.sources.noting import NoteSource
from hookbundle.storage.transitions.timed.source_steps import SourcesStepped, SourceStep
from hookbundle.tests.storage.scratch import ScratchDatabase


def digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def create(
    db: ScratchDatabase, ws: str = "acme", token: str = "t", kind: str = "waha", **settings: Any
) -> Source:
    transition = CreateSource(
        workspace_id=ws,
        kind=kind,
        name="Inbox",
        settings=msgspec.json.encode(settings),
        digest=digest(token),
        now_ms=db.now_ms,
        caller="test",
    )
    return db.do(transition, SourceKept).source


def learning(db: ScratchDatabase, *learned: Learned, ws: int = 1, source: int = 1) -> Any:
    return LearnFromSource(workspace_number=ws, source=source, learned=learned, now_ms=db.now_ms)


def learn(db: ScratchDatabase, *learned: Learned, ws: int = 1, source: int = 1) -> None:
    db.done(learning(db, *learned, ws=ws, source=source))


def seen(db: ScratchDatabase, *chats: str, body: bytes = b"{}", quiet: bool = False) -> Seen:
    request = KeptRequest(
        at_ms=db.now_ms,
        method="POST",
        tail="",
        status=200,
        headers=(("content-type", "application/json"),),
        outcomes={"accepted": 1},
        faults=(),
        size=len(body),
        chats=chats,
    )
    return Seen(request=request, body=body, is_quiet=quiet)


def note(
    db: ScratchDatabase,
    *requests: Seen,
    ws: int = 1,
    source: int = 1,
    counts: tuple[tuple[str, int], ...] = (),
    refused: int = 0,
) -> None:
    transition = NoteSource(
        workspace_number=ws,
        source=source,
        counts=counts,
        seen_ms=db.now_ms,
        message_ms=0,
        refused=refused,
        reason="signature_wrong" if refused else "",
        seen=requests,
        now_ms=db.now_ms,
    )
    db.done(transition)


def step(db: ScratchDatabase, ws: int = 1, most: int = 200) -> bool:
    """Acts on the workspace's SOURCE row. True if that is all for now."""
    row = next(row for row in db.dues(DueKind.SOURCE) if row.number == ws)
    db.now_ms = max(db.now_ms, row.at_ms)
    transition = SourceStep(workspace_number=ws, most=most, now_ms=db.now_ms)
    return db.do(transition, SourcesStepped).finished


def remembered(db: ScratchDatabase, what: str, key: str, ws: int = 1, source: int = 1) -> Any:
    """What the source's memory answers to the question."""
    with SourceReads(db.env).memory(ws, source) as memory:
        return getattr(StoredMemory, what)(memory, key)


def requests_of(db: ScratchDatabase, source: str = "waha-1") -> list[RequestView]:
    return SourceReads(db.env).requests("acme", source, 100)


def memory_of(db: ScratchDatabase, ws: int = 1, source: int = 1) -> SourceMemory:
    with db.unit() as unit:
        found = unit.get(keys.of_source(ws, source, keys.MEMORY_STATE), SourceMemory)
    assert found is not None
    return found


def rows_of_sources(db: ScratchDatabase, ws: int = 1) -> list[bytes]:
    """All keys of what sources of the workspace have, but those of tokens."""
    owned = [keyspace.owned(letter, ws) for letter in keys.OF_A_WORKSPACE]
    return [key for key in db.dump() if any(key.startswith(each) for each in owned)]
