"""`hookbundle source try`: settings tried on a body, before a source is made."""

from typing import Any, BinaryIO

import click

from hookbundle.commands.sources.given import read_settings, setting_option
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.options import (
    InputFile,
    Shared,
    as_json,
    no_header,
    pass_shared,
    show,
)
from hookbundle.engine import limits
from hookbundle.engine.sources.settings import FIELDS

COLUMNS = ("outcome", "event", "chat_id", "message_id", "direction", "sender", "text")


@click.command("try")
@click.argument("ws")
@click.argument("kind", type=click.Choice(tuple(FIELDS)), metavar="KIND")
@click.argument("file", type=InputFile())
@setting_option
@no_header
@as_json
@pass_shared
def try_source(
    shared: Shared,
    ws: str,
    kind: str,
    file: BinaryIO,
    given: tuple[str, ...],
    no_header: bool,
    as_json: bool,
) -> None:
    """Says what a source of KIND would make of FILE, a body as the other system posts it.

    Nothing is made, stored or learned by it. `-` reads the body from stdin.
    """
    settings = read_settings(given).document({})
    body = file.read(limits.SOURCE_REQUEST_BYTES_MAX + 1).decode("utf-8", "replace")
    document = {"kind": kind, "settings": settings, "body": body}
    found = shared.ask(
        lambda control: control.send("POST", at("workspaces", ws, "sources", "try"), document)
    )
    if as_json:
        output.show_json(found)
        return
    rows = [_row(each) for each in found["events"]]
    show(rows, as_json=False, no_header=no_header, columns=COLUMNS)
    total = sum(found["outcomes"].values())
    if len(rows) < total and rows:
        output.say(f"the first {len(rows)} of {total} events")
    for each in found["faults"]:
        output.say(f"{each['path'] or 'the body'}: {each['detail']}")


def _row(event: dict[str, Any]) -> dict[str, Any]:
    """What the columns show of it; empty where it has nothing of the kind."""
    row = {**dict.fromkeys(COLUMNS, ""), **event}
    if "message" in event:
        message = event["message"]["message"]
        sender = message["sender"]
        row |= {"direction": message["direction"], "text": message["text"]}
        row["sender"] = sender["full_name"] or sender["phone"]
    return row
