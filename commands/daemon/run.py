"""`hookbundle run`: runs the daemon in the foreground until a signal stops it.

SIGTERM and SIGINT stop it gracefully: requests of callers are answered, and attempts in flight get
until `stop.within`. A second signal waits for no attempt. A stop that hangs has a hard end. SIGHUP
reloads the configuration.
"""

import asyncio
import faulthandler
import gc
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

import structlog

from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.commands.daemon import assembling
from hookbundle.commands.daemon.greeting import Places, greeting
from hookbundle.commands.daemon.hard_end import GRACE_S, HardEnd
from hookbundle.commands.daemon.log_stream import open_standard_files
from hookbundle.commands.daemon.logs import set_up_logging
from hookbundle.commands.daemon.notify import Notifier
from hookbundle.commands.daemon.reloading import Reloader
from hookbundle.commands.terminal import absence
from hookbundle.commands.terminal.failures import CONFLICT, FAILED, USAGE, CommandFailure
from hookbundle.commands.terminal.options import Shared
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import ConfigError, HookbundleError, InUse, in_words
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.process import Daemon
from hookbundle.server.daemon.upgrade import Progress, Upgrade
from hookbundle.server.daemon.way_out import Process
from hookbundle.server.http.sockets import given_sockets
from hookbundle.storage.daemon_facts import Noted
from hookbundle.storage.database import ownership
from hookbundle.storage.maintenance.migration import migrating
from hookbundle.storage.transitions.notes import Note

DONE = 0
STILL_S = 20.0  # between two words to the service manager while others are waited for
THREADS_S = 5.0  # at the end, for threads whose work nobody waits for
GC_THRESHOLDS = (50_000, 20, 100)  # as gc.set_threshold: one for each generation

log = structlog.get_logger(__name__)


def run_daemon(
    shared: Shared,
    given_flags: dict[str, str | None],
    config: Path | None,
    *,
    trust_clock: bool,
) -> None:
    """`given_flags`: settings of the command line. Raises: CommandFailure if it can't start, or
    could not go on."""
    given = Shared(config or shared.config_file, shared.socket)
    flags = {**given_flags, "socket": shared.socket}
    loaded = given.configuration(**given_flags)
    try:
        make: Make = new_daemon
        if loaded.get("cluster.servers", tuple):
            from hookbundle.commands.daemon.clustering import new_node

            make = new_node(loaded)
        sockets = given_sockets.take(os.environ)
        daemon_config = assembling.daemon_config(loaded, trust_clock=trust_clock)
        daemon_config = assembling.with_given(daemon_config, loaded, sockets)
    except ConfigError as exc:
        raise CommandFailure(str(exc), USAGE) from exc
    open_standard_files()
    stream = set_up_logging(loaded.get("log.format", str), loaded.get("log.level", str))
    # systemd's watchdog sends SIGABRT; this prints every thread's stack.
    faulthandler.enable(file=2)
    if sockets.meant_for:
        log.warning("sockets were given to another process", pid=sockets.meant_for)

    def read() -> Configuration:
        return paths.read_configuration(flags, given.config_file)

    def greet(daemon: Process) -> None:
        if stream.isatty() and loaded.get("log.format", str) != "json":
            places = Places(
                daemon.config.data,
                daemon.config.listeners.socket_path,
                daemon.listeners.tcp,
                tuple(paths.files(given.config_file)),
                daemon.said(),
            )
            stream.write(greeting(loaded, places))

    try:
        error = asyncio.run(
            serve(
                daemon_config,
                Notifier(os.environ),
                Reloader(loaded, read).reload,
                lambda: stream.lost,
                greet,
                make,
            )
        )
    except SystemExit as exc:  # even code 0 is a failure: no signal asked the daemon to stop
        raise CommandFailure("a part of the daemon called sys.exit", FAILED) from exc
    if error is not None:
        if isinstance(error, InUse):
            raise CommandFailure(absence.in_use(error, loaded), CONFLICT)
        raise CommandFailure(str(error), FAILED)


Make = Callable[[DaemonConfig, Callable[[], int]], Process]
"""A process of the configuration; the second one says how many lines of the log were lost."""


def new_daemon(config: DaemonConfig, log_lost: Callable[[], int]) -> Process:
    return Daemon(config, SystemClock(), log_lost=log_lost)


