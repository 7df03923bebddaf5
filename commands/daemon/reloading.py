"""Reload (SIGHUP): reads the configuration again and applies the settings that may change.

A configuration with a fault is refused as a whole, and the old one stays in force. A setting that
only a restart can change keeps its old value; every reload until that restart names it in the log.
"""

from collections.abc import Callable

import structlog

from hookbundle.commands.configuration.settings import AT_START_ONLY, Configuration
from hookbundle.commands.daemon import assembling
from hookbundle.commands.daemon.logs import set_up_logging
from hookbundle.engine.errors import ConfigError
from hookbundle.server.daemon.way_out import Process

log = structlog.get_logger(__name__)


class Reloader:
    """`read` reads the configuration from the same flags, environment and files as at the start."""

    def __init__(self, running: Configuration, read: Callable[[], Configuration]) -> None:
        self._running = running
        self._read = read

    def reload(self, daemon: Process) -> str:
        """Reloads the daemon's configuration; returns a status line for the service manager."""
        try:
            wanted = self._read()
            # Checked as a whole first, so a fault in a setting that needs a restart is found now.
            assembling.daemon_config(wanted)
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
    """The merged configuration, the names that are applied, the names that wait for a restart."""
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
