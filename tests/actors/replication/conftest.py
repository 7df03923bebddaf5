"""A database for each test, closed after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.tests.actors.replication.clusters import Cluster
from hookbundle.tests.storage.scratch import ScratchDatabase


@pytest.fixture
def db(tmp_path: Path) -> Iterator[ScratchDatabase]:
    db = ScratchDatabase(tmp_path / "data")
    yield db
    db.close()


@pytest.fixture
def cluster(db: ScratchDatabase, tmp_path: Path) -> Cluster:
    return Cluster(db, tmp_path)
