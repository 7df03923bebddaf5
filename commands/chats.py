"""`hookbundle chats ...`: lists, previews, sends now and deletes open windows; their history."""

from typing import TYPE_CHECKING, Any

import click

from hookbundle.commands.deletions import delete_chat
from hookbundle.commands.histories import history
from hookbundle.commands.searching.filters import query_of, webhook_option, with_webhook
from hookbundle.commands.terminal import output, progress
from hookbundle.commands.terminal.client import PAGE, Control, at, with_query
from hookbundle.commands.terminal.help import Group
from hookbundle.commands.terminal.options import (
    Shared,
    as_json,
    confirm,
    limit_option,
    no_header,
    pass_shared,
    show_some,
    yes_option,
)

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

ORDERS = ("chat", "due")
LISTED = ("workspace", "chat_id", "opened_at", "due_at", "messages")


@click.group(cls=Group)
def chats() -> None:
    """Open windows, and the history of a chat."""


@chats.command("list")
@click.argument("ws", required=False)
@click.option(
    "--due-within", metavar="DURATION", help="Only windows due within this time, e.g. 1h."
)
@click.option(
    "--order",
    type=click.Choice(ORDERS),
    help="By id, which is usual, or the first due first.",
)
@click.option("--q", metavar="WORDS", help="With this in their id, name or phone; by due time.")
@webhook_option
@limit_option
@no_header
@as_json
@pass_shared
def list_chats(
    shared: Shared,
    ws: str | None,
    due_within: str | None,
    order: str | None,
    q: str | None,
    webhook: str | None,
    limit: int,
    no_header: bool,
    as_json: bool,
) -> None:
    """Lists the open windows of workspace WS, or of all workspaces.

    Those of WS in the order of their ids, those of all in the order in which they fall due.
    """
    url = at("workspaces", ws, "chats") if ws is not None else at("chats")
    for name, value in (("--order", order), ("--q", q), ("--webhook", webhook)):
        if value is not None and ws is None:
            raise click.UsageError(f"{name} goes with a workspace WS")
    query = query_of({"due_within": due_within, "order": order, "q": q, "webhook": webhook})
    found = shared.ask(lambda control: control.gather(url, "chats", limit + 1, **query))
    columns = with_webhook(LISTED, found)
    show_some(found, limit, as_json=as_json, no_header=no_header, columns=columns)


@chats.command("flush")
@click.argument("ws")
@click.argument("chat", required=False)
@webhook_option
@yes_option
@as_json
@pass_shared
def flush(
    shared: Shared, ws: str, chat: str | None, webhook: str | None, yes: bool, as_json: bool
) -> None:
    """Sends now: closes the window of CHAT and queues its bundle; without CHAT, all windows of WS.

    Those of all webhooks, or of one (--webhook). Without CHAT it asks first, because each window
    becomes a request to the receiver.
    """
    if chat is None:
        if not yes:
            windows = shared.ask(lambda control: _windows(control, ws, webhook))
            confirm(_consequence(ws, windows), yes=not windows)
        found = shared.ask(lambda control: _flush_all(control, ws, webhook))
    else:
        url = at("workspaces", ws, "chats", chat, "flush")
        url = with_query(url, **query_of({"webhook": webhook}))
        found = shared.ask(lambda control: control.send("POST", url))
    _show_sums(found, as_json=as_json)


@chats.command("close")
@click.argument("ws")
@click.argument("chat")
@click.option("--reason", default="", help="Why, for people who read the feed (200 characters).")
@as_json
@pass_shared
def close(shared: Shared, ws: str, chat: str, reason: str, as_json: bool) -> None:
    """Sends now because the conversation is over: closes the windows of CHAT, of all webhooks."""
    url = at("workspaces", ws, "chats", chat, "close")
    found = shared.ask(lambda control: control.send("POST", url, {"reason": reason}))
    _show_sums(found, as_json=as_json)


@chats.command("preview")
@click.argument("ws")
@click.argument("chat")
@webhook_option
@as_json
@pass_shared
def preview(shared: Shared, ws: str, chat: str, webhook: str | None, as_json: bool) -> None:
    """Prints the bundle that would be sent if CHAT's window closed now.

    That of `outbound`, or of the oldest webhook that collects, unless --webhook names one.
    """
    query, url = query_of({"webhook": webhook}), at("workspaces", ws, "chats", chat)
    found = shared.ask(lambda control: control.get(url, **query))
    if as_json:
        output.show_json(found)
        return
    output.show_text(found["body"])
    if others := found.get("windows"):
        names = ", ".join(each["webhook"] for each in others if each["webhook"] != found["webhook"])
        output.say(f"this is the window of {found['webhook']}; one is open for {names}, too")


def _show_sums(found: dict[str, Any], *, as_json: bool) -> None:
    sums = {"sealed": found["sealed"], "messages": found["messages"]}
    if as_json:
        output.show_json(sums)
    else:
        output.show_facts(sums.items())


def _consequence(ws: str, windows: int) -> str:
    one = "the open window of" if windows == 1 else f"all {windows} open windows of"
    requests = "1 request goes" if windows == 1 else f"{windows} requests go"
    return f"Close {one} {ws} now? {requests} to its receiver."


def _windows(control: Control, ws: str, webhook: str | None) -> int:
    """How many are open: of the webhook, or of all of them."""
    of_webhook = ("webhooks", webhook) if webhook is not None else ()
    found: int = control.get(at("workspaces", ws, *of_webhook))["counts"]["windows"]
    return found


def _flush_all(control: Control, ws: str, webhook: str | None) -> dict[str, Any]:
    """The totals of all steps. A window opened after its page was passed stays open."""
    windows, query = _windows(control, ws, webhook), query_of({"webhook": webhook})
    url, total = at("workspaces", ws, "chats", "flush"), {"sealed": 0, "messages": 0}
    cursor: str | None = ""
    with progress.bar(_columns, "sealing", windows) as update:
        while cursor is not None:
            step = control.send("POST", with_query(url, limit=PAGE, cursor=cursor, **query))
            for name in total:
                total[name] += step[name]
            update(completed=total["sealed"])
            cursor = step["cursor"]
    return total


def _columns() -> "tuple[str | ProgressColumn, ...]":
    from rich.progress import Progress

    return Progress.get_default_columns()


chats.add_command(delete_chat)
chats.add_command(history)
