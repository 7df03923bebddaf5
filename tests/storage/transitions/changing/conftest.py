"""A chat whose messages are edited and deleted."""

import pytest

from hookbundle.tests.storage.scratch import ScratchDatabase


@pytest.fixture
def acme(db: ScratchDatabase) -> ScratchDatabase:
    """Workspace `acme` with windows of an hour; the chat `c` has collected `m1` and `m2`."""
    db.workspace()
    db.accept("m1", "m2")
    return db
