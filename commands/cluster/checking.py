"""`hookbundle cluster check`: copies compared with each other, and the log servers looked at."""

from typing import TYPE_CHECKING, Any

import click

from hookbundle.commands.cluster.looking import progress_of_check as progress
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import FAILED, USAGE, CommandFailure
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared

if TYPE_CHECKING:
    from hookbundle.commands.terminal.client import Control

PATH = "/v1/cluster/check"
SERVERS = ("monitor", "server", "version", "leads", "faults")
COPIES = ("partition", "node", "records", "result")
FINDINGS = ("partition", "node", "workspace", "where", "what")


@click.command()
@click.option(
    "--monitor",
    "monitors",
    multiple=True,
    metavar="URL",
    help="The monitoring port of a log server, such as http://n1.example:8222; one each.",
)
@click.option(
    "--repair",
    is_flag=True,
    help="A follower's copy that differs is made anew, one of a partition at a time.",
)
@click.option(
    "--begin",
    is_flag=True,
    help="Do not wait: `cluster status` of any node, and the console, show what is found.",
)
@as_json
@pass_shared
def check(
    shared: Shared, monitors: tuple[str, ...], repair: bool, begin: bool, as_json: bool
) -> None:
    """Compares the copies of each partition, and verifies every record of each.

    Nodes go on working meanwhile. With --monitor the settings of log servers are looked at, too.
    """
    servers = _looked_at(shared, monitors)
    if not as_json:
        _show_servers(servers)
    if begin:
        begun = shared.ask(lambda control: control.send("POST", f"{PATH}/all", {"repair": repair}))
        _end_of_begun(begun, servers, as_json=as_json)
        return
    partitions: list[dict[str, Any]] = []
    shared.ask(lambda control: _check_all(control, partitions, repair=repair, shows=not as_json))
    if as_json:
        output.show_json({"servers": servers, "partitions": partitions})
    count = sum(len(each["faults"]) for each in servers) + sum(map(_faults, partitions))
    if count:
        raise CommandFailure(f"faults found: {count}", FAILED)


def _end_of_begun(begun: dict[str, Any], servers: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.show_json({"servers": servers, "check": begun})
    else:
        output.say(progress(begun))
    if count := sum(len(each["faults"]) for each in servers):
        raise CommandFailure(f"faults found: {count}", FAILED)


# ---- log servers


def _looked_at(shared: Shared, monitors: tuple[str, ...]) -> list[dict[str, Any]]:
    """What each says. Raises: CommandFailure for what is no address."""
    if not monitors:
        return []
    import msgspec

    from hookbundle.commands.cluster import monitors as asking
    from hookbundle.commands.cluster import settings
    from hookbundle.engine.errors import ConfigError

    config = shared.configuration()
    try:
        names = settings.names(config)
    except ConfigError as exc:
        raise CommandFailure(str(exc), USAGE) from exc
    ca_file = config.get("cluster.tls_ca", str)
    for url in monitors:
        asking.checked_url(url)
    return [msgspec.to_builtins(asking.looked_at(url, names, ca_file)) for url in monitors]


def _show_servers(servers: list[dict[str, Any]]) -> None:
    if not servers:
        return
    rows = [[*(each[name] for name in SERVERS[:-1]), len(each["faults"])] for each in servers]
    output.show_rows(SERVERS, rows)
    for each in servers:
        for fault in each["faults"]:
            output.say(f"note: {each['server'] or each['monitor']}: {fault}")


# ---- copies


def _check_all(
    control: "Control", partitions: list[dict[str, Any]], *, repair: bool, shows: bool
) -> None:
    """One partition after the other, so that what was found is there if the node ends."""
    count = 1
    while len(partitions) < count:
        found = _checked(control, {"partition": len(partitions), "repair": repair})
        count = found["partitions"]
        partitions.append(found)
        if shows:
            _show_partition(found)


def _checked(control: "Control", wanted: dict[str, Any]) -> Any:
    import json

    from hookbundle.commands.terminal.client import decoded

    body = json.dumps(wanted).encode()
    headers = {"Content-Type": "application/json"}
    with control.ask("POST", PATH, body, headers, within_s=None) as response:
        return decoded(response.read())


def _show_partition(found: dict[str, Any]) -> None:
    number, copies = found["partition"], found["copies"]
    output.show_rows(
        COPIES, [(number, each["node"], each["records"], _result(found, each)) for each in copies]
    )
    output.show_rows(
        FINDINGS,
        [
            (number, each["node"], finding["workspace"], finding["where"], finding["what"])
            for each in copies
            for finding in each["findings"]
        ],
    )
    for advice in found["advice"]:
        output.say(f"note: {advice}")


def _result(found: dict[str, Any], copy: dict[str, Any]) -> str:
    if copy["why"]:
        return f"not looked at: {copy['why']}"
    words = []
    if copy["node"] == found["owner"]:
        words.append("owner")
    elif copy["same"]:
        words.append("same")
    if copy["same"] is False:
        differs = ", ".join(copy["differs"])
        words.append(f"differs: {differs}" if differs else "can't be read")
    if copy["findings"]:
        words.append(f"{len(copy['findings'])} faults")
    if copy["remade"]:
        words.append("is made anew")
    return "; ".join(words) or "the only copy that was looked at"


def _faults(found: dict[str, Any]) -> int:
    """How many there are in a partition: of each copy, or that it has none."""
    copies = found["copies"]
    count = sum(
        bool(each["why"]) + (each["same"] is False) + len(each["findings"]) for each in copies
    )
    return count or len(found["advice"])
