"""The program `hookbundle`: its commands, and what they share."""

from pathlib import Path

import click

from hookbundle import __version__
from hookbundle.commands import daemon, demo, messages, reports, workspaces
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
    messages.send,
    reports.activity,
    reports.log,
    reports.status,
):
    main.add_command(command)
