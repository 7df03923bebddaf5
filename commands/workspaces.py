"""`hookbundle workspace ...`: settings, and the webhook switched, tested and signed anew."""

import sys
from typing import Any

import click

from hookbundle.commands.deletions import delete_workspace
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import NOT_FOUND, Failure
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared, show

SETTINGS_SHOWN = (
    "id",
    "name",
    "owner_email",
    "webhook.url",
    "webhook.aggregation",
    "webhook.success",
    "webhook.state",
    "webhook.consecutive_errors",
    "webhook.last_error",
    "webhook.disabled_reason",
    "webhook.disabled_at",
    "webhook.next_attempt_at",
    "counts.windows",
    "counts.pending",
    "counts.parked",
    "counts.held_messages",
)
ALL = sys.maxsize
LISTED = ("id", "webhook.state", "webhook.aggregation", "counts.windows", "counts.pending")


@click.group()
def workspace() -> None:
    """Workspaces and their webhooks."""


@workspace.command("list")
@as_json
@pass_shared
def list_workspaces(shared: Shared, as_json: bool) -> None:
    """All workspaces, with the state of their webhooks."""

    found = shared.ask(lambda control: control.gather(at("workspaces"), "workspaces", ALL))
    show(found, as_json=as_json, columns=LISTED)


@workspace.command("show")
@click.argument("ws")
@as_json
@pass_shared
def show_workspace(shared: Shared, ws: str, as_json: bool) -> None:
    """A workspace's settings and how its webhook is doing."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws)))
    show(found, as_json=as_json, columns=SETTINGS_SHOWN)


@workspace.command("set")
@click.argument("ws")
@click.option("--name", help="The name shown in mails.")
@click.option("--owner-email", help="Who is told when the webhook is disabled.")
@click.option("--url", help="Where the POSTs go.")
@click.option("--aggregation", help="none, 1h, 6h, 12h, 24h, or any from 1s to 24h.")
@click.option("--success", type=click.Choice(["200", "2xx"]), help="What counts as delivered.")
@as_json
@pass_shared
def set_workspace(shared: Shared, /, ws: str, as_json: bool, **given: str | None) -> None:
    """Changes what is given; makes the workspace if there is none."""
    hook = {name: given.pop(name) for name in ("url", "aggregation", "success")}
    wanted = {name: value for name, value in given.items() if value is not None}
    wanted_hook = {name: value for name, value in hook.items() if value is not None}
    document = {**wanted, "webhook": wanted_hook}

    async def work(control: Control) -> Any:
        try:
            return await control.send("PATCH", at("workspaces", ws), document)
        except Failure as exc:
            if exc.exit_code != NOT_FOUND:
                raise
            return await control.send("PUT", at("workspaces", ws), document)

    found = shared.ask(work)
    secret = found.get("secret")
    if secret and not as_json:
        output.say(f"Made {ws}. Its signing secret, shown this once: {secret}")
    show(found, as_json=as_json, columns=SETTINGS_SHOWN)


@workspace.command("enable")
@click.argument("ws")
@click.option("--discard", is_flag=True, help="Drop what is held instead of sending it.")
@as_json
@pass_shared
def enable(shared: Shared, ws: str, discard: bool, as_json: bool) -> None:
    """Enables the webhook; it goes on where it stopped."""
    found = _switch(shared, ws, "enable", {"discard": discard})
    show(found, as_json=as_json, columns=tuple(found))


@workspace.command("disable")
@click.argument("ws")
@as_json
@pass_shared
def disable(shared: Shared, ws: str, as_json: bool) -> None:
    """Disables the webhook; messages are still accepted, and held."""
    found = _switch(shared, ws, "disable", {})
    show(found, as_json=as_json, columns=("changed",))


@workspace.command("test")
@click.argument("ws")
@as_json
@pass_shared
def test(shared: Shared, ws: str, as_json: bool) -> None:
    """Sends a test request and shows what came back; fails if it was not taken."""
    found = _switch(shared, ws, "test", {})
    columns = ("request.url", "outcome", "error", "duration_ms")
    show(found, as_json=as_json, columns=columns)
    if found["outcome"] != "delivered":
        raise Failure("the receiver did not take the test request", 1)


@workspace.command("rotate-secret")
@click.argument("ws")
@click.option(
    "--keep", default="24h", show_default=True, help="How long the secrets so far sign on; or 0s."
)
@as_json
@pass_shared
def rotate_secret(shared: Shared, ws: str, keep: str, as_json: bool) -> None:
    """Signs with a new secret from now on, and prints it; it is never shown again."""
    found = _switch(shared, ws, "rotate-secret", {"keep": keep})
    if as_json:
        output.show_json(found)
        return
    until = found["previous_until"]
    output.say(f"The secrets so far sign on until {until}." if until else "No other secret signs.")
    click.echo(found["secret"])


def _switch(shared: Shared, ws: str, what: str, document: object) -> Any:
    url = at("workspaces", ws, "webhook", what)
    return shared.ask(lambda control: control.send("POST", url, document))


workspace.add_command(delete_workspace)
