"""`activity`, `log`, `status`: what a workspace did, and the state of the daemon."""

from pathlib import Path

import click

from hookbundle.commands.searching.filters import (
    chat_option,
    query_of,
    since_option,
    status_option,
    webhook_option,
    with_webhook,
)
from hookbundle.commands.terminal import output, private_file
from hookbundle.commands.terminal.client import Control, at, pieces_of, with_query
from hookbundle.commands.terminal.failures import CONFLICT, CommandFailure
from hookbundle.commands.terminal.options import Shared, as_json, no_header, pass_shared, show
from hookbundle.commands.terminal.words import name_of

ACTIVITY = ("at", "action", "chat_id", "messages", "outcome", "detail")
STATUS = (
    "version",
    "pid",
    "started_at",
    "now",
    "ready",
    "windows",
    "queued",
    "dead_letters",
    "resending",
    "mails",
    "sending",
    "workspaces_disabled",
    "quarantined",
    "totals",
    "residents",
    "store",
    "disk",
    "lag_ms",
    "clock_held",
    "mails_unsent",
    "log_lines_lost",
    "sockets_given",
)
WHAT_TO_DO = "See 'What /readyz says' in docs/operations.md."


@click.command()
@click.argument("ws")
@webhook_option
@no_header
@as_json
@pass_shared
def activity(shared: Shared, ws: str, webhook: str | None, no_header: bool, as_json: bool) -> None:
    """Prints the ten most recent actions of workspace WS, newest first."""
    url, query = at("workspaces", ws, "activity"), query_of({"webhook": webhook})
    found = shared.ask(lambda control: control.get(url, **query))
    columns = with_webhook(ACTIVITY, found)
    show(found, as_json=as_json, no_header=no_header, columns=columns)


@click.command()
@click.argument("ws")
@click.option(
    "-o", "--output", "path", metavar="FILE", type=Path, help="Write to a file, with mode 0600."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "ndjson"]),
    default="json",
    show_default=True,
    help="One array, or a line for each request.",
)
@chat_option
@status_option
@since_option
@webhook_option
@pass_shared
def log(shared: Shared, /, ws: str, path: Path | None, form: str, **given: str | None) -> None:
    """Prints the hundred most recent requests of workspace WS in full, newest first.

    With filters: those of the hundred that pass all of them.
    """
    wanted = {name: value for name, value in given.items() if value is not None}

    def work(control: Control) -> int:
        url = with_query(at("workspaces", ws, "log"), format=form, **wanted)
        with control.ask("GET", url) as response:
            pieces = pieces_of(response)
            if path is None:
                return output.show_json_pieces(pieces)
            return private_file.written_to(pieces, path)

    count = shared.ask(work)
    if path is not None:
        output.say(f"wrote {count} bytes to {path}")


@click.command()
@as_json
@pass_shared
def status(shared: Shared, as_json: bool) -> None:
    """Prints the state of the daemon."""
    found = shared.ask(lambda control: control.get("/v1/status"))
    if as_json:
        output.show_json(found)
        return
    output.show_facts((name_of(name), found[name]) for name in STATUS)
    oldest = found["oldest"]
    if oldest:
        output.say(f"longest standing still: {oldest['kind']}, {oldest['age_ms'] / 1_000:.1f} s")
    for reason in found["reasons"]:
        output.say(f"{'not ready' if reason['stops'] else 'note'}: {reason['detail']}")
    if found["reasons"]:
        output.say(WHAT_TO_DO)
    if shared.configuration().get("cluster.servers", tuple):
        _say_of_cluster(shared)


def _say_of_cluster(shared: Shared) -> None:
    """Which node has answered; nothing if the daemon is in no cluster."""
    try:
        found = shared.ask(lambda control: control.get("/v1/cluster"))
    except CommandFailure as exc:
        if exc.exit_code != CONFLICT:
            raise
        return
    (own,) = [each for each in found["nodes"] if each["name"] == found["node"]]
    output.say(
        f"of the whole cluster, as node {own['name']} has asked for it, which owns {own['owns']} "
        f"of {len(found['partitions'])} partitions; `hookbundle cluster status` shows all nodes"
    )
    for warning in found["warnings"]:
        output.say(f"note: {warning}")
