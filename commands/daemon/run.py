"""`hookbundle run`: the daemon, in the foreground, until it is told to stop.

SIGTERM and SIGINT stop it in good order: who is being answered is answered, attempts under way end
within `stop.within`; the second signal waits for no attempt. SIGHUP reads the configuration again.
"""

import asyncio
import faulthandler
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path

import click
import structlog

from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.commands.daemon import assembling
from hookbundle.commands.daemon.logs import set_up_logging
from hookbundle.commands.daemon.notify import Notifier
from hookbundle.commands.daemon.reloading import Reloader
from hookbundle.commands.terminal.failures import CONFLICT, FAILED, USAGE, Failure
from hookbundle.commands.terminal.options import Shared, pass_shared
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import ConfigError, HookbundleError, InUse
from hookbundle.server.daemon.process import Daemon, DaemonConfig

COLLECT_AT = (50_000, 20, 100)  # allocations, collections of the young, of the middle-aged

log = structlog.get_logger(__name__)


@click.command()
@click.option("--data", help="The data directory.")
@click.option("--listen", help="HOST:PORT of the HTTP API, or `off`.")
@click.option("--config", type=click.Path(path_type=Path), help="A configuration file (TOML).")
@click.option("--trust-clock", is_flag=True, help="Believe a wall clock that went back.")
@pass_shared
def run(
    shared: Shared, data: str | None, listen: str | None, config: Path | None, trust_clock: bool
) -> None:
    """Runs the daemon in the foreground. SIGTERM stops it in good order, SIGHUP reloads."""
    given = Shared(config or shared.config_file, shared.socket)
    flags = {"data": data, "listen": listen, "socket": shared.socket}
    loaded = given.configuration(data=data, listen=listen)
    try:
        daemon_config = assembling.daemon_config(loaded, trust_clock=trust_clock)
    except ConfigError as exc:
        raise Failure(str(exc), USAGE) from exc
    set_up_logging(loaded.get("log.format", str), loaded.get("log.level", str))
    faulthandler.enable()  # a watchdog's SIGABRT leaves behind where every thread stood

    def read() -> Configuration:
        return paths.read_configuration(flags, given.config_file)

    try:
        error = asyncio.run(
            serve(daemon_config, Notifier(os.environ), Reloader(loaded, read).reload)
        )
    except SystemExit as exc:  # whatever its code: nobody told the daemon to stop
        raise Failure("a part of the daemon asked for its end", FAILED) from exc
    if error is not None:
        raise Failure(str(error), CONFLICT if isinstance(error, InUse) else FAILED)


async def serve(
    config: DaemonConfig, notifier: Notifier, reload: Callable[[Daemon], str]
) -> Exception | None:
    """Runs until a signal, then None; or until it can't go on, then why."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    daemon = Daemon(config, SystemClock())

    def stop() -> None:
        if told.is_set():
            daemon.hurry()
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    # Whoever reloads before there is something to reload should not end the daemon.
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    try:
        await daemon.start()
    except HookbundleError as exc:
        return exc
    collect_less_often()
    ready = f"STATUS=ready, control socket {config.doors.socket_path}"
    notifier.tell("READY=1", ready)

    def reload_now() -> None:
        notifier.tell("RELOADING=1")
        notifier.tell("READY=1", f"STATUS={reload(daemon)}")

    loop.add_signal_handler(signal.SIGHUP, reload_now)
    alive = asyncio.ensure_future(notifier.stay_alive(daemon.pulse))
    daemon.failed.add_done_callback(lambda _: told.set())
    await told.wait()
    log.info("stopping", within_s=daemon.config.stop_within_s)
    notifier.tell("STOPPING=1", "STATUS=stopping")
    await daemon.stop()
    alive.cancel()
    return daemon.failed.result() if daemon.failed.done() else None


def collect_less_often() -> None:
    """Garbage collection takes a few percent of the daemon's time instead of a fifth.

    What is alive now stays, so a full collection need not look at it again and again. And what a
    request leaves behind is freed by counting references; cycles are rare enough to wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AT)
