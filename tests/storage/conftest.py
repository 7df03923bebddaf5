"""A house for each test, closed when the test is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.tests.storage.scratch import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "data")
    yield house
    house.close()
