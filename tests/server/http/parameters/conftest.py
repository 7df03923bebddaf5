"""A daemon with the workspace acme, and the receiver of its webhook."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, daemon_in, receiving

AT_ONCE = BackoffPolicy(steps_ms=(1,) * 10)


@pytest.fixture
async def receiver() -> AsyncIterator[HookReceiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def system(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    """It tries again at once, so that a webhook is soon disabled."""
    async with daemon_in(tmp_path, policy=AT_ONCE) as system:
        await system.make("acme", receiver)
        yield system
