"""Every check in turn. One that fails itself is a finding, and keeps no other from looking."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hookbundle import __version__
from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.loading import with_faults
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.commands.doctor import certificates, cluster, daemon, data, machine, settings
from hookbundle.commands.doctor.findings import Check, Finding, Machine, fault
from hookbundle.commands.terminal import absence
from hookbundle.commands.terminal.client import Control
from hookbundle.commands.terminal.failures import CommandFailure
from hookbundle.commands.terminal.options import Shared
from hookbundle.storage.database import files

DAEMON_WITHIN_S = 20.0
CHECKS: dict[str, tuple[Check, ...]] = {
    "configuration": (
        settings.whole,
        settings.unset,
        settings.secrets_in_clear,
        settings.permissions,
        settings.hosts,
        cluster.leftovers,
    ),
    "data": (data.rights, data.room, data.file_system, data.schema),
    "clock": (machine.clock,),
    "limits": (machine.descriptors,),
    "look-ups": (machine.look_ups,),
    "socket": (machine.control_socket,),
    "port": (machine.port,),
    "mail": (machine.mail_server,),
    "certificates": (certificates.dates,),
}
OF_A_NODE: dict[str, tuple[Check, ...]] = {
    "cluster": (cluster.settings, cluster.directory, cluster.log_servers)
}


@dataclass(frozen=True, slots=True)
class Examined:
    """`daemon`: version and pid of the one that answered; None if none runs."""

    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    daemon: dict[str, Any] | None
    daemon_words: str
    version: str = __version__


def examine(shared: Shared, data_flag: str | None) -> Examined:
    read = paths.files(shared.config_file)
    flags = {"socket": shared.socket, "data": data_flag}
    config, faults = with_faults(flags, os.environ, read)
    at = paths.data_directory(config)
    found = Machine(config, tuple(read), at, paths.socket_path(config), files.holder(at))
    findings = list(settings.of_faults(faults))
    all_checks = CHECKS | (OF_A_NODE if cluster.is_meant(config) else {})
    for about, checks in all_checks.items():
        for check in checks:
            findings += _of(about, partial(check, found))
    status = _status(found.socket)
    if status is None:
        findings += _silent(config, found)
        running = f"pid {found.pid} uses the data" if found.pid else "no daemon runs"
        return Examined(tuple(findings), tuple(all_checks), None, running)
    control = Control(found.socket, DAEMON_WITHIN_S)
    findings += _of("daemon", partial(daemon.condition, found, control))
    if cluster.is_meant(config):
        findings += _of("cluster", partial(cluster.of_daemon, found, control))
    checked = (*all_checks, "daemon", "webhooks", "tokens")
    answered = {"version": status["version"], "pid": status["pid"]}
    return Examined(tuple(findings), checked, answered, f"the daemon runs, pid {status['pid']}")


def _of(about: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except (OSError, CommandFailure) as exc:
        why = exc.message if isinstance(exc, CommandFailure) else exc.strerror or str(exc)
        name = getattr(exc, "filename", None)
        return [
            fault(
                about,
                f"this could not be looked at: {f'{name}: ' if name else ''}{why}",
                "what is wrong here is not known",
                "run this as the daemon's user",
            )
        ]


def _status(socket: Path) -> Any:
    try:
        return Control(socket, DAEMON_WITHIN_S).get("/v1/status")
    except CommandFailure:
        return None


def _silent(config: Configuration, found: Machine) -> list[Finding]:
    """A process has the data, and no daemon answers."""
    if found.pid is None:
        return []
    return [
        fault(
            "socket",
            absence.unreachable(config, found.socket),
            "no command reaches it",
            f"ps -fp {found.pid}",
        )
    ]
