"""Who sends bodies to be rendered has a share of it, and pays for what goes past a limit."""

import asyncio

import pytest

from hookbundle.actors.rendering import line as module
from hookbundle.actors.rendering.frames import Answer, Ended
from hookbundle.actors.rendering.line import MACHINE_REST_MS, Line
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.actors.rendering.resting import REST_MS, Resting
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.errors import TooManyRequests
from hookbundle.engine.formats.jobs import Job, Rendered, Why
from hookbundle.tests.actors.rendering.bombs import (
    HEALTHY,
    TIME_BOMB,
    code_of,
)


def without_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bombs go past a limit, without a process that has to be started anew each time."""
    asked_of = Line._asked

    async def asked(line: Line, given: Job) -> Answer | Ended:
        return Ended.TIME if given == TIME_BOMB else await asked_of(line, given)

    monkeypatch.setattr(Line, "_asked", asked)


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


async def test_who_waits_no_longer_costs_nothing(renderer: Renderer) -> None:
    await renderer.render(HEALTHY, 1, 1)
    given_up = [asyncio.create_task(renderer.render(TIME_BOMB, 2, at)) for at in range(2, 22)]
    await asyncio.sleep(0)
    for each in given_up:
        each.cancel()
    await asyncio.wait(given_up)

    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)
    assert renderer.trial.restarts + renderer.slow.restarts <= 2


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


async def test_a_workspace_with_many_webhooks_lets_the_others_in(renderer: Renderer) -> None:
    order: list[int] = []

    async def body(workspace: int, webhook: int) -> None:
        await renderer.render(HEALTHY, workspace, webhook)
        order.append(workspace)

    await asyncio.gather(*(body(1, webhook) for webhook in range(10)), body(2, 99))

    assert order.index(2) <= 1


async def test_a_workspace_pays_for_the_time_that_its_bodies_took(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_bombs(monkeypatch)
    order: list[str] = []

    async def bodies(workspace: int, job: Job, name: str, count: int) -> None:
        for at in range(count):
            await renderer.render(job, workspace, workspace * 100 + at)
            order.append(name)

    await asyncio.gather(
        bodies(1, TIME_BOMB, "heavy", 2), *(bodies(2, HEALTHY, "light", 1) for _ in range(8))
    )

    assert order[-1] == "heavy"
