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
    check = found.get("check")
    if check is not None:
        output.say(progress_of_check(check))
        for each in check["found"]:
            output.say(f"note: checked: {_found(each)}")
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
    return _progress("compaction", compaction, if_stopped=": give the command again")


def progress_of_check(check: dict[str, Any]) -> str:
    """How far a check of all copies is, in one sentence."""
    return _progress("check", check, f", {check['faults']} faults")


def _progress(what: str, work: dict[str, Any], found: str = "", if_stopped: str = "") -> str:
    now = work["doing"] or "it is over"
    if work["stopped"]:
        now = f"{work['node']} has ended before it was through{if_stopped}"
    done = f"{work['done']} of {work['partitions']} partitions{found}"
    return f"{what} of {work['began_at']}, by {work['node']}: {done}; {now}"


def _found(found: dict[str, Any]) -> str:
    """What a check has found of a partition; `cluster check` says more."""
    number, node, detail = found["partition"], found["node"], found["detail"]
    said = {
        "not_looked_at": f"{node} was not looked at: {detail}",
        "differs": f"{node} differs: {detail}" if detail else f"{node} can't be read",
        "faults": f"{node} has {detail} faults",
        "move_first": f"`hookbundle cluster move {number} {node}`, then check with --repair",
        "repair": f"--repair has {node} make its copy anew",
        "remade": f"{node} makes its copy anew; check again",
        "in_log": "its log has it, and so have all copies",
        "only_copy": "there is no other copy to compare with",
        "no_copy": "no node that lives has a copy",
        "unowned": "no node owns it now",
    }
    return f"partition {number}: {said.get(found['what'], found['what'])}"


def _copy(copy: dict[str, object]) -> str:
    behind = copy["behind"]
    lag = f", {behind} behind" if behind else ""
    return f"{copy['node']} ({copy['role']}{lag})"
