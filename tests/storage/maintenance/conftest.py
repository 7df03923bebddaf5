"""Makes the database with every kind of record once, and gives each test a copy of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.storage.database.files import DATA, MARKER
from hookbundle.tests.storage.populated import populated
from hookbundle.tests.storage.scratch import ScratchDatabase


@pytest.fixture(scope="session")
def with_every_kind(tmp_path_factory: pytest.TempPathFactory) -> ScratchDatabase:
    """It is closed: its files are to be copied."""
    db = populated(tmp_path_factory.mktemp("populated") / "data")
    db.close()
    return db


@pytest.fixture
def populated_db(tmp_path: Path, with_every_kind: ScratchDatabase) -> Iterator[ScratchDatabase]:
    path = tmp_path / "data"
    path.mkdir()
    for name in (DATA, MARKER):
        shutil.copy(with_every_kind.path / name, path)
    db = ScratchDatabase(path)
    db.now_ms = with_every_kind.now_ms
    yield db
    db.close()
