"""`hookbundle config ...`: the settings in force, and where each value comes from."""

from typing import TYPE_CHECKING

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import USAGE, CommandFailure
from hookbundle.commands.terminal.help import Group
from hookbundle.commands.terminal.options import Shared, as_json, no_header, pass_shared, show

if TYPE_CHECKING:
    from hookbundle.commands.configuration.settings import Value

SHOWN = ("name", "value", "origin", "meaning")


@click.group(cls=Group)
def config() -> None:
    """The configuration from flags, environment, files and defaults."""


@config.command("show")
@no_header
@as_json
@pass_shared
def show_config(shared: Shared, no_header: bool, as_json: bool) -> None:
    """Lists every setting with its value and origin; secrets are masked."""
    from hookbundle.commands.configuration import paths

    loaded = shared.configuration()
    # These two may be empty; the daemon then uses the default paths of the system.
    effective = {
        "data": str(paths.data_directory(loaded)),
        "socket": str(paths.socket_path(loaded)),
    }
    found = [_row(value, effective) for value in loaded.values.values()]
    show(found, as_json=as_json, no_header=no_header, columns=SHOWN)


@config.command("check")
@pass_shared
def check_config(shared: Shared) -> None:
    """Checks that the daemon could start with this configuration; if not, says why."""
    # The rules of each part of the daemon are in that part.
    from hookbundle.commands.daemon import assembling
    from hookbundle.engine.errors import ConfigError

    try:
        assembling.daemon_config(shared.configuration(), trust_clock=False)
    except ConfigError as exc:
        raise CommandFailure(str(exc), USAGE) from exc
    output.say("the configuration is valid")


def _row(value: "Value", effective: dict[str, str]) -> dict[str, str]:
    setting = value.setting
    return {
        "name": setting.name,
        "value": effective.get(setting.name, value.shown),
        "origin": value.origin,
        "meaning": setting.meaning,
    }
