"""`hookbundle webhook ...`: the webhooks of a workspace, each by its id."""

import click

from hookbundle.commands.consequences import (
    ask_on_terminal,
    ask_to_merge,
    of_discarding,
    refuse_both,
)
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.help import Group
from hookbundle.commands.terminal.options import (
    Shared,
    as_json,
    confirm,
    no_header,
    pass_shared,
    show,
    yes_option,
)
from hookbundle.commands.terminal.words import counted
from hookbundle.commands.workspaces.acting import act, keep_option, rotate, send_test
from hookbundle.commands.workspaces.filters import filter_test
from hookbundle.commands.workspaces.formats import format_test
from hookbundle.commands.workspaces.setting import set_webhook
from hookbundle.commands.workspaces.shown import columns_of, in_words, say_resting
from hookbundle.commands.workspaces.simulation import simulate

LISTED = ("id", "state", "full", "aggregation", "counts.windows", "counts.queued", "url", "rule")


@click.group(cls=Group)
def webhook() -> None:
    """Webhooks of a workspace: each has its URL, window, queue and state."""


@webhook.command("list")
@click.argument("ws")
@no_header
@as_json
@pass_shared
def list_webhooks(shared: Shared, ws: str, no_header: bool, as_json: bool) -> None:
    """Lists the webhooks of workspace WS with their states."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws, "webhooks")))["webhooks"]
    rows = found if as_json else [in_words(each) for each in found]
    show(rows, as_json=as_json, no_header=no_header, columns=LISTED)


@webhook.command("show")
@click.argument("ws")
@click.argument("webhook")
@as_json
@pass_shared
def show_webhook(shared: Shared, ws: str, webhook: str, as_json: bool) -> None:
    """Prints a webhook's settings and how it is doing."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws, "webhooks", webhook)))
    if not as_json:
        say_resting(found)
    show(found if as_json else in_words(found), as_json=as_json, columns=columns_of(found))


@webhook.command("delete")
@click.argument("ws")
@click.argument("webhook")
@yes_option
@as_json
@pass_shared
def delete_webhook(shared: Shared, ws: str, webhook: str, yes: bool, as_json: bool) -> None:
    """Deletes WEBHOOK with what it holds, its history and its logs."""
    url = at("workspaces", ws, "webhooks", webhook)
    if not yes:
        counts = shared.ask(lambda control: control.get(url))["counts"]
        confirm(
            f"Delete webhook {webhook} of {ws}? {counted(counts['held_messages'])} will never be "
            f"sent by it, and {counts['dead_letters']} dead letters, its history and its logs are "
            "gone.",
            yes=False,
        )
    found = shared.ask(lambda control: control.send("DELETE", url))
    show(found, as_json=as_json, columns=tuple(found))


@webhook.command("enable")
@click.argument("ws")
@click.argument("webhook")
@click.option("--discard", is_flag=True, help="Discard the held messages instead of sending.")
@click.option("--merge", is_flag=True, help="Merge what waits of each chat before it is sent.")
@yes_option
@as_json
@pass_shared
def enable(
    shared: Shared,
    ws: str,
    webhook: str,
    discard: bool,
    merge: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Enables WEBHOOK; sending resumes where it stopped.

    With --discard it says what will be lost, and asks first.
    """
    refuse_both(discard, merge)
    if discard and not yes:
        lost = shared.ask(lambda control: of_discarding(control, ws, webhook))
        words = f"Enable {webhook} of {ws} and discard what it holds?"
        confirm(f"{words} {lost} will never be sent by it.", yes=False)
    if merge:
        ask_to_merge(shared, ws, webhook, yes=yes)
    found = act(shared, ws, webhook, "enable", {"discard": discard, "merge": merge})
    show(found, as_json=as_json, columns=tuple(found))


@webhook.command("merge")
@click.argument("ws")
@click.argument("webhook")
@yes_option
@as_json
@pass_shared
def merge_waiting(shared: Shared, ws: str, webhook: str, yes: bool, as_json: bool) -> None:
    """Merges what waits for WEBHOOK and was never attempted, chat by chat.

    Nothing is sent until that is done. It says what waits, and asks first.
    """
    ask_to_merge(shared, ws, webhook, yes=yes)
    found = act(shared, ws, webhook, "merge", {})
    show(found, as_json=as_json, columns=tuple(found))


@webhook.command("disable")
@click.argument("ws")
@click.argument("webhook")
@yes_option
@as_json
@pass_shared
def disable(shared: Shared, ws: str, webhook: str, yes: bool, as_json: bool) -> None:
    """Disables WEBHOOK; messages are still accepted, and held for it."""
    ask_on_terminal(shared, ws, "disable", webhook=webhook, yes=yes)
    show(act(shared, ws, webhook, "disable", {}), as_json=as_json, columns=("changed",))


@webhook.command("test")
@click.argument("ws")
@click.argument("webhook")
@as_json
@pass_shared
def test(shared: Shared, ws: str, webhook: str, as_json: bool) -> None:
    """Sends a test request and prints the result; fails unless it was delivered."""
    send_test(shared, ws, webhook, as_json=as_json)


@webhook.command("rotate-secret")
@click.argument("ws")
@click.argument("webhook")
@keep_option
@yes_option
@as_json
@pass_shared
def rotate_secret(
    shared: Shared, ws: str, webhook: str, keep: str, yes: bool, as_json: bool
) -> None:
    """Adds a new signing secret and prints it; it is never shown again."""
    rotate(shared, ws, webhook, keep=keep, yes=yes, as_json=as_json)


webhook.add_command(filter_test)
webhook.add_command(format_test)
webhook.add_command(set_webhook)
webhook.add_command(simulate)
