"""`hookbundle cluster recover`: partitions whose logs have lost what was acknowledged."""

from typing import Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import CONFLICT, CommandFailure
from hookbundle.commands.terminal.options import Number, Shared, as_json, pass_shared

COPIES = ("partition", "node", "its copy", "generation", "entry")


@click.command()
@click.option("--from", "source", metavar="NODE", help="The node whose copies they begin with.")
@click.option("--force", is_flag=True, help="Also where another node has more: that is given up.")
@click.option(
    "--empty",
    is_flag=True,
    help="Partitions whose logs are lost, and of which no live node has a copy, begin empty.",
)
@click.option(
    "--replicas",
    type=Number(1, 5),
    help="On how many log servers each entry is stored, if the cluster's record is lost as well.",
)
@as_json
@pass_shared
def recover(
    shared: Shared,
    source: str | None,
    force: bool,
    empty: bool,
    replicas: int | None,
    as_json: bool,
) -> None:
    """Has partitions that have stopped begin anew, with the copies of one node.

    A partition stops when its log has lost what a copy has. Without --from, the copies of those
    that have stopped are shown. Nothing is given up without --force, and partitions whose logs are
    whole are left alone. What was left out is named; then the exit code is 6. The command can be
    given again.
    """
    if source is None:
        _show(shared.ask(lambda control: control.get("/v1/cluster")), as_json=as_json)
        return
    wanted: dict[str, Any] = {"node": source, "force": force, "empty": empty}
    if replicas is not None:
        wanted["replicas"] = replicas
    while True:
        found = shared.ask(lambda control: control.send("POST", "/v1/cluster/recover", wanted))
        if not found["doing"]:
            break
        output.say(f"{len(found['done'])} of {len(found['partitions'])}: {found['doing']}")
    if as_json:
        output.show_json(found)
    else:
        _tell(found)
    if found["left_out"] or len(found["done"]) < len(found["partitions"]):
        raise CommandFailure("something is left to be recovered", CONFLICT)


def _tell(found: dict[str, Any]) -> None:
    if found["record_made"]:
        output.say("The log servers have a record of the cluster again.")
    for each in found["left_out"]:
        output.say(f"note: {each}")
    if unowned := [each for each in found["partitions"] if each not in found["done"]]:
        output.say(f"note: without an owner yet: {', '.join(map(str, unowned))}")
    if not (found["partitions"] or found["left_out"] or found["record_made"]):
        output.say("No partition has stopped.")
    elif found["done"]:
        numbers = ", ".join(map(str, found["done"]))
        output.say(f"Begun anew with the copies of {found['node']}: partitions {numbers}.")


def _show(cluster: dict[str, Any], *, as_json: bool) -> None:
    stopped = [each for each in cluster["partitions"] if each["stopped"]]
    if as_json:
        output.show_json({"record_lost": cluster["record_lost"], "stopped": stopped})
        return
    if cluster["record_lost"]:
        output.say("note: the log servers have no record of the cluster")
    if not stopped:
        output.say("No partition has stopped.")
        return
    output.show_rows(
        COPIES,
        [
            (each["number"], copy["node"], copy["role"], copy["generation"] or "-", copy["entry"])
            for each in stopped
            for copy in sorted(each["copies"], key=_furthest_first)
        ],
    )
    output.say("Of each partition the copy that has come furthest is the first.")


def _furthest_first(copy: dict[str, Any]) -> tuple[int, int]:
    number = copy["generation"].partition("x")[0]
    return -int(number or 0), -copy["entry"]
