"""`hookbundle cluster`: several machines, and the log servers that they share."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hookbundle.commands.cluster import (
    checking,
    compacting,
    forgetting,
    giving,
    looking,
    recovering,
    upgrading,
)
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import FAILED, USAGE, CommandFailure
from hookbundle.commands.terminal.help import Group
from hookbundle.commands.terminal.options import Number, Shared, as_json, pass_shared

if TYPE_CHECKING:
    from hookbundle.commands.configuration.settings import Configuration

NO_CLIENT = (
    "a cluster needs the client of its log servers, which is not installed; install it with: "
    "pip install 'hookbundle[cluster]'"
)


@click.group(cls=Group)
def cluster() -> None:
    """Several machines that share the work, and go on when one of them is lost."""


cluster.add_command(looking.status)
cluster.add_command(looking.where)
cluster.add_command(giving.move)
cluster.add_command(giving.drain)
cluster.add_command(compacting.compact)
cluster.add_command(checking.check)
cluster.add_command(forgetting.forget)
cluster.add_command(upgrading.upgrade)
cluster.add_command(recovering.recover)


@cluster.command("init")
@click.option(
    "--partitions",
    type=Number(1, 256),
    help="Into how many parts workspaces are spread; it can't be changed later. 32, or as many as "
    "a backup has.",
)
@click.option("--name", help="The cluster's name.")
@click.option("--servers", help="The log servers' URLs, with commas.")
@click.option(
    "--replicas",
    type=Number(1, 5),
    default=3,
    show_default=True,
    help="On how many log servers each entry is stored.",
)
@click.option(
    "--insecure",
    is_flag=True,
    help="Take servers without TLS or passwords, or fewer than three: to try things.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="The data directory of a stopped daemon, which is split into the partitions; or a backup "
    "of a cluster.",
)
@click.option(
    "--hold", is_flag=True, help="With --from: disable all webhooks, so that nothing is sent yet."
)
@as_json
@pass_shared
def init(
    shared: Shared,
    partitions: int | None,
    name: str | None,
    servers: str | None,
    replicas: int,
    insecure: bool,
    source: Path | None,
    hold: bool,
    as_json: bool,
) -> None:
    """Makes a cluster on log servers: its record, and a log for each partition.

    The key that nodes share is written to the file of cluster.key, unless there is one; each node
    needs the same file. With --from, partitions begin with the workspaces of a daemon that is
    stopped, or of a backup of a cluster; its directory stays as it is.
    """
    if replicas < 3 and not insecure:
        raise CommandFailure(
            "with fewer than 3 replicas the loss of one server stops the cluster or loses data; "
            "--insecure makes it all the same",
            USAGE,
        )
    if hold and source is None:
        raise CommandFailure("--hold is for what --from brings", USAGE)
    config = shared.configuration(**{"cluster.name": name, "cluster.servers": servers})
    found = _made(config, partitions, replicas, source, insecure=insecure, hold=hold)
    if found["key_made"]:
        output.say(f"Copy {found['key']} to each node, readable by the daemon alone.")
    del found["key_made"]
    if as_json:
        output.show_json(found)
    else:
        output.show_rows(tuple(found), [[str(value) for value in found.values()]])


def _made(
    config: "Configuration",
    partitions: int | None,
    replicas: int,
    source: Path | None,
    *,
    insecure: bool,
    hold: bool,
) -> dict[str, Any]:
    try:
        from hookbundle.commands.cluster.making import made
    except ModuleNotFoundError as exc:
        if exc.name is None or not exc.name.startswith("nats"):
            raise
        raise CommandFailure(NO_CLIENT, FAILED) from None
    return made(config, partitions, replicas, source, insecure=insecure, hold=hold)
