"""`hookbundle run`: the daemon, in the foreground, until it is told to stop."""

import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path

import click
import structlog

from hookbundle.actors.daemon import Daemon, DaemonConfig
from hookbundle.commands import places
from hookbundle.commands.client import CONFLICT, FAILED, USAGE, Failure
from hookbundle.commands.options import Shared, pass_shared
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import ConfigError, HookbundleError, Unusable


@click.command()
@click.option("--data", help="The data directory.")
@click.option("--listen", help="HOST:PORT of the HTTP API, or `off`.")
@click.option("--config", type=click.Path(path_type=Path), help="A configuration file (TOML).")
@click.option("--trust-clock", is_flag=True, help="Believe a wall clock that went back.")
@pass_shared
def run(
    shared: Shared, data: str | None, listen: str | None, config: Path | None, trust_clock: bool
) -> None:
    """Runs the daemon in the foreground. SIGTERM and SIGINT stop it in good order."""
    shared = Shared(config or shared.config_file, shared.socket)
    loaded = shared.configuration(data=data, listen=listen)
    try:
        daemon_config = places.daemon_config(loaded, trust_clock=trust_clock)
    except ConfigError as exc:
        raise Failure(str(exc), USAGE) from exc
    set_up_logging(loaded.get("log.format", str), loaded.get("log.level", str))
    error = asyncio.run(serve(daemon_config))
    if error is not None:
        raise Failure(str(error), CONFLICT if _is_taken(error) else FAILED)


async def serve(config: DaemonConfig) -> Exception | None:
    """Runs until a signal, then None; or until it can't go on, then why."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    daemon = Daemon(config, SystemClock())
    try:
        await daemon.start()
    except HookbundleError as exc:
        return exc
    # What is alive now stays; a full collection need not look at it again and again.
    gc.collect()
    gc.freeze()
    daemon.failed.add_done_callback(lambda _: stopped.set())
    await stopped.wait()
    await daemon.stop()
    return daemon.failed.result() if daemon.failed.done() else None


def set_up_logging(form: str, level: str) -> None:
    """Structured lines on stderr: JSON, or coloured for a person at a terminal."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        processors += [
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ]
    else:
        processors.append(structlog.dev.ConsoleRenderer())
    numeric = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(stream=sys.stderr, level=max(numeric, logging.WARNING))


def _is_taken(error: Exception) -> bool:
    return isinstance(error, Unusable) and "in use by" in str(error)
