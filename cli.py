"""The program `hookbundle`: its commands, and what they share."""

from pathlib import Path

import click

from hookbundle import __version__
from hookbundle.commands import (
    chats,
    config,
    daemon,
    deliveries,
    demo,
    erasing,
    messages,
    program,
    reports,
    tokens,
    upkeep,
    verify,
    workspaces,
)
from hookbundle.commands.options import Shared


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hookbundle")
@click.option("--config", type=click.Path(path_type=Path), help="A configuration file (TOML).")
@click.option("--socket", help="The daemon's control socket.")
@click.pass_context
def main(context: click.Context, config: Path | None, socket: str | None) -> None:
    """The outbound-webhook engine of a shared WhatsApp inbox."""
    context.obj = Shared(config, socket)


for command in (
    daemon.run,
    demo.demo,
    workspaces.workspace,
    chats.chats,
    deliveries.deliveries,
    tokens.token,
    messages.send,
    reports.activity,
    reports.log,
    reports.status,
    verify.verify,
    upkeep.backup,
    upkeep.restore,
    upkeep.check_data,
    upkeep.compact,
    config.config,
    program.completion,
    program.version,
):
    main.add_command(command)
workspaces.workspace.add_command(erasing.delete_workspace)
chats.chats.add_command(erasing.delete_chat)
