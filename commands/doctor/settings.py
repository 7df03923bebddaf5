"""The configuration: what is wrong with it, what it does not say, and who may read its files."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from hookbundle.commands.configuration.settings import BY_NAME, DEFAULT, FROM_FILE, SETTINGS
from hookbundle.commands.doctor.findings import Finding, Machine, fault, note
from hookbundle.engine.errors import ConfigError

ABOUT = "configuration"


def of_faults(faults: Iterable[ConfigError]) -> Iterator[Finding]:
    """Settings that are unknown or beyond their range."""
    for each in faults:
        yield fault(
            ABOUT,
            str(each),
            "the daemon does not start with it, and a reload keeps what was before",
            "correct it; `hookbundle config show` lists every setting with its meaning",
        )


def whole(machine: Machine) -> Iterator[Finding]:
    """What only the parts of the daemon know of their settings."""
    from hookbundle.commands.daemon import assembling

    try:
        assembling.daemon_config(machine.config)
    except ConfigError as exc:
        yield from of_faults([exc])


def unset(machine: Machine) -> Iterator[Finding]:
    """What an operator has to set, because no default can be right."""
    if not machine.config.get("smtp.host", str):
        yield note(
            "mail",
            "smtp.host is not set",
            "no e-mail is sent: an owner is not told that a webhook was disabled",
            "set smtp.host, smtp.username and smtp.password, then `hookbundle mail test ADDRESS`",
        )
    elif machine.config.values["smtp.sender"].origin == DEFAULT:
        yield note(
            "mail",
            "smtp.sender is not set",
            "mail servers refuse senders of a machine's own name, or take them for spam",
            "set smtp.sender to an address of your domain",
        )
    if not machine.config.get("console.url", str):
        yield note(
            ABOUT,
            "console.url is not set",
            "e-mails to owners have no link to the console, and addresses of sources no host",
            "set console.url to the public URL, for example https://hooks.example.com",
        )


def secrets_in_clear(machine: Machine) -> Iterator[Finding]:
    config = machine.config
    if config.get("smtp.password", str) and config.get("smtp.security", str) == "none":
        yield fault(
            "mail",
            "smtp.security is none, and there is a password",
            "the password goes over the network in clear",
            "set smtp.security to starttls or tls",
        )


def permissions(machine: Machine) -> Iterator[Finding]:
    """Files with settings that others may change, and files with secrets that others may read."""
    origins = {value.origin for value in machine.config.values.values() if value.setting.secret}
    for path in machine.files:
        yield from _of_file(path, has_secrets=str(path) in origins)
    for setting in SETTINGS:
        given = os.environ.get(setting.variable + FROM_FILE) if setting.secret else None
        if given:
            yield from _of_file(Path(given), has_secrets=True)


def _of_file(path: Path, *, has_secrets: bool) -> Iterator[Finding]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # that it can't be read is a fault of the configuration
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield fault(
            ABOUT,
            f"{path} can be changed by other users",
            "they could have the daemon send anywhere",
            f"chmod go-w {path}",
        )
    if has_secrets and mode & stat.S_IROTH:
        yield fault(
            ABOUT,
            f"{path} holds a secret and can be read by everybody",
            "every user of this machine can read it",
            f"chmod o-rwx {path}",
        )


def hosts(machine: Machine) -> Iterator[Finding]:
    """A daemon that is reached by a name has to know that name."""
    listen = machine.config.get("listen", str)
    host = listen.rpartition(":")[0].strip("[]")
    is_local = listen == "off" or host in ("", "localhost", "::1") or host.startswith("127.")
    knows_none = not machine.config.get("http.hosts", tuple)
    if not is_local and knows_none and not machine.config.get("console.url", str):
        yield note(
            ABOUT,
            f"the API listens on {host}, and neither http.hosts nor console.url is set",
            "requests that name another host are refused with 421",
            f"set http.hosts ({BY_NAME['http.hosts'].meaning})",
        )
