"""`hookbundle webhook set`."""

from typing import Any

import click

from hookbundle.commands.consequences import ask_on_terminal
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import NOT_FOUND, CommandFailure
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared, show, yes_option
from hookbundle.commands.workspaces.filters import filter_option
from hookbundle.commands.workspaces.limits import Limits
from hookbundle.commands.workspaces.receiving import receiver_options, take_receiver
from hookbundle.commands.workspaces.requests import say_dropped
from hookbundle.commands.workspaces.shown import columns_of, in_words
from hookbundle.commands.workspaces.simulation import WindowText
from hookbundle.engine.windows.rule import CUSTOM


@click.command("set")
@click.argument("ws")
@click.argument("webhook")
@click.option("--url", metavar="URL", help="Where it posts to.")
@click.option("--aggregation", metavar="DURATION", help="The window: none, or 1s to 24h, e.g. 6h.")
@click.option(
    "--window",
    type=WindowText(),
    metavar="JSON",
    help='By which rule a window ends: JSON or @FILE, e.g. \'{"quiet": "10m", "max": "6h"}\'.',
)
@receiver_options
@filter_option
@click.option("--rate", metavar="RATE", help="The most requests in a time: none, or e.g. 100/10s.")
@click.option("--budget", metavar="BUDGET", help="The most a day: none, or e.g. 1000/day.")
@click.option(
    "--limits",
    type=Limits(),
    metavar="LIMITS",
    help="Where a bundle ends early: messages=500,bytes=256KiB, or default.",
)
@click.option(
    "--warnings",
    type=click.Choice(["on", "off"]),
    help="Whether errors in a row are told before they disable it.",
)
@yes_option
@as_json
@pass_shared
def set_webhook(
    shared: Shared, /, ws: str, webhook: str, yes: bool, as_json: bool, **given: Any
) -> None:
    """Changes the given settings of WEBHOOK; creates it if WS has none of this id."""
    url, aggregation, of_receiver = given["url"], given["aggregation"], take_receiver(given)
    if given["window"] is not None:
        if aggregation is not None:
            raise click.UsageError("give --window or --aggregation, not both")
        aggregation = "none" if given["window"] == "none" else CUSTOM
    ask_on_terminal(shared, ws, "set", webhook=webhook, yes=yes, url=url, aggregation=aggregation)
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    wanted |= of_receiver
    for name in ("rate", "budget"):
        if wanted.get(name) == "none":
            wanted[name] = None
    if "warnings" in wanted:
        wanted["warnings"] = wanted["warnings"] == "on"

    def work(control: Control) -> Any:
        try:
            return control.send("PATCH", at("workspaces", ws, "webhooks", webhook), wanted)
        except CommandFailure as exc:
            if exc.exit_code != NOT_FOUND:
                raise
            document = {"id": webhook, **wanted}
            return control.send("POST", at("workspaces", ws, "webhooks"), document)

    found = shared.ask(work)
    say_dropped(found)
    secret = found.get("secret")
    if secret and not as_json:
        output.say(f"Created {webhook} of {ws}. Its signing secret is shown only now: {secret}")
    show(found if as_json else in_words(found), as_json=as_json, columns=columns_of(found))
