"""`hookbundle cluster move` and `drain`: who owns what is changed by hand."""

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.options import Number, Shared, as_json, pass_shared


@click.command()
@click.argument("partition", type=Number(0, 255))
@click.argument("node")
@as_json
@pass_shared
def move(shared: Shared, partition: int, node: str, as_json: bool) -> None:
    """Gives a partition to a node that has a fresh copy of it.

    It stays there until that node is stopped or drained, or the partition is given to another one.
    """
    wanted = {"partition": partition, "node": node}
    found = shared.ask(lambda control: control.send("POST", "/v1/cluster/move", wanted))
    if as_json:
        output.show_json(found)
    else:
        output.show_rows(tuple(found), [["-" if each is None else each for each in found.values()]])


@click.command()
@click.argument("node", required=False)
@click.option("--undo", is_flag=True, help="The node takes partitions again.")
@as_json
@pass_shared
def drain(shared: Shared, node: str | None, undo: bool, as_json: bool) -> None:
    """Has a node give away all that it owns: the one that is asked, or NODE.

    It follows on, and takes nothing until it is started again, unless no other node is left.
    """
    wanted = {"undo": undo} if node is None else {"node": node, "undo": undo}
    found = shared.ask(lambda control: control.send("POST", "/v1/cluster/drain", wanted))
    if as_json:
        output.show_json(found)
        return
    shown = [found["node"], "yes" if found["leaves"] else "no", found["owns"]]
    output.show_rows(tuple(found), [shown])
    if found["leaves"] and found["owns"]:
        output.say("note: it goes on giving away; `hookbundle cluster status` shows how far it is")
