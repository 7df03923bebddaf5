"""Data directories of version 0.1.0."""

from pathlib import Path

import pytest

from hookbundle.tests.storage.fixtures.released import laid_out


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    """A database of 0.1.0 with all that it may hold when it is stopped."""
    return laid_out("schema-1-busy", tmp_path / "data")
