"""Bodies are rendered in a process of their own, which hostile ones may end, and nothing else."""

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from hookbundle.actors.rendering import line
from hookbundle.actors.rendering.child import Bounds, Child
from hookbundle.actors.rendering.frames import Answer, Ended
from hookbundle.actors.rendering.process import _done
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.actors.rendering.resting import BODIES_IN_A_ROW, Resting
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.errors import Overloaded
from hookbundle.engine.formats import documents
from hookbundle.engine.formats.filters import FILTERS
from hookbundle.engine.formats.jobs import Job, Reading, Rendered, Unrenderable, Why
from hookbundle.tests.actors.rendering.bombs import (
    HEALTHY,
    MEMORY_BOMB,
    SMALL_BYTES,
    TIME_BOMB,
    code_of,
)
from hookbundle.tests.engine.formats.jobs import bundle, job, message


def copy_of(pid: int) -> int:
    """The one that works for the process."""
    (found,) = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return int(found)


async def test_a_process_is_started_by_the_first_body_and_kept(renderer: Renderer) -> None:
    assert renderer.trial.pid is None

    made = [await renderer.render(HEALTHY, 1, 1) for _ in range(3)]

    assert isinstance(made[0], Rendered)
    assert msgspec.json.decode(made[0].body)["note"].endswith("Avi: hi Dana")
    assert made[1:] == made[:1] * 2
    assert renderer.trial.restarts == 0


async def test_the_process_has_two_pipes_and_nothing_else_of_the_daemon(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the daemon")
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)

    await renderer.render(HEALTHY, 1, 1)

    assert renderer.trial.pid is not None
    for pid in (renderer.trial.pid, copy_of(renderer.trial.pid)):
        process = Path(f"/proc/{pid}")
        assert (process / "environ").read_bytes() == b""
        assert {each.name for each in (process / "fd").iterdir()} == {"0", "1", "2"}
        bounds = (process / "limits").read_text(encoding="utf-8")
        assert f"Max address space         {256 * 1024 * 1024} " in bounds
        assert "Max file size             0 " in bounds
        assert os.getpgid(pid) == renderer.trial.pid
    os.close(reader)
    os.close(writer)


async def test_a_body_that_takes_too_much_memory_ends_a_copy_and_no_other_body(
    clock: MovableClock,
) -> None:
    renderer = Renderer(clock, Bounds(memory_bytes=SMALL_BYTES))
    well = await renderer.render(HEALTHY, 1, 1)
    pid = renderer.trial.pid

    bomb, after = await asyncio.gather(
        renderer.render(MEMORY_BOMB, 2, 2), renderer.render(HEALTHY, 1, 1)
    )

    assert code_of(bomb) is Why.MEMORY
    assert after == well
    assert renderer.trial.restarts + renderer.slow.restarts >= 1
    assert renderer.trial.pid == pid  # so nobody waited for a start
    await renderer.close()


async def test_a_body_that_takes_too_long_ends_a_copy_in_each_process_and_no_other_body(
    renderer: Renderer,
) -> None:
    well = await renderer.render(HEALTHY, 1, 1)
    pid = renderer.trial.pid

    bomb, after = await asyncio.gather(
        renderer.render(TIME_BOMB, 2, 2), renderer.render(HEALTHY, 1, 1)
    )

    assert code_of(bomb) is Why.TIME
    assert after == well
    assert (renderer.trial.restarts, renderer.slow.restarts) == (1, 1)
    assert renderer.trial.pid == pid  # so nobody waited for a start
    pid = renderer.slow.pid
    assert isinstance(await renderer.render(HEALTHY, 2, 2), Rendered)  # by the slow one's next copy
    assert renderer.slow.pid == pid


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

    assert renderer.slow.restarts == 0
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


