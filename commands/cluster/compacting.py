"""`hookbundle cluster compact`: nothing that was deleted is left in logs and copies."""

import time
from typing import Any

import click

from hookbundle.commands.cluster.looking import progress
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import FAILED, CommandFailure
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared

LOOK_S = 1.0
STOPPED = "the compaction has stopped before it was through; give the command again"


@click.command()
@click.option("--wait", is_flag=True, help="Wait until it is over; fail if anything was left out.")
@as_json
@pass_shared
def compact(shared: Shared, wait: bool, as_json: bool) -> None:
    """Begins to rewrite all logs and copies, so that no deleted byte is left in them.

    `cluster status` of any node shows how far it is. Each partition changes hands meanwhile.
    """
    found = shared.ask(lambda control: control.send("POST", "/v1/cluster/compact"))
    if wait:
        found = _ended(shared, found)
    if as_json:
        output.show_json(found)
    else:
        output.say(progress(found))
    if found["stopped"]:
        raise CommandFailure(STOPPED, FAILED)
    if wait and found["left_out"]:
        raise CommandFailure(f"not compacted: {'; '.join(found['left_out'])}", FAILED)


def _ended(shared: Shared, begun: dict[str, Any]) -> dict[str, Any]:
    """The compaction when it is over, or that which came after it."""
    found = begun
    while found["doing"] and found["began_at"] == begun["began_at"]:
        time.sleep(LOOK_S)
        shown = shared.ask(lambda control: control.get("/v1/cluster"))["compaction"]
        if shown is None:  # the node was started again, and hears of nobody who knows
            raise CommandFailure(STOPPED, FAILED)
        found = shown
    return found
