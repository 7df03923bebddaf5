"""`hookbundle source requests`: the last requests of a source, and those that come."""

import time
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.options import (
    Number,
    Shared,
    as_json,
    no_header,
    pass_shared,
    show,
)
from hookbundle.commands.terminal.words import plain, short_time

if TYPE_CHECKING:
    from hookbundle.commands.terminal.client import Control

COLUMNS = ("number", "at", "method", "status", "size", "outcomes", "faults")
KEPT_MAX = 50
BEGINNING = 10  # that --follow shows of those that came before
ASKED_EVERY_S = 1.0


@click.command("requests")
@click.argument("ws")
@click.argument("source")
@click.option("--follow", is_flag=True, help="Show what comes from now on, too.")
@click.option(
    "--limit",
    type=Number(1, KEPT_MAX),
    help="Show at most this many of the last ones.  [default: 50; with --follow, 10]",
)
@no_header
@as_json
@pass_shared
def requests(
    shared: Shared,
    ws: str,
    source: str,
    follow: bool,
    limit: int | None,
    no_header: bool,
    as_json: bool,
) -> None:
    """Prints the last requests of SOURCE, the newest first, and what came of them.

    With --json also their bodies, without secrets. With --follow the newest is the last one, and
    with --json it prints NDJSON.
    """
    url = at("workspaces", ws, "sources", source, "requests")
    most = limit or (BEGINNING if follow else KEPT_MAX)
    if not follow:
        found = shared.ask(lambda control: control.gather(url, "requests", most))
        rows = found if as_json else list(map(_row, found))
        show(rows, as_json=as_json, no_header=no_header, columns=COLUMNS)
        return
    if not as_json and not no_header and not output.is_terminal():
        output.write("\t".join(COLUMNS))
    try:
        shared.ask(lambda control: _follow(control, url, most, as_json=as_json))
    except KeyboardInterrupt:
        return


def _follow(control: "Control", url: str, most: int, *, as_json: bool) -> None:
    """Until nobody reads. Raises: CommandFailure if there is no such source any more."""
    newest = 0
    while True:
        found = _newer(control, url, newest, most)
        for request in reversed(found):
            if not _show_one(request, as_json=as_json):
                return
            newest = request["number"]
        most = KEPT_MAX
        time.sleep(ASKED_EVERY_S)


def _newer(control: "Control", url: str, newest: int, most: int) -> list[dict[str, Any]]:
    """The requests with a higher number, the newest first.

    Mostly there are none; that the last one alone says, which spares the bodies of the others.
    """
    found: list[dict[str, Any]] = []
    if newest and not _above(newest, control.get(url, limit="1")):
        return found
    cursor: str | None = ""
    while cursor is not None and len(found) < most:
        page = control.get(url, cursor=cursor)
        new = _above(newest, page)
        found += new
        cursor = page["cursor"] if len(new) == len(page["requests"]) else None
    return found[:most]


def _above(newest: int, page: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in page["requests"] if each["number"] > newest]


def _show_one(request: dict[str, Any], *, as_json: bool) -> bool:
    """False if nobody reads it."""
    if as_json:
        return output.show_json_text(msgspec.json.encode(request).decode())
    row = _row(request)
    cells = [plain(row[name]) for name in COLUMNS]
    if not output.is_terminal():
        return output.write("\t".join(cells))
    return output.write("  ".join(map(short_time, cells)))


def _row(request: dict[str, Any]) -> dict[str, Any]:
    """The request with a sentence for each fault."""
    faults = [f"{each['path']}: {each['detail']}" for each in request["faults"]]
    return {**request, "faults": faults}