@pytest.mark.parametrize("killed", ["the process", "its copy"])
async def test_a_body_whose_process_was_killed_is_rendered_once_more(
    renderer: Renderer, killed: str
) -> None:
    await renderer.render(HEALTHY, 1, 1)
    first = renderer.trial.pid
    assert first is not None
    copy = copy_of(first)
    os.killpg(first, signal.SIGSTOP)  # so that it has the job, and has not answered
    rendering = asyncio.create_task(renderer.render(HEALTHY, 1, 1))
    while not renderer.trial.busy:
        await asyncio.sleep(0)

    if killed == "its copy":
        os.kill(copy, signal.SIGKILL)
        os.kill(first, signal.SIGCONT)
    else:
        os.killpg(first, signal.SIGKILL)

    assert isinstance(await rendering, Rendered)
    assert renderer.trial.pid != first
    assert renderer.trial.restarts == 1


async def test_a_body_that_is_killed_twice_counts_as_past_a_limit(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Child.ask

    async def killed(child: Child, asked: Job) -> Answer | Ended:
        if asked == HEALTHY:
            return await ask(child, asked)
        os.killpg(child.pid, signal.SIGKILL)
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
    first = renderer.trial.pid
    assert first is not None
    os.killpg(first, signal.SIGSTOP)

    assert isinstance(await renderer.render(HEALTHY, 1, 1), Rendered)

    assert renderer.trial.pid != first
    await renderer.close()


async def test_closing_ends_the_process_and_refuses_who_waits(clock: MovableClock) -> None:
    renderer = Renderer(clock)
    await renderer.render(HEALTHY, 1, 1)
    waiting = [asyncio.create_task(renderer.render(TIME_BOMB, 1, at)) for at in range(3)]
    await asyncio.sleep(0)
    pid = renderer.trial.pid
    assert pid is not None

    await renderer.close()

    for each in waiting:
        with pytest.raises(Overloaded):
            await each
    with pytest.raises(Overloaded):
        await renderer.render(HEALTHY, 1, 1)
    assert not Path(f"/proc/{pid}").exists()


def test_a_fault_of_the_program_is_told_by_its_place_and_without_texts() -> None:
    made, error = _done(replace(HEALTHY, body=b'{"chat":{"secret":1}}'))

    assert code_of(made) is Why.FAILED
    assert error.startswith("KeyError at of:")


async def test_faults_of_a_template_come_with_their_places(renderer: Renderer) -> None:
    wrong = msgspec.json.encode({"a": "{{ chat.nobody }}", "b": ["{% if %}", "{{ options.x }}"]})

    reading = Reading(wrong, "webhook.format.template", ("x",))
    found = await renderer.read(reading, 1)

    assert [(each.path, each.code) for each in found] == [
        ("webhook.format.template/a", "unknown_name"),
        ("webhook.format.template/b/0", "liquid_tag"),
    ]
    assert found == tuple(
        documents.read_as_asked(Reading(wrong, "webhook.format.template", ("x",)))[1]
    )


async def test_a_template_that_takes_too_much_to_be_read_is_refused_and_nothing_rests() -> None:
    renderer = Renderer(MovableClock(), Bounds(processor_s=0.02))
    costly = msgspec.json.encode(["{{ messages | json | json | json | json }}"] * 500)

    for _ in range(BODIES_IN_A_ROW + 1):
        found = await renderer.read(Reading(costly, "format.template", ()), 1)
        assert [(each.path, each.code) for each in found] == [
            ("format.template", "template_not_read")
        ]

    assert isinstance(await renderer.preview(HEALTHY, 1), Rendered)
    await renderer.close()


async def test_where_no_process_can_be_started_a_template_is_refused_for_now(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "START_AGAIN_S", 0)
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    with pytest.raises(Overloaded):
        await renderer.read(Reading(b'"a"', "format.template", ()), 1)


async def test_a_template_whose_reading_fails_is_a_fault_of_ours(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(child: Child, job: object) -> Answer:
        return Answer(Unrenderable("", Why.FAILED, ""), 1, "KeyError at node:1")

    monkeypatch.setattr(Child, "ask", failing)

    with pytest.raises(RuntimeError):
        await renderer.read(Reading(b'"a"', "format.template", ()), 1)
