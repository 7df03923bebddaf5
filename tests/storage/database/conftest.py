"""A data directory with a closed database in it."""

from pathlib import Path

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.tests.storage.database.directories import opened


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A directory with a closed database of a few hundred kilobytes."""
    path = tmp_path / "data"
    env = opened(path)
    with env.write() as txn:
        for number in range(100):
            txn.put(keyspace.numbered(keyspace.MAILS, number), bytes(3_000))
    env.close()
    return path
