"""Which process gets a body: what is light waits for nothing that is slow, hostile or new."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hookbundle.actors.rendering import child, line
from hookbundle.actors.rendering.child import Bounds, Child, NotStarted
from hookbundle.actors.rendering.line import Line
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.actors.rendering.resting import Resting
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.formats.jobs import Job, Reading, Rendered, Why
from hookbundle.tests.actors.rendering.bombs import (
    HEALTHY,
    HEAVY_ALL_AT_ONCE,
    LIGHT_FOR_NOW,
    SLOW_BUT_LEGAL,
    TIME_BOMB,
    code_of,
)

READING = Reading(b'"{{ messages | text }}"', "format.template", ())


@contextmanager
def standing_still(stopped: Line) -> Iterator[None]:
    pid = stopped.pid
    assert pid is not None
    os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(pid, signal.SIGCONT)


async def until_busy(asked: Line) -> None:
    while not asked.busy:
        await asyncio.sleep(0)


async def healthy(renderer: Renderer, body: Job = HEALTHY) -> None:
    """The quick process is there, and the webhook 99 is light."""
    for _ in range(2):
        assert isinstance(await renderer.render(body, 99, 99), Rendered)
    while not renderer.quick.is_ready:
        await asyncio.sleep(0.01)


@pytest.mark.usefixtures("all_light")
async def test_what_is_hostile_slow_or_new_makes_nothing_wait_that_is_light(
    renderer: Renderer,
) -> None:
    await healthy(renderer)
    await renderer.render(TIME_BOMB, 1, 1)
    with standing_still(renderer.slow), standing_still(renderer.trial):
        hostile = [
            asyncio.create_task(renderer.render(TIME_BOMB, workspace, workspace))
            for workspace in range(1, 21)
        ]
        await until_busy(renderer.slow)
        await until_busy(renderer.trial)

        async with asyncio.timeout(15):
            for _ in range(3):
                assert isinstance(await renderer.render(HEALTHY, 99, 99), Rendered)

        assert not any(each.done() for each in hostile)
        for each in hostile:
            each.cancel()


@pytest.mark.usefixtures("all_light")
async def test_nobody_waits_for_the_start_of_the_quick_process(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await renderer.render(HEALTHY, 1, 1)
    starting, started_of = asyncio.Event(), Child.started

    async def started(bounds: Bounds) -> Child:
        await starting.wait()
        return await started_of(bounds)

    monkeypatch.setattr(Child, "started", started)

    async with asyncio.timeout(15):
        assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)

    assert not renderer.quick.is_ready
    starting.set()
    while not renderer.quick.is_ready:
        await asyncio.sleep(0.01)
    with standing_still(renderer.trial):
        assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)


async def test_a_slow_body_is_rendered_and_costs_its_webhook_nothing(clock: MovableClock) -> None:
    renderer = Renderer(clock, Bounds(processor_s=20))
    for _ in range(4):
        assert isinstance(await renderer.render(SLOW_BUT_LEGAL, 1, 1), Rendered)

    assert renderer.trial.restarts == 1  # only the first one was tried there
    assert renderer.slow.restarts == 0
    await renderer.close()


async def test_a_webhook_goes_to_the_slow_process_until_it_was_quick_again(
    renderer: Renderer,
) -> None:
    await renderer.render(HEAVY_ALL_AT_ONCE, 1, 1)

    with standing_still(renderer.trial):
        assert code_of(await renderer.render(HEAVY_ALL_AT_ONCE, 1, 1)) is Why.TIME
        assert isinstance(await renderer.render(LIGHT_FOR_NOW, 1, 1), Rendered)
    with standing_still(renderer.slow):
        assert isinstance(await renderer.render(LIGHT_FOR_NOW, 1, 1), Rendered)


@pytest.mark.usefixtures("all_light")
async def test_a_light_one_that_becomes_hostile_is_tried_by_the_quick_process_once(
    renderer: Renderer,
) -> None:
    await healthy(renderer, LIGHT_FOR_NOW)
    for _ in range(2):
        assert code_of(await renderer.render(HEAVY_ALL_AT_ONCE, 99, 99)) is Why.TIME
    assert renderer.quick.restarts == 1

    with standing_still(renderer.quick):  # so its workspace goes elsewhere for a while
        for _ in range(4):
            assert isinstance(await renderer.render(LIGHT_FOR_NOW, 99, 99), Rendered)


@pytest.mark.usefixtures("all_light")
async def test_another_format_is_tried_with_what_is_new(renderer: Renderer) -> None:
    await healthy(renderer)

    with standing_still(renderer.quick):
        assert code_of(await renderer.render(TIME_BOMB, 99, 99)) is Why.TIME
    assert renderer.quick.restarts == 0


@pytest.mark.usefixtures("all_light")
async def test_neither_a_preview_nor_a_template_that_is_read_makes_a_light_body_wait(
    renderer: Renderer,
) -> None:
    await healthy(renderer)

    with standing_still(renderer.quick):
        async with asyncio.timeout(15):
            assert isinstance(await renderer.preview(HEALTHY, 99), Rendered)
            assert await renderer.read(READING, 99) == ()
            assert isinstance(await renderer.preview(HEALTHY, 99), Rendered)


async def test_who_sets_a_format_waits_for_no_body(renderer: Renderer) -> None:
    await renderer.render(TIME_BOMB, 1, 1)

    with standing_still(renderer.slow), standing_still(renderer.trial):
        async with asyncio.timeout(15):
            assert await renderer.read(READING, 2) == ()


async def test_a_machine_that_starts_no_slow_process_makes_only_what_is_slow_wait(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await renderer.render(HEALTHY, 1, 1)
    monkeypatch.setattr(line, "START_AGAIN_S", 0)
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    slow = await renderer.render(TIME_BOMB, 2, 2)

    assert isinstance(slow, Resting)
    assert slow.cause == "machine"
    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)
    assert renderer.resting() == {}


async def test_a_process_that_gets_no_copy_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    boot = f"import os; os.fork = lambda: os.open('/nowhere', 0); {child.BOOT}"
    monkeypatch.setattr(child, "BOOT", boot)

    with pytest.raises(NotStarted):
        await Child.started(Bounds())
