"""A renderer for each test, whose bodies have a tenth of the usual time."""

from collections.abc import AsyncIterator

import pytest

from hookbundle.actors.rendering import paces
from hookbundle.actors.rendering import renderer as module
from hookbundle.actors.rendering.child import Bounds
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.commands.demo.clock import MovableClock


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def renderer(clock: MovableClock) -> AsyncIterator[Renderer]:
    made = Renderer(clock, Bounds(processor_s=0.1, wall_s=20))
    yield made
    await made.close()


@pytest.fixture
def all_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a machine that is busy, what is rendered in time is light."""
    monkeypatch.setattr(paces, "LIGHT_US", 20_000)
    monkeypatch.setattr(module, "LIGHT_TRY_S", module.TRY_S)
