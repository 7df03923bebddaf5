"""The daemon that is measured: `python bench/processes/serve.py DATA [--counted]`.

It listens on a Unix socket in the data directory and on TCP, and may call receivers on the
loopback. It reports both addresses when it is ready, and its counters after each empty line on
stdin. `--counted`: it runs under valgrind, and what it does by time it does as seldom as its time
passes there.
"""

import asyncio
import selectors
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from hookbundle.bench import harness
from hookbundle.bench.instructions.counting import SLOWER_BY
from hookbundle.commands.daemon.run import collect_less_often
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.process import Daemon
from hookbundle.server.http.listeners import ListenersConfig


class SlowTime:
    """The processor's time, as if it were as fast as without valgrind: as it was at the beginning
    of this pass of the loop, since to read it costs more than to read a clock.

    Else the timer's ten polls a second would cost more than a message, which takes as long there,
    and all the more so on a machine that does much else; and actors would be idle for minutes
    between two requests.
    """

    now_s = 0.0


class SlowSelector(selectors.DefaultSelector):
    """Waits as much longer as time is slower: else the loop would look again and again whether a
    timer is due, and that would be counted."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(timeout * SLOWER_BY if timeout else timeout)
        SlowTime.now_s = time.process_time() / SLOWER_BY
        return found


class SlowLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__(SlowSelector())

    def time(self) -> float:
        return SlowTime.now_s


class SlowClock(SystemClock):
    def now_ms(self) -> int:
        return self._ahead_ms + self.elapsed_ms()

    def elapsed_ms(self) -> int:
        return round(SlowTime.now_s * 1_000)


async def serve(data: Path, clock: SystemClock) -> None:
    loop = asyncio.get_running_loop()
    config = DaemonConfig(
        data=data / "data",
        listeners=ListenersConfig(data / "run" / "socket", listen="127.0.0.1:0"),
        addresses=AddressPolicy.parse(["127.0.0.0/8"]),
        stop_within_s=5.0,
    )
    began_s = time.perf_counter()
    daemon = Daemon(config, clock)
    await daemon.start()
    collect_less_often()
    host, port = daemon.listeners.tcp or ("", 0)
    harness.say(
        {
            "socket": str(config.listeners.socket_path),
            "tcp": f"{host}:{port}",
            "start_s": time.perf_counter() - began_s,
        }
    )

    def count() -> None:
        if sys.stdin.readline():
            store, meta = daemon.partition.store_queue.state, daemon.partition.reads.meta()
            harness.say(
                {
                    "commits": store.commits,
                    "transitions": store.transitions,
                    "commit_ms": store.commit_ms,
                    "windows": meta.windows,
                    "queued": meta.queued,
                    "residents": daemon.partition.virtual_actors.chats.active_count,
                    "accepted": meta.totals.accepted,
                    "used_bytes": daemon.partition.env.usage().used_bytes,
                }
            )
        else:
            loop.remove_reader(sys.stdin)

    loop.add_reader(sys.stdin, count)
    claimed = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, claimed.set)
    await claimed.wait()
    await daemon.stop()


def measured(serving: Callable[[SystemClock], Coroutine[Any, Any, None]]) -> None:
    """Runs it; `--counted`: as seldom by time as time passes under valgrind."""
    is_counted = "--counted" in sys.argv
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        # While it is counted the loop seems to stand still all the time, which would be warned of.
        wrapper_class=structlog.make_filtering_bound_logger("error" if is_counted else "warning"),
    )
    loops: type[asyncio.SelectorEventLoop] = asyncio.SelectorEventLoop
    if is_counted:
        loops = SlowLoop
        # A thread that waits for the interpreter's lock looks again each time this has passed.
        sys.setswitchinterval(sys.getswitchinterval() * SLOWER_BY)
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(serving(SlowClock() if is_counted else SystemClock()))


if __name__ == "__main__":
    measured(partial(serve, Path(sys.argv[1])))
