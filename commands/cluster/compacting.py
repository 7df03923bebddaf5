"""`hookbundle cluster compact`: nothing that was deleted is left in logs and copies."""

import click

from hookbundle.commands.cluster.looking import progress
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared


@click.command()
@as_json
@pass_shared
def compact(shared: Shared, as_json: bool) -> None:
    """Begins to rewrite all logs and copies, so that no deleted byte is left in them.

    `cluster status` of the same node shows how far it is. Each partition changes hands meanwhile.
    """
    found = shared.ask(lambda control: control.send("POST", "/v1/cluster/compact"))
    if as_json:
        output.show_json(found)
    else:
        output.say(progress(found))
