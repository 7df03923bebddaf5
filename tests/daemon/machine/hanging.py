"""`hookbundle` whose stop hangs somewhere, with a short hard end.

    python -m hookbundle.tests.daemon.machine.hanging KIND run

What hangs (KIND):

    loop      the event loop, as soon as the daemon is ready
    stop      the stop, in the event loop
    thread    a thread, which the interpreter waits for at its exit
    python    the interpreter itself: no thread runs any more
"""

import asyncio
import ctypes
import sys
import threading
from collections.abc import Callable

from hookbundle import cli
from hookbundle.commands.daemon import hard_end, run
from hookbundle.server.daemon.process import Daemon
from hookbundle.tests.reliability.harness.wrapping import replace

GRACE_S = 0.5


def command(kind: str) -> list[str]:
    """The command to run in place of `hookbundle`."""
    return [sys.executable, "-m", __name__, kind]


def hang() -> None:
    threading.Event().wait()


def hang_with_the_interpreter() -> None:
    ctypes.PyDLL(None).sleep(60)  # a PyDLL keeps the interpreter's lock


HANGS: dict[str, Callable[[], None]] = {"stop": hang, "python": hang_with_the_interpreter}


def main(kind: str, *arguments: str) -> None:
    stop, start = Daemon.stop, Daemon.start

    async def start_and_hang(daemon: Daemon) -> None:
        await start(daemon)
        if kind == "loop":
            asyncio.get_running_loop().call_soon(hang)

    async def stop_and_hang(daemon: Daemon) -> None:
        HANGS.get(kind, bool)()
        await stop(daemon)
        if kind == "thread":
            asyncio.get_running_loop().run_in_executor(None, hang)

    replace(Daemon, "start", start_and_hang)
    replace(Daemon, "stop", stop_and_hang)
    replace(run, "GRACE_S", GRACE_S)
    replace(run, "THREADS_S", GRACE_S)
    replace(hard_end, "ALARM_AFTER_S", GRACE_S)
    cli.main(list(arguments), prog_name="hookbundle")


if __name__ == "__main__":
    main(*sys.argv[1:])
