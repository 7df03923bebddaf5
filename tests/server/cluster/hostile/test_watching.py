"""Something that other nodes decide is looked at for as long as somebody relies on it."""

import asyncio

import pytest

from hookbundle.engine.errors import NotOwner
from hookbundle.server.cluster.watching import looking


@pytest.mark.parametrize("error", [NotOwner.of(NotOwner.other), KeyError("garbage")])
async def test_whatever_a_look_raises_the_next_one_comes(error: Exception) -> None:
    """Or who signs out would go on hearing what an open page hears."""
    looks, again = 0, asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise error
        again.set()

    async with asyncio.timeout(20), looking(look, 0.0, "test"):
        await again.wait()

    assert looks >= 2


async def test_nothing_is_looked_at_when_nobody_relies_on_it() -> None:
    seen = asyncio.Event()

    async def look() -> None:
        seen.set()

    async with asyncio.timeout(20), looking(look, 0.0, "test"):
        await seen.wait()
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == "test"]

    assert tasks == []
