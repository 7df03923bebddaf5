"""`hookbundle deliveries ...`: lists, shows, retries and discards deliveries."""

from typing import Any

import click
from yarl import URL

from hookbundle.commands.consequences import ask_on_terminal
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.help import Group
from hookbundle.commands.terminal.options import (
    Shared,
    as_json,
    confirm,
    limit_option,
    no_header,
    pass_shared,
    show,
    show_some,
    yes_option,
)
from hookbundle.commands.terminal.words import counted
from hookbundle.engine.delivery import former_names

LISTED = ("workspace", "id", "state", "chat_id", "messages", "attempts", "sealed_at", "last_error")
SHOWN = (
    "id",
    "workspace",
    "chat_id",
    "state",
    "kind",
    "messages",
    "reason",
    "opened_at",
    "sealed_at",
    "attempts",
    "rejections",
    "last_error",
    "dead_letter_reason",
    "next_attempt_at",
    "body",
)


class State(click.Choice[str]):
    """A state that is asked for, also by its name of the first edition, or with a hyphen."""

    def __init__(self) -> None:
        super().__init__(["queued", "dead_letter"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = former_names.state_of(str(value).replace("-", "_"))
        return super().convert(name, param, ctx)


@click.group(cls=Group)
def deliveries() -> None:
    """Deliveries that are queued, and dead letters."""


@deliveries.command("list")
@click.argument("ws", required=False)
@click.option("--state", type=State(), help="Only deliveries in this state.")
@limit_option
@no_header
@as_json
@pass_shared
def list_deliveries(
    shared: Shared, ws: str | None, state: str | None, limit: int, no_header: bool, as_json: bool
) -> None:
    """Lists the deliveries of workspace WS, or of all workspaces; dead letters come first."""
    query = {} if state is None else {"state": state}

    async def work(control: Control) -> list[Any]:
        found: list[Any] = []
        for name in [ws] if ws is not None else await _with_deliveries(control):
            left = limit + 1 - len(found)
            url = at("workspaces", name, "deliveries")
            found += await control.gather(url, "deliveries", left, **query)
        return found

    found = shared.ask(work)
    show_some(found, limit, as_json=as_json, no_header=no_header, columns=LISTED)


@deliveries.command("show")
@click.argument("id_", metavar="ID")
@as_json
@pass_shared
def show_delivery(shared: Shared, id_: str, as_json: bool) -> None:
    """Prints a delivery with its body."""
    found = shared.ask(lambda control: control.get(at("deliveries", id_)))
    show(found, as_json=as_json, columns=SHOWN)


@deliveries.command("retry")
@click.argument("id_", metavar="ID", required=False)
@click.option(
    "--all-dead-letters", "ws", metavar="WS", help="Retry all dead letters of workspace WS."
)
@click.option("--all-parked", "ws_of_old", metavar="WS", hidden=True)  # its name until 0.1
@yes_option
@as_json
@pass_shared
def retry(
    shared: Shared,
    id_: str | None,
    ws: str | None,
    ws_of_old: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Retries a delivery now. A dead letter goes back to its old position in the queue."""
    ws = ws or ws_of_old
    if (id_ is None) == (ws is None):
        raise click.UsageError("give either the ID of a delivery, or --all-dead-letters WS")
    if ws is not None:
        ask_on_terminal(shared, ws, "resend", yes=yes)

    async def work(control: Control) -> Any:
        if id_ is None:
            assert ws is not None
            return await control.send("POST", at("workspaces", ws, "deliveries", "retry"))
        return await control.send("POST", await _address(control, id_, "retry"))

    show(shared.ask(work), as_json=as_json, columns=("returned", "messages"))


@deliveries.command("discard")
@click.argument("id_", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Recorded in the activity log.")
@yes_option
@as_json
@pass_shared
def discard(shared: Shared, id_: str, reason: str, yes: bool, as_json: bool) -> None:
    """Discards a delivery; its messages will never be sent."""
    found = shared.ask(lambda control: control.get(at("deliveries", id_)))
    confirm(f"Discard {id_}? {counted(found['messages'])} will never be sent.", yes=yes)
    url = at("workspaces", found["workspace"], "deliveries", id_).with_query(reason=reason)
    found = shared.ask(lambda control: control.send("DELETE", url))
    show(found, as_json=as_json, columns=("id", "chat_id", "messages", "was"))
    if not as_json:
        output.say("discarded")


async def _address(control: Control, delivery_id: str, *what: str) -> URL:
    """The URL of the delivery below its workspace; `what` is appended to the path."""
    found = await control.get(at("deliveries", delivery_id))
    return at("workspaces", found["workspace"], "deliveries", delivery_id, *what)


async def _with_deliveries(control: Control) -> list[str]:
    """The ids of the workspaces that have queued deliveries or dead letters."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await control.get(at("workspaces"), limit="1000", cursor=cursor)
        for workspace in page["workspaces"]:
            if workspace["counts"]["queued"] or workspace["counts"]["dead_letters"]:
                found.append(workspace["id"])
        cursor = page["cursor"]
    return found
