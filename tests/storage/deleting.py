"""A workspace with records of nearly every kind; deleting it and erasing it step by step."""

from hashlib import sha256

from hookbundle.engine.preconditions import at_version
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.erasing import (
    ChatDeleted,
    DeleteChat,
    DeleteWorkspace,
    WorkspaceDeleted,
)
from hookbundle.storage.transitions.idempotency import Claimed, ClaimRequest
from hookbundle.storage.transitions.timed.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.tokens import CreateToken
from hookbundle.tests.storage.populated import report
from hookbundle.tests.storage.scratch import NO, ScratchDatabase, failed, incoming


def delete(db: ScratchDatabase, ws: str = "acme", version: int | None = None) -> WorkspaceDeleted:
    transition = DeleteWorkspace(
        workspace_id=ws, precondition=at_version(version), now_ms=db.now_ms, caller="test"
    )
    return db.do(transition, WorkspaceDeleted)


def delete_chat(db: ScratchDatabase, chat: str = "c") -> ChatDeleted:
    transition = DeleteChat(workspace_id="acme", chat_id=chat, now_ms=db.now_ms, caller="test")
    return db.do(transition, ChatDeleted)


def step(db: ScratchDatabase, most: int = 3) -> Erased:
    (row, *_) = db.dues(DueKind.ERASE)
    return db.do(EraseStep(row=row, most=most, now_ms=db.now_ms), Erased)


def erase(db: ScratchDatabase, most: int = 3) -> int:
    """Erases everything, checking the database after each step. Returns the number of steps."""
    steps, last = 0, Erased(finished=False)
    while not last.finished:
        last = step(db, most)
        steps += 1
        assert_sound(db)
    return steps


def assert_sound(db: ScratchDatabase) -> None:
    found = report(db)
    assert not found, found


def keys_of(db: ScratchDatabase, number: int) -> list[bytes]:
    """All keys that belong to the workspace."""
    owned = [key for key in db.dump() if key[:1] not in b"DEFIMTWu"]
    found = [key for key in owned if key_fields.owner(key) == number]
    kinds = set(DueKind) - {DueKind.MAIL}
    dues = [row for row in db.dues() if row.number == number and row.kind in kinds]
    return found + [keyspace.due(row) for row in dues]


def busy(db: ScratchDatabase, ws: str = "acme") -> int:
    """Creates a workspace with records of nearly every kind. Returns its number."""
    number = db.workspace(ws)
    for chat in ("c0", "c1", "c2", "c3"):
        db.accept("m1", "m2", ws=number, chat=chat)
    db.accept(*(incoming(f"l{i}", text="t" * 600) for i in range(20)), ws=number, chat="c0")
    db.accept(*(f"s{i}" for i in range(80)), ws=number, chat="c1")
    for chat in ("c1", "c2", "c3"):
        db.seal(chat, ws=number)
    for _ in range(3):
        db.attempt(NO, number)  # the third rejection makes it a dead letter
    db.attempt(failed(), number)
    claim = ClaimRequest(workspace_number=number, key=b"k", digest=b"d", now_ms=db.now_ms)
    db.do(claim, Claimed)
    digest = sha256(ws.encode()).digest()
    db.done(
        CreateToken(digest=digest, scope="intake", workspace_id=ws, now_ms=db.now_ms, caller="test")
    )
    assert_sound(db)
    return number
