"""One daemon for the tests of a module, each of which has a workspace of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.engine.sources.samples import ARRIVED_S
from hookbundle.tests.server.http.resources.sources.posting import Tenant, Tenants, tenants_in


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenants]:
    """At the time of the samples."""
    folder: Path = tmp_path_factory.mktemp("sources")
    listeners = ListenersConfig(folder / "run" / "control.sock", "127.0.0.1:0")
    clock = MovableClock()
    clock.move(ARRIVED_S * 1_000 - clock.now_ms())
    async with tenants_in(folder, clock, listeners=listeners) as tenants:
        yield tenants


@pytest_asyncio.fixture(loop_scope="module")
async def tenant(shared: Tenants) -> Tenant:
    """A workspace that sends each message at once."""
    return await shared.another()
