"""The process that renders ends with the daemon, and with what takes too much; the log says so."""

import os
import select
import signal
import subprocess
import sys

import msgspec
import structlog

from hookbundle.actors.rendering.child import Bounds
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.formats.jobs import Reading
from hookbundle.tests.actors.rendering.bombs import TIME_BOMB

PARENT = """
import asyncio, sys
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.engine.clock import SystemClock
from hookbundle.tests.actors.rendering.bombs import HEALTHY

async def main():
    renderer = Renderer(SystemClock())
    await renderer.render(HEALTHY, 1, 1)
    pid = renderer.trial.pid
    copy = open(f"/proc/{pid}/task/{pid}/children").read()
    print(pid, copy, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_the_process_and_its_copy_end_when_the_daemon_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert parent.stdout is not None
    with parent.stdout:
        renderers = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    assert len(renderers) == 2
    for renderer in renderers:
        ended, _, _ = select.select([renderer], [], [], 30)
        assert ended
        os.close(renderer)


def test_a_daemon_that_renders_nothing_has_not_imported_python_liquid() -> None:
    imports = "import sys, hookbundle.actors.rendering.renderer, hookbundle.engine.formats.format"
    program = f"{imports}; sys.exit('liquid' in sys.modules)"

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )

    assert ended.returncode == 0


async def test_what_went_past_a_limit_is_named_as_what_it_is() -> None:
    """A template or a preview belongs to no webhook, and the first one to no workspace yet."""
    renderer = Renderer(MovableClock(), Bounds(processor_s=0.02))
    costly = msgspec.json.encode(["{{ messages | json | json | json | json }}"] * 500)

    with structlog.testing.capture_logs() as logged:
        await renderer.read(Reading(costly, "format.template", ()), 0)
        await renderer.preview(TIME_BOMB, 7)
        await renderer.render(TIME_BOMB, 7, 9)
    await renderer.close()

    named = {
        line["event"]: {name: line[name] for name in ("workspace", "webhook") if name in line}
        for line in logged
    }
    assert named == {
        "a template went past a limit": {},
        "a preview went past a limit": {"workspace": 7},
        "a body went past a limit": {"workspace": 7, "webhook": 9},
    }
