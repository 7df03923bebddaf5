"""A database with every kind of record, and with workspaces for many partitions."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from hookbundle.storage.database.files import DATA, MARKER
from hookbundle.storage.transitions.tokens import CreateToken
from hookbundle.tests.storage.populated import DIGEST
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase, incoming

WORKSPACES = 24


@pytest.fixture(scope="session")
def with_many_workspaces(
    with_every_kind: ScratchDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Its directory; it is closed."""
    path = _copied(with_every_kind.path, tmp_path_factory.mktemp("many") / "data")
    db, numbers = ScratchDatabase(path), []
    db.now_ms = with_every_kind.now_ms
    for number in range(WORKSPACES):
        ws = db.workspace(f"ws{number}")
        numbers.append(ws)
        for chat in ("sent", "fails", "waits"):
            db.accept(incoming(f"{chat}{number}"), ws=ws, chat=chat)
        db.seal("sent", ws=ws)
        db.attempt(OK, ws)
        db.seal("fails", ws=ws)
        if number % 3:
            db.attempt(NO, ws)
        digest = bytes((number,)) + DIGEST[1:]
        whose = f"ws{number}" if number % 2 else ""
        told: Any = {"now_ms": db.now_ms, "caller": "t"}
        db.done(CreateToken(digest=digest, scope="admin", workspace_id=whose, **told))
    skipped: Any = {"chat": "together", "skipped": ("s",)}  # of which a chat finds the fact
    db.group(*(db.accepting(f"g{ws}", ws=ws, **skipped) for ws in numbers))
    db.close()
    return path


@pytest.fixture
def source(with_many_workspaces: Path, tmp_path: Path) -> Path:
    """The directory of a copy."""
    return _copied(with_many_workspaces, tmp_path / "data")


def _copied(path: Path, into: Path) -> Path:
    into.mkdir()
    for name in (DATA, MARKER):
        shutil.copy(path / name, into)
    return into
