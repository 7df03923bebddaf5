"""`hookbundle deliveries ...`: lists, shows, retries and discards deliveries."""

from typing import Any

import click
from yarl import URL

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.options import (
    Shared,
    as_json,
    limit_option,
    pass_shared,
    show,
    show_some,
)

LISTED = ("workspace", "id", "state", "chat_id", "messages", "attempts", "sealed_at", "last_error")
SHOWN = (
    "id",
    "workspace",
    "chat_id",
    "state",
    "in_flight",
    "kind",
    "messages",
    "reason",
    "opened_at",
    "sealed_at",
    "attempts",
    "rejections",
    "last_error",
    "next_attempt_at",
    "body",
)


@click.group()
def deliveries() -> None:
    """Undelivered deliveries: queued (state `pending`) and dead letters (state `parked`)."""


@deliveries.command("list")
@click.argument("ws", required=False)
@click.option(
    "--state", type=click.Choice(["pending", "parked"]), help="Only deliveries in this state."
)
@limit_option
@as_json
@pass_shared
def list_deliveries(
    shared: Shared, ws: str | None, state: str | None, limit: int, as_json: bool
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

    show_some(shared.ask(work), limit, as_json=as_json, columns=LISTED)


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
@click.option("--all-parked", "ws", metavar="WS", help="Retry all dead letters of workspace WS.")
@as_json
@pass_shared
def retry(shared: Shared, id_: str | None, ws: str | None, as_json: bool) -> None:
    """Retries a delivery now. A dead letter goes back to its old position in the queue."""
    if (id_ is None) == (ws is None):
        raise click.UsageError("give either the ID of a delivery, or --all-parked WS")

    async def work(control: Control) -> Any:
        if id_ is None:
            assert ws is not None
            return await control.send("POST", at("workspaces", ws, "deliveries", "retry"))
        return await control.send("POST", await _address(control, id_, "retry"))

    show(shared.ask(work), as_json=as_json, columns=("returned", "messages"))


@deliveries.command("discard")
@click.argument("id_", metavar="ID")
@click.option("--reason", required=True, help="Recorded in the activity log.")
@as_json
@pass_shared
def discard(shared: Shared, id_: str, reason: str, as_json: bool) -> None:
    """Discards a delivery; its messages will not be sent."""

    async def work(control: Control) -> Any:
        url = await _address(control, id_)
        return await control.send("DELETE", url.with_query(reason=reason))

    found = shared.ask(work)
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
            if workspace["counts"]["pending"] or workspace["counts"]["parked"]:
                found.append(workspace["id"])
        cursor = page["cursor"]
    return found
