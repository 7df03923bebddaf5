"""One daemon for the tests of a module, each of which has a workspace of its own."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.engine.sources.samples import ARRIVED_S
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, daemon_in, receiving
from hookbundle.tests.server.http.resources.sources.posting import Tenant

NUMBERS = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver_of_all() -> AsyncIterator[HookReceiver]:
    async with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """At the time of the samples."""
    folder: Path = tmp_path_factory.mktemp("sources")
    listeners = ListenersConfig(folder / "run" / "control.sock", "127.0.0.1:0")
    clock = MovableClock()
    clock.move(ARRIVED_S * 1_000 - clock.now_ms())
    async with daemon_in(folder, clock, listeners=listeners) as system:
        yield system


@pytest_asyncio.fixture(loop_scope="module")
async def tenant(shared: System, receiver_of_all: HookReceiver) -> Tenant:
    """A workspace that sends each message at once."""
    ws = f"w{next(NUMBERS)}"
    await shared.make(ws, receiver_of_all, ws)
    return Tenant(shared, receiver_of_all, ws)
