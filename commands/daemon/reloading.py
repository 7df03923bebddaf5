"""SIGHUP: the configuration is read again, and what may change while the daemon runs is changed.

A configuration with a fault in it is refused as a whole, and the old one stays. A setting that only
a start can change keeps its old value and is named, at every reload until that start.
"""

from collections.abc import Callable

import structlog

from hookbundle.commands.configuration.settings import AT_START_ONLY, Configuration
from hookbundle.commands.daemon import assembling
from hookbundle.commands.daemon.logs import set_up_logging
from hookbundle.engine.errors import ConfigError
from hookbundle.server.daemon.process import Daemon

log = structlog.get_logger(__name__)


class Reloader:
    """`read` reads the configuration from where the running one came from."""

    def __init__(self, running: Configuration, read: Callable[[], Configuration]) -> None:
        self._running = running
        self._read = read

    def reload(self, daemon: Daemon) -> str:
        """What came of it, in a line for the service manager."""
        try:
            wanted = self._read()
            assembling.daemon_config(wanted)  # as a whole, what waits for a start included
            merged, applied, waiting = merge(self._running, wanted)
            config = assembling.daemon_config(merged)
        except ConfigError as exc:
            log.error("configuration refused, the old one stays", error=str(exc))
            return f"configuration refused: {exc}"
        daemon.reconfigure(config)
        if {"log.level", "log.format"} & set(applied):
            set_up_logging(merged.get("log.format", str), merged.get("log.level", str))
        self._running = merged
        log.info("configuration read again", applied=applied, waits_for_restart=waiting)
        return f"applied {len(applied)} settings, {len(waiting)} wait for a restart"


def merge(
    running: Configuration, wanted: Configuration
) -> tuple[Configuration, list[str], list[str]]:
    """What is to run on, and the settings that changed: those applied, those that have to wait."""
    values = dict(running.values)
    applied, waiting = [], []
    for name, value in wanted.values.items():
        if value.value == running.values[name].value:
            continue
        if name in AT_START_ONLY:
            waiting.append(name)
        else:
            values[name] = value
            applied.append(name)
    return Configuration(values), applied, waiting
