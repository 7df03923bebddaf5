"""Where `tail` ends: at the newest event, at a cursor, or at a time.

The daemon knows no end. So `tail` asks for the newest event's number, reads all events up to it,
whatever their type, and chooses by itself: then it sees for certain that it has passed the end.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hookbundle.commands.feed.frames import cursor_at_the_end
from hookbundle.commands.terminal.failures import USAGE, CommandFailure
from hookbundle.engine import durations
from hookbundle.storage.reads.feed import parse_cursor

UNTIL = "`now`, an age like `-10m`, or a cursor"


@dataclass(frozen=True, slots=True)
class End:
    """The last event is number `last` of database `epoch`, or the last one up to `at_ms`.

    `newest`: the number of the newest event when the command began.
    """

    epoch: str
    newest: int
    last: int
    at_ms: int | None = None

    def is_before(self, event: dict[str, Any]) -> bool:
        """Whether the event is behind the end."""
        if event["seq"] > self.last:
            return True
        return self.at_ms is not None and _ms(event["time"]) > self.at_ms

    def is_reached(self, frame: dict[str, Any]) -> bool:
        """Whether nothing up to the end can follow this frame."""
        epoch, seq = parse_cursor(frame["cursor"])
        # A reader whose cursor is of another database gets all events of this one.
        return epoch == self.epoch and self.last <= seq <= self.newest


def end_of(until: str, path: Path, now_ms: int) -> End:
    """Raises: Failure if `until` has none of the forms in `UNTIL`, or no daemon answers."""
    age_ms, cursor = None, None
    if until.startswith("-"):
        try:
            age_ms = durations.parse_ms(until[1:])
        except ValueError as exc:
            raise CommandFailure(f"--until: {exc}; or give {UNTIL}", USAGE) from exc
    elif until != "now":
        try:
            cursor = parse_cursor(until)
        except ValueError as exc:
            raise CommandFailure(f"--until: '{until}' is not {UNTIL}", USAGE) from exc
    epoch, newest = parse_cursor(cursor_at_the_end(path))
    if cursor is not None and (cursor[0] != epoch or cursor[1] > newest):
        raise CommandFailure(f"--until: {until} is a cursor of another database", USAGE)
    last = newest if cursor is None else cursor[1]
    return End(epoch, newest, last, None if age_ms is None else now_ms - age_ms)


def _ms(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp() * 1_000
