"""Who sends bodies to be rendered has a share of it, and pays for what goes past a limit."""

import asyncio

import pytest

from hookbundle.actors.rendering import renderer as module
from hookbundle.actors.rendering.child import Ended
from hookbundle.actors.rendering.frames import Answer
from hookbundle.actors.rendering.renderer import MACHINE_REST_MS, Renderer
from hookbundle.actors.rendering.resting import REST_MS, Resting
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.errors import TooManyRequests
from hookbundle.engine.formats.jobs import Job, Rendered, Why
from hookbundle.tests.actors.rendering.bombs import (
    HEALTHY,
    LIGHT_AND_HOPELESS,
    TIME_BOMB,
    code_of,
)


def without_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bombs go past a limit, without a process that has to be started anew each time."""
    asked_of = Renderer._asked

    async def asked(renderer: Renderer, given: Job) -> Answer | Ended:
        return Ended.TIME if given == TIME_BOMB else await asked_of(renderer, given)

    monkeypatch.setattr(Renderer, "_asked", asked)


async def test_after_three_bodies_past_a_limit_the_webhook_rests_and_no_other(
    renderer: Renderer, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_bombs(monkeypatch)
    for _ in range(2):
        assert code_of(await renderer.render(TIME_BOMB, 1, 1)) is Why.TIME
    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)  # so they begin anew
    assert renderer.resting() == {}
    for _ in range(3):
        assert code_of(await renderer.render(TIME_BOMB, 1, 1)) is Why.TIME

    until_ms = renderer.resting()[1]

    assert REST_MS - 60_000 < until_ms - clock.now_ms() <= REST_MS
    assert await renderer.render(HEALTHY, 1, 1) == Resting(until_ms)
    assert isinstance(await renderer.render(HEALTHY, 1, 2), Rendered)
    assert isinstance(await renderer.preview(HEALTHY, 1), Rendered)
    renderer.begin_anew(1, 1)  # it got another format
    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)
    assert renderer.resting() == {}


async def test_a_workspace_looks_at_two_previews_at_once_and_rests_for_itself(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_bombs(monkeypatch)
    looking = [asyncio.create_task(renderer.preview(HEALTHY, 1)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await renderer.preview(HEALTHY, 1)
    assert isinstance(await renderer.preview(HEALTHY, 2), Rendered)
    await asyncio.gather(*looking)

    for _ in range(3):
        await renderer.preview(TIME_BOMB, 1)

    assert isinstance(await renderer.preview(HEALTHY, 1), Resting)
    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)
    assert renderer.resting() == {}  # of webhooks


async def test_a_healthy_format_waits_for_one_hostile_body_at_most(renderer: Renderer) -> None:
    await renderer.render(HEALTHY, 9, 9)
    tried: list[int] = []
    ended: list[int] = []

    async def hostile(webhook: int) -> None:
        await renderer.render(LIGHT_AND_HOPELESS, webhook % 3, webhook)
        tried.append(webhook)
        await renderer.render(TIME_BOMB, webhook % 3, webhook)
        ended.append(webhook)

    attacks = [asyncio.create_task(hostile(webhook)) for webhook in range(100, 103)]
    while len(tried) < len(attacks):
        await asyncio.sleep(0)

    assert isinstance(await renderer.render(HEALTHY, 9, 9), Rendered)

    assert len(ended) <= 1
    await asyncio.gather(*attacks)


async def test_who_waits_no_longer_costs_nothing(renderer: Renderer) -> None:
    await renderer.render(HEALTHY, 1, 1)
    given_up = [asyncio.create_task(renderer.render(TIME_BOMB, 2, at)) for at in range(2, 22)]
    await asyncio.sleep(0)
    for each in given_up:
        each.cancel()
    await asyncio.wait(given_up)

    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)
    assert renderer.restarts <= 1


async def test_a_machine_that_starts_no_process_makes_all_wait_and_counts_for_nobody(
    renderer: Renderer, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_AGAIN_S", 0)
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    first, second = await asyncio.gather(
        renderer.render(HEALTHY, 1, 1), renderer.render(HEALTHY, 2, 2)
    )

    assert isinstance(first, Resting)
    assert (first.cause, second) == ("machine", first)
    monkeypatch.undo()
    clock.move(MACHINE_REST_MS)
    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)
    assert renderer.resting() == {}
