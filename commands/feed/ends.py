"""Where `tail` ends: at the newest event, at a cursor, or at a time.

The daemon knows no end. So `tail` asks for the newest event's number, reads all events up to it,
whatever their type, and chooses by itself: then it sees for certain that it has passed the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hookbundle.commands.feed.frames import cursor_at_the_end
from hookbundle.commands.terminal.failures import USAGE, CommandFailure
from hookbundle.engine import durations
from hookbundle.storage.reads.feed import parse_cursor
from hookbundle.storage.reads.several.cursors import PREFIX, parted

PARTITIONS_MAX = 256

UNTIL = "`now`, an age like `-10m`, or a cursor"


@dataclass(frozen=True, slots=True)
class End:
    """The last event of each database, by its epoch, or the last one up to `at_ms`.

    A daemon alone has one database, a cluster one for each partition. `newest`: the numbers of the
    newest events when the command began.
    """

    newest: Mapping[str, int]
    last: Mapping[str, int]
    at_ms: int | None = None

    @property
    def is_of_one(self) -> bool:
        """Whether nothing before the end can follow an event behind it."""
        return len(self.last) == 1

    def is_before(self, event: dict[str, Any]) -> bool:
        """Whether the event is behind the end."""
        epoch, seq = parse_cursor(f"cur_{event['id'].removeprefix('evt_')}")
        if seq > self.last.get(epoch, seq):
            return True
        return self.at_ms is not None and _ms(event["time"]) > self.at_ms

    def is_reached(self, frame: dict[str, Any]) -> bool:
        """Whether nothing up to the end can follow this frame."""
        if not frame["cursor"]:
            return False
        reached = places_of(frame["cursor"])
        is_ahead = any(reached.get(epoch, 0) > newest for epoch, newest in self.newest.items())
        if is_ahead and (self.is_of_one or frame["type"] == "hello"):
            return False  # a cursor of another state: all events of this one will come
        return all(reached.get(epoch, -1) >= last for epoch, last in self.last.items())


def end_of(until: str, path: Path, now_ms: int) -> End:
    """Raises: Failure if `until` has none of the forms in `UNTIL`, or no daemon answers."""
    age_ms, last = None, None
    if until.startswith("-"):
        try:
            age_ms = durations.parse_ms(until[1:])
        except ValueError as exc:
            raise CommandFailure(f"--until: {exc}; or give {UNTIL}", USAGE) from exc
    elif until != "now":
        try:
            last = places_of(until)
        except ValueError as exc:
            raise CommandFailure(f"--until: '{until}' is not {UNTIL}", USAGE) from exc
    newest = places_of(cursor_at_the_end(path))
    if last is not None and (
        last.keys() != newest.keys() or any(last[epoch] > newest[epoch] for epoch in last)
    ):
        raise CommandFailure(f"--until: {until} is a cursor of another database", USAGE)
    return End(newest, last or newest, None if age_ms is None else now_ms - age_ms)


def places_of(cursor: str) -> dict[str, int]:
    """The number that it names in each database, by epochs. Raises: ValueError."""
    if not cursor.startswith(PREFIX):
        return dict([parse_cursor(cursor)])
    return dict(map(parse_cursor, parted(cursor, PARTITIONS_MAX).values()))


def _ms(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp() * 1_000
