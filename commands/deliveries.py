"""`hookbundle deliveries ...`: finds, shows, retries and discards; replays.py sends more."""

import sys
from typing import Any

import click

from hookbundle.commands.consequences import ask_on_terminal
from hookbundle.commands.replays import address_of, cancel_replay, replay, replays, resend
from hookbundle.commands.searching.filters import (
    ATTEMPTS,
    filter_options,
    looking_back,
    query_of,
    webhook_option,
    with_webhook,
)
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at, with_query
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

LISTED = ("workspace", "id", "state", "chat_id", "messages", "attempts", "sealed_at", "last_error")
SHOWN = (
    "id",
    "workspace",
    "webhook",
    "chat_id",
    "chat_name",
    "phone",
    "state",
    "resending",
    "resend_failed",
    "kind",
    "messages",
    "reason",
    "opened_at",
    "sealed_at",
    "delivered_at",
    "discarded_at",
    "attempts",
    "rejections",
    "http_status",
    "last_error",
    "dead_letter_reason",
    "next_attempt_at",
    "body",
)


@click.group(cls=Group)
def deliveries() -> None:
    """What waits to be sent, and what became of the rest."""


@deliveries.command("list")
@click.argument("ws", required=False)
@filter_options
@limit_option
@no_header
@as_json
@pass_shared
def list_deliveries(
    shared: Shared, /, ws: str | None, limit: int, no_header: bool, as_json: bool, **given: Any
) -> None:
    """Lists what waits, in its order, dead letters first; with a filter, every state, newest first.

    Of workspace WS, or of all of them, one after the other. A filter finds what has ended, too.
    """
    query = query_of(given) or {"order": "queue"}

    def work(control: Control) -> list[Any]:
        found: list[Any] = []
        with looking_back() as looked:
            for name in [ws] if ws is not None else _workspaces(control, query):
                left = limit + 1 - len(found)
                url = at("workspaces", name, "deliveries")
                found += control.gather(url, "deliveries", left, looked, **query)
        return found

    found = shared.ask(work)
    # On a terminal the room goes to what differs; in a pipe the columns are always the same.
    few = ws is not None and output.is_terminal()
    columns = with_webhook(LISTED[1:] if few else LISTED, found)
    shown = found if as_json else list(map(_told_apart, found))
    show_some(shown, limit, as_json=as_json, no_header=no_header, columns=columns)


@deliveries.command("show")
@click.argument("id_", metavar="ID")
@as_json
@pass_shared
def show_delivery(shared: Shared, id_: str, as_json: bool) -> None:
    """Prints a delivery with its body and its attempts, the oldest first."""
    found = shared.ask(lambda control: control.get(at("deliveries", id_)))
    show(found, as_json=as_json, columns=SHOWN)
    if not as_json and found["history"]:
        if output.is_terminal():
            output.write("")
        show(found["history"], as_json=False, columns=ATTEMPTS)


@deliveries.command("retry")
@click.argument("id_", metavar="ID", required=False)
@click.option(
    "--all-dead-letters", "ws", metavar="WS", help="Retry all dead letters of workspace WS."
)
@webhook_option
@click.option("--all-parked", "ws_of_old", metavar="WS", hidden=True)  # its name until 0.1
@yes_option
@as_json
@pass_shared
def retry(
    shared: Shared,
    id_: str | None,
    ws: str | None,
    ws_of_old: str | None,
    webhook: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Retries a delivery now. A dead letter goes back to its old position in the queue.

    The wait after an error ends; rate and budget of the webhook still hold, see `waits_until`.
    """
    ws = ws or ws_of_old
    if (id_ is None) == (ws is None):
        raise click.UsageError("give either the ID of a delivery, or --all-dead-letters WS")
    if ws is None and webhook is not None:
        raise click.UsageError("--webhook goes with --all-dead-letters")
    if ws is not None:
        ask_on_terminal(shared, ws, "resend", webhook=webhook or "", yes=yes)

    def work(control: Control) -> Any:
        if id_ is None:
            assert ws is not None
            url = at("workspaces", ws, "deliveries", "retry")
            return control.send("POST", with_query(url, **query_of({"webhook": webhook})))
        return control.send("POST", address_of(control, id_, "retry"))

    retried = shared.ask(work)
    show(retried, as_json=as_json, columns=tuple(retried))


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
    url = with_query(at("workspaces", found["workspace"], "deliveries", id_), reason=reason)
    found = shared.ask(lambda control: control.send("DELETE", url))
    show(found, as_json=as_json, columns=("id", "chat_id", "messages", "was"))
    if not as_json:
        output.say("discarded")


for command in (resend, replay, replays, cancel_replay):
    deliveries.add_command(command)


def _told_apart(delivery: dict[str, Any]) -> dict[str, Any]:
    """Its row of a list: the error of a resend is not that of the delivery, which has arrived."""
    if not delivery["resend_failed"]:
        return delivery
    return {**delivery, "last_error": f"resend failed: {delivery['last_error']}"}


def _workspaces(control: Control, query: dict[str, str]) -> list[str]:
    """The ids of all workspaces; without a filter, of those in which something waits.

    Of those that have the webhooks that are asked for.
    """
    found = control.gather(at("workspaces"), "workspaces", sys.maxsize)
    wanted = set(query["webhook"].split(",")) if "webhook" in query else set()
    found = [each for each in found if wanted <= {hook["id"] for hook in each["webhooks"]}]
    if "order" not in query:
        return [each["id"] for each in found]
    counts = [(each["id"], each["counts"]) for each in found]
    return [name for name, count in counts if count["queued"] or count["dead_letters"]]
