"""`hookbundle workspace ...`: settings of a workspace; enables, disables and tests its webhook."""

import sys
from typing import Any

import click

from hookbundle.commands.consequences import (
    ask_on_terminal,
    ask_to_merge,
    of_discarding,
    refuse_both,
)
from hookbundle.commands.deletions import delete_workspace
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import CONFLICT, NOT_FOUND, CommandFailure
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
from hookbundle.commands.workspaces import listing
from hookbundle.commands.workspaces.acting import act, keep_option, rotate, send_test
from hookbundle.commands.workspaces.receiving import receiver_options, take_receiver
from hookbundle.commands.workspaces.requests import say_dropped
from hookbundle.commands.workspaces.shown import settings_in_words

SETTINGS_SHOWN = (
    "id",
    "name",
    "owner_email",
    "language",
    "time_zone",
    "webhook.url",
    "webhook.aggregation",
    "webhook.success",
    "webhook.request",
    "webhook.format",
    "webhook.format_options",
    "webhook.success_rules",
    "webhook.state",
    "webhook.full",
    "webhook.consecutive_errors",
    "webhook.last_error",
    "webhook.disabled_reason",
    "webhook.disabled_at",
    "webhook.next_attempt_at",
    "counts.windows",
    "counts.queued",
    "counts.dead_letters",
    "counts.held_messages",
    "counts.overflowed",
)
OF_WEBHOOK = ("url", "aggregation")
ALL = sys.maxsize


@click.group(cls=Group)
def workspace() -> None:
    """Workspaces and their webhooks."""


@workspace.command("list")
@click.option("--q", metavar="WORDS", help="With this in their id or name.")
@click.option(
    "--state",
    type=click.Choice(
        ["unconfigured", "enabled", "backing_off", "over_budget", "merging", "disabled"]
    ),
    help="That have a webhook in this state.",
)
@no_header
@as_json
@pass_shared
def list_workspaces(
    shared: Shared, q: str | None, state: str | None, no_header: bool, as_json: bool
) -> None:
    """Lists all workspaces, or those that are asked for, with the state of their webhooks.

    Of several webhooks the worst state is shown, and how many of them are not enabled.
    """
    query = {name: value for name, value in (("q", q), ("state", state)) if value is not None}
    url = at("workspaces")
    found = shared.ask(lambda control: control.gather(url, "workspaces", ALL, **query))
    columns = listing.columns_of(found)
    rows = found if as_json else listing.rows_of(found)
    show(rows, as_json=as_json, no_header=no_header, columns=columns)


