"""`activity`, `log`, `status`: what a workspace did, and the state of the daemon."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.options import Shared, as_json, no_header, pass_shared, show
from hookbundle.commands.terminal.words import name_of

PIECE_BYTES = 256 * 1024
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
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


@click.command()
@click.argument("ws")
@no_header
@as_json
@pass_shared
def activity(shared: Shared, ws: str, no_header: bool, as_json: bool) -> None:
    """Prints the ten most recent actions of workspace WS, newest first."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws, "activity")))
    show(found, as_json=as_json, no_header=no_header, columns=ACTIVITY)


@click.command()
@click.argument("ws")
@click.option("-o", "--output", "path", metavar="FILE", type=Path, help="Write to a file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "ndjson"]),
    default="json",
    show_default=True,
    help="One array, or a line for each request.",
)
@pass_shared
def log(shared: Shared, ws: str, path: Path | None, form: str) -> None:
    """Prints the hundred most recent requests of workspace WS in full, newest first."""

    async def work(control: Control) -> int:
        url = at("workspaces", ws, "log").with_query(format=form)
        async with control.ask("GET", url) as response:
            pieces = response.content.iter_chunked(PIECE_BYTES)
            if path is None:
                return await output.show_json_pieces(pieces)
            return await written_to(pieces, path)

    count = shared.ask(work)
    if path is not None:
        output.say(f"wrote {count} bytes to {path}")


async def written_to(pieces: AsyncIterator[bytes], path: Path) -> int:
    """All pieces are in the file, for its owner alone. If they end early, it is as it was.

    Returns how many bytes they have.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():  # a pipe, or a device
        with path.open("wb") as file:
            return await _copied(pieces, file)
    partial = path.with_name(f"{path.name}.part")
    try:
        opened = os.open(partial, NEW_FILE, 0o600)
    except OSError as exc:  # about the file that was asked for
        raise OSError(exc.errno, exc.strerror, str(path)) from exc
    try:
        with os.fdopen(opened, "wb") as file:
            count = await _copied(pieces, file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


async def _copied(pieces: AsyncIterator[bytes], file: BinaryIO) -> int:
    count = 0
    async for piece in pieces:
        count += file.write(piece)
    return count


@click.command()
@as_json
@pass_shared
def status(shared: Shared, as_json: bool) -> None:
    """Prints the state of the daemon."""
    found = shared.ask(lambda control: control.get("/v1/status"))
    if as_json:
        output.show_json(found)
        return
    output.show_facts((name_of(name), found[name]) for name in STATUS)
