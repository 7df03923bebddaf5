"""`hookbundle run`. The daemon is imported when it runs, and not for its help."""

import gc
from pathlib import Path

import click

from hookbundle.commands.terminal.options import Shared, pass_shared


@click.command()
@click.option("--data", help="The data directory.")
@click.option("--listen", help="HOST:PORT of the HTTP API, or `off`.")
@click.option("--config", type=click.Path(path_type=Path), help="A configuration file (TOML).")
@click.option("--cluster", help="Log servers of a cluster, as nats://HOST:PORT, with commas.")
@click.option("--node", help="This node's name in the cluster.")
@click.option("--trust-clock", is_flag=True, help="Accept a clock that is behind the stored time.")
@pass_shared
def run(
    shared: Shared,
    data: str | None,
    listen: str | None,
    config: Path | None,
    cluster: str | None,
    node: str | None,
    trust_clock: bool,
) -> None:
    """Runs the daemon in the foreground. SIGTERM stops it, SIGHUP reloads the configuration."""
    # What is imported stays. To look through it for garbage, again and again while it grows, would
    # be a twentieth of the start.
    gc.disable()
    from hookbundle.commands.daemon.run import run_daemon

    gc.enable()
    flags = {"data": data, "listen": listen, "cluster.servers": cluster, "cluster.node": node}
    run_daemon(shared, flags, config, trust_clock=trust_clock)