async def serve(
    config: DaemonConfig,
    notifier: Notifier,
    reload: Callable[[Process], str],
    log_lost: Callable[[], int] = lambda: 0,
    greet: Callable[[Process], None] = lambda daemon: None,
    make: Make = new_daemon,
) -> Exception | None:
    """Runs the daemon; returns None after a signal, or the error that stopped it.

    `greet`: called once it is ready. `make`: makes the daemon, or a node of a cluster.
    """
    loop = asyncio.get_running_loop()
    stop_requested = asyncio.Event()
    daemon = make(config, log_lost)
    hard_end = HardEnd()

    def stop() -> None:
        if stop_requested.is_set():
            daemon.expire()
        stop_requested.set()

    told: list[int] = []

    def told_to_stop(number: int, frame: FrameType | None) -> None:
        # Not by a handler of the loop's: the end comes also if the loop hangs.
        if len(told) < 2:
            hard_end.within(GRACE_S if told else daemon.config.stop_within_s + GRACE_S, FAILED)
        told.append(number)
        with suppress(RuntimeError):  # the loop is closed: the process is ending
            loop.call_soon_threadsafe(stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told_to_stop)
    # A SIGHUP during the start would end the process; there is nothing to reload yet.
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    upgraded: Noted | None = None
    try:
        if ownership.make_private(config.data):
            log.warning("data directory narrowed", directory=str(config.data), mode="0700")
        if make is new_daemon and migrating.needs_migration(config.data):
            upgrade = Upgrade(config, stop_requested, showing(notifier), migrating.migrate)
            upgraded = await upgrade.run(daemon.clock.now_ms())
            if upgraded is None:
                notifier.notify("STOPPING=1", "STATUS=stopping")
                return None
        if not await started(daemon, stop_requested, notifier):
            return None
    except HookbundleError as exc:
        return exc
    if upgraded is not None and isinstance(daemon, Daemon):
        await note(daemon, upgraded)
    collect_less_often()
    greet(daemon)
    ready = f"STATUS=ready, control socket {config.listeners.socket_path}"
    if names := config.listeners.given.names:
        log.info("serves sockets that the service manager holds", sockets=names)
        ready += f", held for us: {', '.join(names)}"
    notifier.notify("READY=1", ready)

    def reload_now() -> None:
        daemon.socket_watch.look()
        notifier.notify("RELOADING=1")
        notifier.notify("READY=1", f"STATUS={reload(daemon)}")

    loop.add_signal_handler(signal.SIGHUP, reload_now)
    alive = asyncio.ensure_future(notifier.stay_alive(daemon.pulse))
    daemon.failed.add_done_callback(lambda _: stop_requested.set())
    await stop_requested.wait()
    log.info("stopping", within_s=daemon.config.stop_within_s)
    notifier.notify("STOPPING=1", "STATUS=stopping")
    await daemon.stop()
    alive.cancel()
    error = daemon.failed.result() if daemon.failed.done() else None
    # What is left are threads that nobody needs any more, such as that of an unfinished backup.
    hard_end.within(THREADS_S, FAILED if error else DONE)
    return error


async def started(daemon: Process, stop_requested: asyncio.Event, notifier: Notifier) -> bool:
    """False if it was told to stop while it waited for others, before it had begun. The service
    manager waits as long: to start it again would not bring them back.

    Raises: as its `start`.
    """
    starting = asyncio.ensure_future(daemon.start())
    if not daemon.waits_for_others:
        await starting
        return True
    stopping = asyncio.ensure_future(stop_requested.wait())
    while not (starting.done() or stopping.done()):
        notifier.still_starting("waits for the log servers", advances=True)
        await asyncio.wait(
            {starting, stopping}, timeout=STILL_S, return_when=asyncio.FIRST_COMPLETED
        )
    stopping.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
        return False
    await starting
    return True


def showing(notifier: Notifier) -> Callable[[Progress], None]:
    """Shows the service manager how far an upgrade is, so that it waits."""

    def show(progress: Progress) -> None:
        status = f"upgrading the database: {progress.percent}"
        notifier.still_starting(status, advances=progress.advances)

    return show


async def note(daemon: Daemon, fact: Noted) -> None:
    """The fact is in the feed; if not, that is only logged, because the daemon runs without it."""
    try:
        await daemon.partition.store_first(Note(fact, daemon.clock.now_ms()))
    except HookbundleError as exc:
        log.warning("not noted in the feed", detail=fact.detail, error=in_words(exc))


def collect_less_often() -> None:
    """Reduces garbage collection from a fifth of the daemon's time to a few percent.

    Objects alive after the start stay alive, so collections may skip them (`gc.freeze`). Objects of
    a request are freed by reference counting; cycles are rare, so collecting them can wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
