"""Bodies are rendered in a process of their own, which hostile ones may end, and nothing else."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hookbundle.actors.rendering import renderer as module
from hookbundle.actors.rendering.child import Bounds, Child, Ended
from hookbundle.actors.rendering.frames import Answer
from hookbundle.actors.rendering.process import _rendered
from hookbundle.actors.rendering.renderer import MACHINE_REST_MS, Renderer
from hookbundle.actors.rendering.resting import REST_MS, Resting
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.errors import Overloaded, TooManyRequests
from hookbundle.engine.formats.filters import FILTERS
from hookbundle.engine.formats.jobs import Job, Rendered, Unrenderable, Why
from hookbundle.tests.engine.formats.jobs import bundle, job, message

HEALTHY = job({"template": {"note": "{{ messages | text }}"}})
LONG_TEXTS = bundle([message("<&>" * 20_000, at) for at in range(3)])
# Four million letters of four bytes each.
MEMORY_BOMB = job(
    {"template": ["{{ messages[0].text | upcase }}"] * 60}, bundle([message("👍" * 65_000)])
)
LIGHT_AND_HOPELESS = job({"template": "{{ chat.full_name | ms }}"})
SMALL_BYTES = 48 * 1024 * 1024  # what the process has at its start, and a little more
TIME_BOMB = job(
    {
        "template": {
            "$each": "messages",
            "as": "m",
            "do": ["{{ m.text | html | escape | url_encode | size }}"] * 60,
        }
    },
    LONG_TEXTS,
)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def renderer(clock: MovableClock) -> AsyncIterator[Renderer]:
    made = Renderer(clock, Bounds(processor_s=0.1, wall_s=20))
    yield made
    await made.close()


def code_of(made: Any) -> Why:
    assert isinstance(made, Unrenderable), made
    return made.code


async def test_a_process_is_started_by_the_first_body_and_kept(renderer: Renderer) -> None:
    assert renderer.pid is None

    made = [await renderer.render(HEALTHY, 1, 1) for _ in range(3)]

    assert isinstance(made[0], Rendered)
    assert msgspec.json.decode(made[0].body)["note"].endswith("Avi: hi Dana")
    assert made[1:] == made[:1] * 2
    assert renderer.restarts == 0


async def test_the_process_has_two_pipes_and_nothing_else_of_the_daemon(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the daemon")
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)

    await renderer.render(HEALTHY, 1, 1)
    process = Path(f"/proc/{renderer.pid}")

    assert (process / "environ").read_bytes() == b""
    assert {each.name for each in (process / "fd").iterdir()} == {"0", "1", "2"}
    bounds = (process / "limits").read_text(encoding="utf-8")
    assert f"Max address space         {256 * 1024 * 1024} " in bounds
    assert "Max file size             0 " in bounds
    assert os.getpgid(renderer.pid or 0) != os.getpgid(0)
    os.close(reader)
    os.close(writer)


async def test_a_body_that_takes_too_much_memory_ends_the_process_and_no_other_body(
    clock: MovableClock,
) -> None:
    renderer = Renderer(clock, Bounds(memory_bytes=SMALL_BYTES))
    well = await renderer.render(HEALTHY, 1, 1)

    bomb, after = await asyncio.gather(
        renderer.render(MEMORY_BOMB, 2, 2), renderer.render(HEALTHY, 1, 1)
    )

    assert code_of(bomb) is Why.MEMORY
    assert after == well
    await renderer.close()


async def test_a_body_that_takes_too_long_ends_the_process_and_no_other_body(
    renderer: Renderer,
) -> None:
    well = await renderer.render(HEALTHY, 1, 1)

    bomb, after = await asyncio.gather(
        renderer.render(TIME_BOMB, 2, 2), renderer.render(HEALTHY, 1, 1)
    )

    assert code_of(bomb) is Why.TIME
    assert after == well
    assert renderer.restarts == 1


async def test_no_filter_of_a_very_long_text_goes_past_a_limit(clock: MovableClock) -> None:
    renderer = Renderer(clock)  # with the limits that a daemon has
    values = {"date": ": '%F'", "default": ": 'x'", "plus": ": 1", "minus": ": 1"}

    for letter in ("👍", '"', "<", "\x01", "ß", "\u202e"):
        body = bundle([message(letter * 65_536)])
        for name, kind in FILTERS.items():
            value = "messages" if kind.only_lists else "messages[0].text"
            text = f"{{{{ {value} | {name}{values.get(name, '')} }}}}"
            made = await renderer.render(job({"template": {"a": text}}, body), 1, 1)
            assert not isinstance(made, Resting)
            assert not isinstance(made, Unrenderable) or not made.is_past_limit, name

    assert renderer.restarts == 0
    await renderer.close()


async def test_an_error_of_the_program_is_its_callers_and_those_who_wait_go_on(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Child.ask

    async def failing(child: Child, asked: Job) -> Answer | Ended:
        if asked != HEALTHY:
            raise RuntimeError
        return await ask(child, asked)

    monkeypatch.setattr(Child, "ask", failing)

    first, second = await asyncio.gather(
        renderer.render(replace(HEALTHY, zone="UTC"), 1, 1),
        renderer.render(HEALTHY, 1, 2),
        return_exceptions=True,
    )

    assert isinstance(first, RuntimeError)
    assert isinstance(second, Rendered)


async def test_a_body_whose_process_was_killed_is_rendered_once_more(renderer: Renderer) -> None:
    await renderer.render(HEALTHY, 1, 1)
    first = renderer.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)  # so that it has the job, and has not answered
    rendering = asyncio.create_task(renderer.render(HEALTHY, 1, 1))
    while not renderer.busy:
        await asyncio.sleep(0)

    os.kill(first, signal.SIGKILL)

    assert isinstance(await rendering, Rendered)
    assert renderer.pid != first
    assert renderer.restarts == 1


async def test_a_body_that_is_killed_twice_counts_as_past_a_limit(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Child.ask

    async def killed(child: Child, asked: Job) -> Answer | Ended:
        if asked == HEALTHY:
            return await ask(child, asked)
        os.kill(child.pid, signal.SIGKILL)
        return await ask(child, asked)

    monkeypatch.setattr(Child, "ask", killed)

    made = await renderer.render(replace(HEALTHY, zone="UTC"), 1, 1)

    assert code_of(made) is Why.ENDED
    assert isinstance(made, Unrenderable)
    assert made.is_past_limit
    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)


async def test_a_process_that_hangs_is_replaced(clock: MovableClock) -> None:
    renderer = Renderer(clock, Bounds(wall_s=0.5))
    await renderer.render(HEALTHY, 1, 1)
    first = renderer.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)

    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)

    assert renderer.pid != first
    await renderer.close()


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


async def test_closing_ends_the_process_and_refuses_who_waits(clock: MovableClock) -> None:
    renderer = Renderer(clock)
    await renderer.render(HEALTHY, 1, 1)
    waiting = [asyncio.create_task(renderer.render(TIME_BOMB, 1, at)) for at in range(3)]
    await asyncio.sleep(0)
    pid = renderer.pid
    assert pid is not None

    await renderer.close()

    for each in waiting:
        with pytest.raises(Overloaded):
            await each
    with pytest.raises(Overloaded):
        await renderer.render(HEALTHY, 1, 1)
    assert not Path(f"/proc/{pid}").exists()


def test_a_fault_of_the_program_is_told_by_its_place_and_without_texts() -> None:
    made, error = _rendered(replace(HEALTHY, body=b'{"chat":{"secret":1}}'))

    assert code_of(made) is Why.FAILED
    assert error.startswith("KeyError at of:")
