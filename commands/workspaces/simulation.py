"""`webhook simulate`: what another window had made of the messages of the last days."""

from typing import Any

import click

from hookbundle.commands.terminal import json_text, output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.options import Shared, as_json, no_header, pass_shared
from hookbundle.commands.terminal.words import counted, short_times, some

COLUMNS = ("window", "calls", "median_delay", "p95_delay", "biggest")
SIDES = ("now", "then")
UNITS = (("h", 3_600), ("m", 60), ("s", 1))


class WindowText(click.ParamType[Any]):
    """A window as JSON, or `@FILE`; or `none`, or a length as `6h`. The daemon judges it."""

    name = "window"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any] | str:
        if isinstance(value, dict):
            return value
        text = str(value).strip()
        if text == "none":
            return text
        if not text.startswith(("{", "@")):
            return {"every": text}
        found = json_text.given(self, text, "window", param, ctx)
        if not isinstance(found, dict) and found != "none":
            self.fail('a window is a JSON object, as {"every": "1h"}, or none', param, ctx)
        return found  # type: ignore[no-any-return]


@click.command("simulate")
@click.argument("ws")
@click.argument("webhook")
@click.option(
    "--window",
    type=WindowText(),
    metavar="JSON",
    help='The window to try: JSON, @FILE, none, or a length, e.g. \'{"quiet": "10m"}\'.',
)
@click.option(
    "--aggregation",
    type=WindowText(),
    metavar="DURATION",
    help="The same, where it is only a length: none, or 1s to 24h, e.g. 6h.",
)
@click.option(
    "--days", type=int, default=7, show_default=True, help="How many days back, at most 10."
)
@no_header
@as_json
@pass_shared
def simulate(
    shared: Shared,
    ws: str,
    webhook: str,
    window: Any,
    aggregation: Any,
    days: int,
    no_header: bool,
    as_json: bool,
) -> None:
    """Says in how many calls a window had sent the last days' messages, and how late.

    Beside it stands what WEBHOOK's own window makes of them. Nothing is changed.
    """
    if window is not None and aggregation is not None:
        raise click.UsageError("give --window or --aggregation, not both")
    wanted = aggregation if window is None else window
    url = at("workspaces", ws, "webhooks", webhook, "simulate")
    document = {"days": days} | ({} if wanted is None else {"window": wanted})
    found = shared.ask(lambda control: control.send("POST", url, document))
    if as_json:
        output.show_json(found)
        return
    rows = [(side, *_shown(found[side])) for side in SIDES if side in found]
    output.show_rows(COLUMNS, rows, header=not no_header)
    chats = some(found["chats"], "chat")
    output.say(short_times(f"{counted(found['messages'])} of {chats} since {found['since']}"))
    if found["cut"]:
        output.say("There are more; they were not looked at.")
    for side in SIDES:
        if side in found and found[side]["rules_left_out"]:
            output.say(f"{side}: without texts and labels no rule was judged, only `else`.")


def _shown(side: dict[str, Any]) -> tuple[object, ...]:
    delays = (side["median_delay_seconds"], side["p95_delay_seconds"])
    return (side["calls"], *map(_lasting, delays), side["biggest"])


def _lasting(seconds: int) -> str:
    """As `1h 5m`."""
    parts = []
    for unit, size in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
