"""`hookbundle cluster status` and `where`: what a running node sees of its cluster."""

from typing import Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared

NODES = ("node", "version", "owns", "follows", "leaves", "clock ahead", "free bytes")
PARTITIONS = (
    "partition",
    "owner",
    "given to",
    "epoch",
    "taken",
    "generation",
    "log bytes",
    "void",
    "copies",
)


@click.command()
@as_json
@pass_shared
def status(shared: Shared, as_json: bool) -> None:
    """Prints the nodes, who owns which partition, and what needs a person."""
    found = shared.ask(lambda control: control.get("/v1/cluster"))
    if as_json:
        output.show_json(found)
        return
    output.show_rows(
        NODES,
        [
            (
                each["name"],
                each["version"],
                each["owns"],
                each["follows"],
                "yes" if each["leaves"] else "no",
                f"{each['clock_ahead_ms']} ms",
                each["free_bytes"],
            )
            for each in found["nodes"]
        ],
    )
    output.show_rows(
        PARTITIONS,
        [
            (
                each["number"],
                each["owner"] or "-",
                each["given_to"] or "-",
                each["epoch"],
                each["taken_at"] or "-",
                each["generation"] or "-",
                "-" if each["log_bytes"] is None else each["log_bytes"],
                "-" if each["voids"] is None else each["voids"],
                ", ".join(map(_copy, each["copies"])),
            )
            for each in found["partitions"]
        ],
    )
    compaction = found["compaction"]
    if compaction is not None:
        output.say(progress(compaction))
        for each in compaction["left_out"]:
            output.say(f"note: not compacted: {each}")
    for warning in found["warnings"]:
        output.say(f"note: {warning}")


@click.command()
@click.argument("workspace")
@as_json
@pass_shared
def where(shared: Shared, workspace: str, as_json: bool) -> None:
    """Prints which partition a workspace is in, and which node owns that."""
    from urllib.parse import quote

    path = f"/v1/cluster/where/{quote(workspace, safe='')}"
    found = shared.ask(lambda control: control.get(path))
    if as_json:
        output.show_json(found)
    else:
        output.show_rows(tuple(found), [["-" if each is None else each for each in found.values()]])


def progress(compaction: dict[str, Any]) -> str:
    """How far a compaction is, in one sentence."""
    done = f"{compaction['done']} of {compaction['partitions']} partitions"
    now = compaction["doing"] or "it is over"
    if compaction["stopped"]:
        now = f"{compaction['node']} has ended before it was through: give the command again"
    return f"compaction of {compaction['began_at']}, by {compaction['node']}: {done}; {now}"


def _copy(copy: dict[str, object]) -> str:
    behind = copy["behind"]
    lag = f", {behind} behind" if behind else ""
    return f"{copy['node']} ({copy['role']}{lag})"
