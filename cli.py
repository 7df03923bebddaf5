"""The program `hookbundle`: the table of its commands and the options before a command's name.

A command's module is imported only when that command runs. Importing the daemon takes most of a
second, and `hookbundle --version` or a shell completion should not wait for it.
"""

from importlib import import_module
from pathlib import Path

import click

from hookbundle import __version__
from hookbundle.commands.terminal.options import Shared

COMMANDS = {
    "run": "daemon.run:run",
    "demo": "demo.command:demo",
    "status": "reports:status",
    "workspace": "workspaces:workspace",
    "send": "messages:send",
    "chats": "chats:chats",
    "deliveries": "deliveries:deliveries",
    "activity": "reports:activity",
    "log": "reports:log",
    "tail": "tail:tail",
    "token": "tokens:token",
    "verify": "verify:verify",
    "backup": "maintenance:backup",
    "restore": "maintenance:restore",
    "check": "maintenance:check_data",
    "compact": "maintenance:compact",
    "config": "config:config",
    "completion": "about:completion",
    "version": "about:version",
}


class OnDemand(click.Group):
    """Lists the commands of COMMANDS in their order, and imports one when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        location = COMMANDS.get(cmd_name)
        if location is None:
            return None
        module, _, name = location.partition(":")
        command = getattr(import_module(f"hookbundle.commands.{module}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=OnDemand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hookbundle")
@click.option("--config", type=click.Path(path_type=Path), help="A configuration file (TOML).")
@click.option("--socket", help="Path of the daemon's control socket.")
@click.pass_context
def main(context: click.Context, config: Path | None, socket: str | None) -> None:
    """The outbound-webhook engine of a shared WhatsApp inbox."""
    context.obj = Shared(config, socket)
