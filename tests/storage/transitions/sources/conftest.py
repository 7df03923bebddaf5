"""A source that was just made."""

import pytest

from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.sources.steps import create


@pytest.fixture
def source(db: ScratchDatabase) -> ScratchDatabase:
    db.workspace()
    create(db)
    return db
