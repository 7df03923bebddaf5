"""A workspace without sources, of a daemon that all tests of a file share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookbundle.tests.daemon.commands.sources.scene import NUMBERS, Scene
from hookbundle.tests.in_process import Api, connected, receiving
from hookbundle.tests.program import Program


@pytest.fixture
async def scene(program: Program, tmp_path: Path) -> AsyncIterator[Scene]:
    async with receiving() as receiver, connected(program.socket_path) as session:
        scene = Scene(program, Api(session), f"sources{next(NUMBERS)}", tmp_path)
        await scene.api.make(scene.ws, receiver)
        yield scene
