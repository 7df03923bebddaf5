"""Each test that takes a `runtime` runs on a thread and on the loop."""

import threading
from collections.abc import Iterator

import pytest

from hookbundle.tests.engine.runtime.contract import (
    LoopRuntime,
    Notes,
    Runtime,
)


@pytest.fixture(params=[Runtime, LoopRuntime], ids=["threading", "loop"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    runtime: Runtime = request.param()
    yield runtime
    runtime.close()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()
