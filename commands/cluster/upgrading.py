"""`hookbundle cluster upgrade`: the end of an upgrade, once all nodes have the later version."""

from typing import Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.options import Shared, as_json, confirm, pass_shared, yes_option


@click.command()
@yes_option
@as_json
@pass_shared
def upgrade(shared: Shared, yes: bool, as_json: bool) -> None:
    """Has the cluster write the latest schema that all its nodes know.

    No earlier version of a node starts after that, and there is no way back but a backup.
    """
    seen = shared.ask(lambda control: control.get("/v1/cluster"))
    later = seen["upgrade"]
    wanted = "the latest schema that all nodes know" if later is None else f"schema {later}"
    confirm(
        f"Write {wanted} from now on, in place of {seen['schema']}? No earlier version of a node "
        "starts after that, and there is no way back but a backup.",
        yes=yes,
    )
    found = shared.ask(lambda control: control.send("POST", "/v1/cluster/upgrade"))
    if as_json:
        output.show_json(found)
    else:
        output.say(_in_words(found))


def _in_words(found: dict[str, Any]) -> str:
    if found["schema"] == found["before"]:
        return f"The cluster writes schema {found['schema']} already; its nodes know no later one."
    words = f"The cluster writes schema {found['schema']} from now on."
    if found["waits_for"]:
        words += f" These nodes have not heard of it yet: {', '.join(found['waits_for'])}."
    return words
