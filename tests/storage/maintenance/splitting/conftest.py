"""A database with every kind of record, and with workspaces for many partitions."""

from pathlib import Path

import pytest

from hookbundle.storage.transitions.tokens import CreateToken
from hookbundle.tests.storage.populated import DIGEST
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase, incoming

WORKSPACES = 24


@pytest.fixture
def source(populated_db: ScratchDatabase) -> Path:
    """Its directory; it is closed."""
    db = populated_db
    for number in range(WORKSPACES):
        ws = db.workspace(f"ws{number}")
        for chat in ("sent", "fails", "waits"):
            db.accept(incoming(f"{chat}{number}"), ws=ws, chat=chat)
        db.seal("sent", ws=ws)
        db.attempt(OK, ws)
        db.seal("fails", ws=ws)
        if number % 3:
            db.attempt(NO, ws)
        digest = bytes((number,)) + DIGEST[1:]
        whose = f"ws{number}" if number % 2 else ""
        told = {"now_ms": db.now_ms, "caller": "t"}
        db.done(CreateToken(digest=digest, scope="admin", workspace_id=whose, **told))
    db.close()
    return db.path
