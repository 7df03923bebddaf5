"""The daemon of these tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.tests.server.http.lane.taught import Taught, taught
from hookbundle.tests.server.http.lines import street


@pytest_asyncio.fixture
async def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Taught]:
    async with street(tmp_path, GuardLimits(), body_s=0.3) as outside:
        yield await taught(outside, monkeypatch)
