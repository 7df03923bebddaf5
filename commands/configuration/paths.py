"""Paths of the data directory, the socket and the configuration files."""

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from hookbundle.commands.configuration import loading
from hookbundle.commands.configuration.settings import Configuration

NAME = "hookbundle"
SOCKET = "control.sock"
SYSTEM_FILE = Path("/etc/hookbundle/config.toml")


def read_configuration(
    flags: Mapping[str, str | None], config_file: Path | None = None
) -> Configuration:
    """The configuration from flags, environment and files; `config_file` overrides other files.

    Raises: ConfigError.
    """
    return loading.load(flags, os.environ, files(config_file))


def files(config_file: Path | None = None) -> list[Path]:
    """The configuration files that are read; the first one overrides the others."""
    found = [path for path in (user_file(), SYSTEM_FILE) if path.exists()]
    return found if config_file is None else [config_file, *found]


def user_file() -> Path:
    """The configuration file of this user; it need not be there."""
    return Path(platformdirs.user_config_dir(NAME)) / "config.toml"


def data_directory(config: Configuration) -> Path:
    """The absolute path of the data directory.

    systemd sets `$STATE_DIRECTORY` for a unit with `StateDirectory=`; the first entry is used.
    """
    given = config.get("data", str) or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(given or platformdirs.user_data_dir(NAME)).expanduser().absolute()


def socket_path(config: Configuration) -> Path:
    """The absolute path of the control socket.

    systemd sets `$RUNTIME_DIRECTORY` for a unit with `RuntimeDirectory=`. If the user has no
    runtime directory, the socket is beside the user's data and not in /tmp, where another user
    could have created the folder first.
    """
    given = config.get("socket", str)
    if given:
        return Path(given).expanduser().absolute()
    if runtime := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(runtime) / SOCKET
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(session) / NAME / SOCKET
    return Path(platformdirs.user_data_dir(NAME)) / "run" / SOCKET