@workspace.command("show")
@click.argument("ws")
@as_json
@pass_shared
def show_workspace(shared: Shared, ws: str, as_json: bool) -> None:
    """Prints a workspace's settings and the state of its webhook."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws)))
    show(found if as_json else _named(found), as_json=as_json, columns=_columns(found))


@workspace.command("set")
@click.argument("ws")
@click.option("--name", metavar="NAME", help="Its name in e-mails.")
@click.option(
    "--owner-email", metavar="ADDRESS", help="Gets an e-mail when the webhook is disabled."
)
@click.option("--language", type=click.Choice(["en", "ar"]), help="The language of these e-mails.")
@click.option(
    "--time-zone", metavar="ZONE", help="For times in e-mails and pages, e.g. Asia/Jerusalem."
)
@click.option("--url", metavar="URL", help="The webhook's URL.")
@click.option("--aggregation", metavar="DURATION", help="The window: none, or 1s to 24h, e.g. 6h.")
@receiver_options
@yes_option
@as_json
@pass_shared
def set_workspace(shared: Shared, /, ws: str, yes: bool, as_json: bool, **given: Any) -> None:
    """Changes the given settings of workspace WS; creates it if it does not exist."""
    url, aggregation, of_receiver = given["url"], given["aggregation"], take_receiver(given)
    ask_on_terminal(shared, ws, "set", yes=yes, url=url, aggregation=aggregation)
    hook = {name: given.pop(name) for name in OF_WEBHOOK}
    wanted = {name: value for name, value in given.items() if value is not None}
    wanted_hook = {name: value for name, value in hook.items() if value is not None}
    wanted_hook |= of_receiver
    document = {**wanted, "webhook": wanted_hook}

    def work(control: Control) -> Any:
        try:
            return control.send("PATCH", at("workspaces", ws), document)
        except CommandFailure as exc:
            if exc.exit_code != NOT_FOUND:
                raise
        try:
            return control.send("POST", at("workspaces"), {"id": ws, **document})
        except CommandFailure as exc:
            if exc.exit_code != CONFLICT:
                raise
            # It is there: what it has none of is the webhook `outbound`, and PATCH says so.
            return control.send("PATCH", at("workspaces", ws), document)

    found = shared.ask(work)
    say_dropped(found["webhook"])
    secret = found.get("secret")
    if secret and not as_json:
        output.say(f"Created {ws}. Its signing secret is shown only now: {secret}")
    show(found if as_json else _named(found), as_json=as_json, columns=_columns(found))


@workspace.command("enable")
@click.argument("ws")
@click.option("--discard", is_flag=True, help="Discard the held messages instead of sending.")
@click.option("--merge", is_flag=True, help="Merge what waits of each chat before it is sent.")
@yes_option
@as_json
@pass_shared
def enable(shared: Shared, ws: str, discard: bool, merge: bool, yes: bool, as_json: bool) -> None:
    """Enables the webhook; sending resumes where it stopped.

    With --discard it says what will be lost, and asks first.
    """
    refuse_both(discard, merge)
    if discard and not yes:
        lost = shared.ask(lambda control: of_discarding(control, ws))
        confirm(f"Enable {ws} and discard what it holds? {lost} will never be sent.", yes=False)
    if merge:
        ask_to_merge(shared, ws, yes=yes)
    found = act(shared, ws, "", "enable", {"discard": discard, "merge": merge})
    show(found, as_json=as_json, columns=tuple(found))


@workspace.command("disable")
@click.argument("ws")
@yes_option
@as_json
@pass_shared
def disable(shared: Shared, ws: str, yes: bool, as_json: bool) -> None:
    """Disables the webhook; messages are still accepted and are held."""
    ask_on_terminal(shared, ws, "disable", yes=yes)
    found = act(shared, ws, "", "disable", {})
    show(found, as_json=as_json, columns=("changed",))


@workspace.command("test")
@click.argument("ws")
@as_json
@pass_shared
def test(shared: Shared, ws: str, as_json: bool) -> None:
    """Sends a test request and prints the result; fails unless it was delivered."""
    send_test(shared, ws, as_json=as_json)


@workspace.command("rotate-secret")
@click.argument("ws")
@keep_option
@yes_option
@as_json
@pass_shared
def rotate_secret(shared: Shared, ws: str, keep: str, yes: bool, as_json: bool) -> None:
    """Adds a new signing secret and prints it; it is never shown again."""
    rotate(shared, ws, keep=keep, yes=yes, as_json=as_json)


def _named(workspace: dict[str, Any]) -> dict[str, Any]:
    """The workspace with its webhooks in one line: the id and the state of each.

    What is set of `outbound` stands as it is given to the options.
    """
    hooks = ", ".join(f"{each['id']} {each['state']}" for each in workspace["webhooks"])
    hook = workspace["webhook"]
    return {
        **workspace,
        "webhook": settings_in_words(hook) if hook else None,
        "webhooks": hooks,
    }


def _columns(workspace: dict[str, Any]) -> tuple[str, ...]:
    """The webhooks are named where there is another one than `outbound`."""
    names = [each["id"] for each in workspace["webhooks"]]
    return SETTINGS_SHOWN if names == ["outbound"] else (*SETTINGS_SHOWN, "webhooks")


workspace.add_command(delete_workspace)
