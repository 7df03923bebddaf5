"""`hookbundle send`: sends messages from a file or a pipe, with a progress bar."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any, BinaryIO

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import FAILED, USAGE, CommandFailure
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared

BATCH_BYTES = 256 * 1024
BATCH_MESSAGES = 500
SHOWN_SKIPPED = 20


@click.command()
@click.argument("ws")
@click.argument("file", type=click.File("rb"), default="-")
@as_json
@pass_shared
def send(shared: Shared, ws: str, file: BinaryIO, as_json: bool) -> None:
    """Sends messages to workspace WS: a JSON object, an array, or NDJSON, from FILE or `-`.

    It may be interrupted and repeated: repeated messages are recognised as duplicates.
    """
    total: dict[str, Any] = {"accepted": 0, "duplicate": 0, "skipped": []}

    async def work(control: Control) -> None:
        # asyncio's own handler would cancel this task, but reading a pipe blocks the loop, so the
        # cancellation would only be seen after more input. The default handler interrupts the read.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with _progress(file) as progress:
            task = progress.add_task("sending", total=_size(file))
            for batch in batches(file):
                answer = await _post(control, ws, batch)
                for name in ("accepted", "duplicate", "skipped"):
                    total[name] += answer[name]
                progress.update(task, advance=len(batch), messages=_count(total))

    try:
        shared.ask(work)
    except KeyboardInterrupt:
        _show(total, as_json=as_json)
        raise CommandFailure(
            "interrupted; run the same command again to send the rest", FAILED
        ) from None
    except CommandFailure:
        if _count(total):
            _show(total, as_json=as_json)
        raise
    _show(total, as_json=as_json)


def batches(file: BinaryIO) -> Iterator[bytes]:
    """NDJSON in batches of at most BATCH_MESSAGES and about BATCH_BYTES.

    An array is split into its messages. Raises: Failure if the input is empty or not JSON.
    """
    first = file.readline()
    while first and not first.strip():
        first = file.readline()
    lines = _lines(first, file)
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (size + len(line) > BATCH_BYTES or len(batch) == BATCH_MESSAGES):
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield b"".join(batch)


def _lines(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    """Yields one message a line. NDJSON is never read as a whole, so the file may be large."""
    try:
        msgspec.json.decode(first)
        is_ndjson = not first.lstrip().startswith(b"[")
    except (msgspec.DecodeError, UnicodeDecodeError):
        is_ndjson = False
    if is_ndjson:
        yield first if first.endswith(b"\n") else first + b"\n"
        for line in file:
            if line.strip():
                yield line if line.endswith(b"\n") else line + b"\n"
        return
    body = first + file.read()
    if not body.strip():
        raise CommandFailure("the input is empty; give a message, an array or NDJSON", USAGE)
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise CommandFailure(f"the input is not JSON: {exc}", USAGE) from exc
    many = document if isinstance(document, list) else [document]
    for one in many:
        yield msgspec.json.encode(one) + b"\n"


async def _post(control: Control, ws: str, batch: bytes) -> Any:
    """The answer to a batch; retries four times while the daemon answers that it is busy."""
    headers = {"Content-Type": "application/x-ndjson"}
    url = at("workspaces", ws, "messages")
    for wait_s in (1, 2, 5, 10, None):
        try:
            async with control.ask("POST", url, data=batch, headers=headers) as response:
                return msgspec.json.decode(await response.read())
        except CommandFailure as exc:
            if wait_s is None or not exc.is_busy:
                raise
            output.say(f"{exc.message}; retrying in {wait_s} s")
            await asyncio.sleep(wait_s)
    raise AssertionError("the last attempt returned or raised")


def _progress(file: BinaryIO) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[messages]} messages"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def _size(file: BinaryIO) -> int | None:
    """Bytes left in the file; None for a pipe."""
    if not file.seekable():
        return None
    here = file.tell()
    end = file.seek(0, 2)
    file.seek(here)
    return end - here


def _count(total: dict[str, Any]) -> int:
    return int(total["accepted"]) + int(total["duplicate"]) + len(total["skipped"])


def _show(total: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.show_json(total)
        return
    skipped = total["skipped"]
    output.show_facts(
        (
            ("accepted", total["accepted"]),
            ("duplicate", total["duplicate"]),
            ("skipped", len(skipped)),
        )
    )
    for skip in skipped[:SHOWN_SKIPPED]:
        output.say(f"skipped {skip['message_id']}: {skip['reason']}")
    if len(skipped) > SHOWN_SKIPPED:
        output.say(f"... and {len(skipped) - SHOWN_SKIPPED} more; --json lists all")
