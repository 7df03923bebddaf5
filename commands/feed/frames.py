"""The frames of the event feed, read from the daemon's socket. docs/feed.md describes them."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.commands.terminal.failures import UNREACHABLE, CommandFailure, unreachable

NAME = "feed.sock"  # beside the control socket


def frames_of(path: Path, **wanted: Any) -> Iterator[dict[str, Any]]:
    """Yields the frames until the daemon closes the connection. Raises: Failure."""
    hello = msgspec.json.encode({"hello": 1, "format": "ndjson", **wanted}) + b"\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(str(path))
        except OSError as exc:
            raise unreachable(path, exc) from exc
        try:
            sock.sendall(hello)
            for line in sock.makefile("rb"):
                if not line.endswith(b"\n"):
                    return  # the daemon ended in the middle of it
                yield _decoded(line, path)
        except ConnectionError:
            return


def is_refused(path: Path, **wanted: Any) -> bool:
    """Whether the daemon finds fault with what is wanted. Raises: Failure."""
    first = next(frames_of(path, since="now", **wanted), {})
    return first.get("type") == "error" and bool(first.get("errors"))


def cursor_at_the_end(path: Path) -> str:
    """The cursor of the newest event. Raises: Failure."""
    for frame in frames_of(path, since="now"):
        if frame["type"] == "hello":
            return str(frame["cursor"])
        raise CommandFailure(str(frame.get("detail", "the feed refused a reader")), UNREACHABLE)
    raise CommandFailure("the daemon closed the connection before it had answered", UNREACHABLE)


def _decoded(line: bytes, path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise CommandFailure(f"what answers at {path} is not hookbundle", UNREACHABLE) from exc
