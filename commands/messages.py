"""`hookbundle send`: sends messages from a file, a pipe or a sample, with a progress bar."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from click.core import ParameterSource

from hookbundle.commands.message_input import Batch, batches
from hookbundle.commands.terminal import output, progress
from hookbundle.commands.terminal.client import Control, at, decoded
from hookbundle.commands.terminal.failures import FAILED, CommandFailure, invalid_input
from hookbundle.commands.terminal.options import InputFile, Number, Shared, as_json
from hookbundle.commands.terminal.words import counted

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

CHANGES = ("edited", "deleted", "late", "waiting", "closed")
SHOWN_SKIPPED = 20
MESSAGES_MAX = 10_000  # of a sample


@click.command()
@click.argument("ws")
@click.argument("file", type=InputFile(), default="-")
@click.option(
    "--sample",
    type=Number(1, MESSAGES_MAX),
    metavar="N",
    help="Send N sample messages of four chats, instead of a file.",
)
@as_json
@click.pass_context
def send(
    context: click.Context, ws: str, file: BinaryIO, sample: int | None, as_json: bool
) -> None:
    """Sends messages to workspace WS: a JSON object, an array, or NDJSON, from FILE or `-`.

    A live pipe is sent as it comes. It may be interrupted and repeated: repeated messages are
    recognised as duplicates.
    """
    if sample is not None and context.get_parameter_source("file") is not ParameterSource.DEFAULT:
        raise click.UsageError("give either a file or --sample")
    shared = context.find_object(Shared)
    assert shared is not None
    total: dict[str, Any] = {"accepted": 0, "duplicate": 0, "skipped": []}

    def work(control: Control) -> None:
        found, size = (batches(file), _size(file)) if sample is None else _sample(sample)
        with progress.bar(_columns, "sending", size, messages=0) as update:
            for batch in found:
                answer = _post(control, ws, batch)
                _add(total, answer)
                update(advance=len(batch.body), messages=_count(total))

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
    if sample is not None and not as_json:
        output.say(
            f"What becomes of them: hookbundle chats list {ws} (collecting), "
            f"hookbundle activity {ws} (sent)"
        )


def _sample(count: int) -> tuple[Iterable[Batch], int]:
    """The batches, and how many bytes they have."""
    from secrets import token_hex

    from hookbundle.commands.sending.sample import sample
    from hookbundle.engine.clock import SystemClock

    made = sample(count, f"sample-{token_hex(4)}", SystemClock().wall_ms())
    return made, sum(len(batch.body) for batch in made)


def _post(control: Control, ws: str, batch: Batch) -> Any:
    """The answer to a batch; retries four times while the daemon answers that it is busy.

    Raises: Failure, with the places in the input.
    """
    headers = {"Content-Type": "application/x-ndjson"}
    url = at("workspaces", ws, "messages")
    for wait_s in (1, 2, 5, 10, None):
        try:
            with control.ask("POST", url, batch.body, headers) as response:
                return decoded(response.read())
        except CommandFailure as exc:
            if wait_s is None or not exc.is_busy:
                raise _placed(exc, batch) from exc
            output.say(f"{exc.message}; retrying in {wait_s} s")
            time.sleep(wait_s)
    raise AssertionError("the last attempt returned or raised")


def _placed(failure: CommandFailure, batch: Batch) -> CommandFailure:
    """The failure in the words of the input, instead of those of one batch."""
    if failure.faults:
        lines = [batch.located(*fault) for fault in failure.faults]
        if len(batch.places) > 1:
            lines.append(f"Nothing of {batch.name} was stored; correct it, and send all again.")
        return CommandFailure(invalid_input(lines), failure.exit_code)
    if failure.exit_code == FAILED:
        return CommandFailure(f"{batch.name}: {failure.message}", FAILED)
    return failure


def _columns() -> "tuple[ProgressColumn, ...]":
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

    return (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[messages]} messages"),
        TimeRemainingColumn(),
    )


def _size(file: BinaryIO) -> int | None:
    """Bytes left in the file; None for a pipe."""
    if not file.seekable():
        return None
    here = file.tell()
    end = file.seek(0, 2)
    file.seek(here)
    return end - here


def _count(total: dict[str, Any]) -> int:
    """Messages and changes that were taken; of closes the windows."""
    taken = sum(int(total.get(name, 0)) for name in ("accepted", "duplicate", *CHANGES))
    return taken + len(total["skipped"])


def _add(total: dict[str, Any], answer: dict[str, Any]) -> None:
    """The answer to a batch is added; what it leaves out is left out of the total."""
    for name in ("accepted", "duplicate", "skipped"):
        total[name] += answer[name]
    if "differs" in answer:
        total.setdefault("differs", []).extend(answer["differs"])
    for name in ("overflowed", "unrouted", *CHANGES):
        if name in answer:
            total[name] = total.get(name, 0) + answer[name]
    if "unknown" in answer:
        total["unknown"] = list(dict.fromkeys([*total.get("unknown", []), *answer["unknown"]]))
        total.setdefault("did_you_mean", {}).update(answer.get("did_you_mean", {}))


def _show_remarks(total: dict[str, Any]) -> None:
    """What the sender may not have meant, though it is no fault."""
    differs, near = total.get("differs", []), total.get("did_you_mean", {})
    for message_id in differs[:SHOWN_SKIPPED]:
        output.say(f"{message_id} is known with another text, which stays; the new one is dropped")
    if len(differs) > SHOWN_SKIPPED:
        output.say(f"... and {len(differs) - SHOWN_SKIPPED} more; --json lists all")
    if "unrouted" in total:
        output.say(f"{counted(total['unrouted'])} passed the filter of no webhook, and stay unsent")
    if "overflowed" in total:
        output.say(
            f"{counted(total['overflowed'])} did not get into a webhook that is full; "
            f"`hookbundle activity` says which"
        )
    for field in total.get("unknown", []):
        meant = f"; did you mean {near[field]}?" if field in near else ""
        output.say(f"{field} is no field that is known here, and was not kept{meant}")


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
            *((name, total[name]) for name in CHANGES if name in total),
        )
    )
    _show_remarks(total)
    for skip in skipped[:SHOWN_SKIPPED]:
        output.say(f"skipped {skip['message_id']}: {skip['reason']}")
    if len(skipped) > SHOWN_SKIPPED:
        output.say(f"... and {len(skipped) - SHOWN_SKIPPED} more; --json lists all")
