"""`hookbundle tail`: follows the event feed and prints one line for each event."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from hookbundle.commands.configuration import paths
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import FAILED, UNREACHABLE, USAGE, CommandFailure
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared

FEED = "feed.sock"


@click.command()
@click.option(
    "--workspace",
    "workspaces",
    multiple=True,
    help="Only events of this workspace; may be repeated.",
)
@click.option(
    "--type",
    "types",
    multiple=True,
    help="Only events of this type, e.g. 'delivery.*'; may be repeated.",
)
@click.option(
    "--since",
    default="now",
    show_default=True,
    help="Where to begin: now, oldest, -1h, or a cursor.",
)
@as_json
@pass_shared
def tail(
    shared: Shared, workspaces: tuple[str, ...], types: tuple[str, ...], since: str, as_json: bool
) -> None:
    """Follows the event feed until interrupted. With --json it prints NDJSON with cursors."""
    path = paths.socket_path(shared.configuration()).parent / FEED
    hello = {
        "hello": 1,
        "format": "ndjson",
        "since": since,
        "workspaces": workspaces,
        "types": types,
    }
    cursor = since
    try:
        for frame in _frames(path, hello):
            cursor = frame.get("cursor", cursor)
            _show(frame, as_json=as_json)
    except KeyboardInterrupt:
        output.say(f"to resume from here: --since {cursor}")
        return
    raise CommandFailure(
        f"the daemon closed the connection; to resume from here: --since {cursor}", UNREACHABLE
    )


def _frames(path: Path, hello: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the frames of the feed until the daemon closes it. Raises: Failure."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(str(path))
        except OSError as exc:
            hint = "is it running? Start it with `hookbundle run`"
            raise CommandFailure(f"no daemon answers at {path}: {hint}", UNREACHABLE) from exc
        sock.sendall(msgspec.json.encode(hello) + b"\n")
        try:
            for line in sock.makefile("rb"):
                yield msgspec.json.decode(line)
        except ConnectionError:
            return


def _show(frame: dict[str, Any], *, as_json: bool) -> None:
    match frame["type"]:
        case "error":
            raise CommandFailure(frame["detail"], USAGE if frame.get("errors") else FAILED)
        case "hello" | "ping":
            return
        case "gap":
            output.say(f"events {frame['from']} to {frame['to']} are missing: {frame['reason']}")
            return
    if as_json:
        output.show_json_text(msgspec.json.encode(frame).decode())
    else:
        facts = " ".join(f"{name}={_flat(value)}" for name, value in frame["data"].items())
        names = (frame["time"], frame["type"], frame["workspace"] or "-", frame["chat"] or "-")
        click.echo(output.plain("  ".join((*names, facts))))
    sys.stdout.flush()


def _flat(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
