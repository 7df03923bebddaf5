"""`hookbundle cluster forget`: a node that will not come back."""

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared


@click.command()
@click.argument("node")
@as_json
@pass_shared
def forget(shared: Shared, node: str, as_json: bool) -> None:
    """Removes what the cluster has recorded of a node that does not run and will not come back.

    It keeps nobody out: a node of that name that is started is recorded again.
    """
    wanted = {"node": node}
    shared.ask(lambda control: control.send("POST", "/v1/cluster/forget", wanted))
    if as_json:
        output.show_json(wanted)
    else:
        output.say(f"The cluster has forgotten {node}.")
