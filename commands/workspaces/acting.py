"""What is done with a webhook: `workspace ...` means `outbound`, `webhook ...` the one of its id.

Here a webhook without an id is `outbound`, by the path of its workspace.
"""

from typing import Any

import click

from hookbundle.commands.consequences import ask_on_terminal
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.failures import FAILED, CommandFailure
from hookbundle.commands.terminal.options import Shared, show
from hookbundle.commands.terminal.words import short_times
from hookbundle.commands.workspaces.success import proposed

TESTED = ("request.url", "outcome", "error", "duration_ms")

keep_option = click.option(
    "--keep",
    metavar="DURATION",
    default="24h",
    show_default=True,
    help="How long the old secrets sign too; 0s: no longer.",
)


def act(shared: Shared, ws: str, webhook: str, action: str, document: object) -> Any:
    """The answer to the action."""
    which = ("webhooks", webhook) if webhook else ("webhook",)
    url = at("workspaces", ws, *which, action)
    return shared.ask(lambda control: control.send("POST", url, document))


def send_test(shared: Shared, ws: str, webhook: str = "", *, as_json: bool) -> None:
    """What a test request came to is shown. Raises: CommandFailure unless it was delivered."""
    found = act(shared, ws, webhook, "test", {})
    hint = ("hint",) if found.get("hint") else ()
    show(found, as_json=as_json, columns=(*TESTED, *hint))
    if found.get("proposal") and not as_json:
        output.say(f"To do so: {proposed(ws, webhook, found['proposal'])}")
    if found["outcome"] != "delivered":
        raise CommandFailure("the receiver did not accept the test request", FAILED)


def rotate(
    shared: Shared, ws: str, webhook: str = "", *, keep: str, yes: bool, as_json: bool
) -> None:
    """A new secret signs, and is shown this once."""
    ask_on_terminal(shared, ws, "rotate", webhook=webhook, yes=yes, keep=keep)
    found = act(shared, ws, webhook, "rotate-secret", {"keep": keep})
    if as_json:
        output.show_json(found)
        return
    until = found["previous_until"]
    output.say(
        short_times(f"The old secrets sign until {until}.") if until else "No other secret signs."
    )
    output.write_once(found["secret"], "The new secret signs already; rotate it once more.")
