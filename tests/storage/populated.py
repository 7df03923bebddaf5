"""A database with a record of every kind, and functions that check it and damage it."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.maintenance.check import Finding, check
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import ClaimRequest
from hookbundle.storage.transitions.tokens import CreateToken
from hookbundle.tests.storage.scratch import NO, ScratchDatabase, failed, incoming

R = TypeVar("R", bound=msgspec.Struct)

DIGEST = b"d" * 32


def findings(db: ScratchDatabase) -> list[Finding]:
    with db.env.read() as txn:
        return list(check(txn))


def populated(path: Path) -> ScratchDatabase:
    """A database with every kind of record in workspace 1, except READY, which workspace 3 has.

    Workspace 2 is being erased.
    """
    db = ScratchDatabase(path)
    db.workspace()
    for start in range(0, 200, 20):
        db.accept(*(incoming(f"m{start + i}", text="t" * 90) for i in range(20)))
    db.accept("s", chat="sealed")
    db.accept("p", chat="parked")
    db.seal("parked")
    for _ in range(3):
        db.attempt(NO)
    db.seal("sealed")
    for _ in range(8):
        db.attempt(failed())
    db.done(
        CreateToken(digest=DIGEST, scope="admin", workspace_id="acme", now_ms=db.now_ms, caller="t")
    )
    db.group(claiming(db, 1, b"key"), DeleteChat(**named(db), chat_id="gone"))
    db.workspace("other")
    db.accept("m", ws=2)
    db.group(DeleteWorkspace(**named(db, "other"), version=None))
    db.accept("m", ws=db.workspace("ready", aggregation_ms=0))
    return db


def named(db: ScratchDatabase, ws: str = "acme") -> dict[str, Any]:
    return {"workspace_id": ws, "now_ms": db.now_ms, "caller": "t"}


def claiming(db: ScratchDatabase, ws: int, key: bytes) -> ClaimRequest:
    return ClaimRequest(workspace_number=ws, key=key, digest=b"body", now_ms=db.now_ms)


def put(db: ScratchDatabase, key: bytes, value: bytes | msgspec.Struct) -> None:
    with db.env.write() as txn:
        txn.put(key, value if isinstance(value, bytes) else codec.pack(key, value))


def drop(db: ScratchDatabase, key: bytes) -> None:
    with db.env.write() as txn:
        assert txn.delete(key)


def change(db: ScratchDatabase, key: bytes, kind: type[R], **fields: Any) -> None:
    record = codec.unpack(key, db.dump()[key], kind)
    put(db, key, msgspec.structs.replace(record, **fields))


def first(db: ScratchDatabase, prefix: bytes) -> bytes:
    return min(key for key in db.dump() if key.startswith(prefix))


def due(db: ScratchDatabase, kind: DueKind) -> bytes:
    return keyspace.due(db.dues(kind)[0])
