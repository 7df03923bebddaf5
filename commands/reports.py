"""`activity`, `log`, `status`: what a workspace did, and the state of the daemon."""

from pathlib import Path
from typing import Any

import click

from hookbundle.commands.terminal import output, private_file
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared, show

ACTIVITY = ("at", "action", "chat_id", "messages", "outcome", "detail")
STATUS = (
    "version",
    "pid",
    "started_at",
    "now",
    "ready",
    "windows",
    "pending",
    "parked",
    "mails",
    "in_flight",
    "workspaces_disabled",
    "quarantined",
    "totals",
    "residents",
    "store",
    "disk",
    "lag_ms",
    "clock_held",
)
CLOCK_HELD = (
    "The clock is held: it is behind the last time that the data has seen, so no window closes and "
    "no wait ends. If the clock is wrong, set it. If it is right and was ahead earlier, restart "
    "once with `hookbundle run --trust-clock`; see 'The clock is held' in docs/operations.md."
)


@click.command()
@click.argument("ws")
@as_json
@pass_shared
def activity(shared: Shared, ws: str, as_json: bool) -> None:
    """Prints the ten most recent actions of workspace WS, newest first."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws, "activity")))
    show(found, as_json=as_json, columns=ACTIVITY)


@click.command()
@click.argument("ws")
@click.option(
    "-o", "--output", "path", type=click.Path(path_type=Path), help="Write to a file, 0600."
)
@click.option(
    "--format", "form", type=click.Choice(["json", "ndjson"]), default="json", show_default=True
)
@pass_shared
def log(shared: Shared, ws: str, path: Path | None, form: str) -> None:
    """Prints the hundred most recent requests of workspace WS in full, newest first."""

    async def work(control: Control) -> bytes:
        url = at("workspaces", ws, "log").with_query(format=form)
        async with control.ask("GET", url) as response:
            return await response.read()

    body = shared.ask(work)
    if path is None:
        output.show_json_text(body.decode().rstrip("\n"))
        return
    private_file.write(path, body)
    output.say(f"wrote {len(body)} bytes to {path}")


@click.command()
@as_json
@pass_shared
def status(shared: Shared, as_json: bool) -> None:
    """Prints the state of the daemon."""
    found = shared.ask(lambda control: control.get("/v1/status"))
    if as_json:
        output.show_json(found)
        return
    output.show_facts((name, _flat(found[name])) for name in STATUS)
    if found["clock_held"]:
        output.say(CLOCK_HELD)


def _flat(value: Any) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return ", ".join(value) if isinstance(value, list) else value
