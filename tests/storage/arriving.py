"""What a database knows of when messages arrived, for tests."""

from collections.abc import Sequence

from hookbundle.engine.windows.arrivals import Arrival, unpacked
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.chat_records import Arrivals
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.timed.arrival_steps import ArrivalsTrimmed, TrimArrivals
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase

DAY_MS = 86_400_000
MIDNIGHT_MS = START_MS // DAY_MS * DAY_MS + DAY_MS  # the one after the start

Row = tuple[int, str, int, int]  # the webhook, the chat, the day and how many


def rows_of(db: ScratchDatabase) -> list[Row]:
    """The rows, in the order of their keys."""
    found = []
    for key, value in sorted(db.dump().items()):
        if key.startswith(keyspace.ARRIVALS):
            webhook, day, chat, _ = key_fields.arrivals(key)
            arrivals = unpacked(day, codec.unpack(key, value, Arrivals).packed)
            found.append((webhook, chat.decode(), day, len(arrivals)))
    return found


def counts(db: ScratchDatabase) -> list[int]:
    return [count for *_, count in rows_of(db)]


def days(db: ScratchDatabase) -> list[int]:
    """Those of the rows, counted from that of the start."""
    return sorted({day - START_MS // DAY_MS for _, _, day, _ in rows_of(db)})


def in_record(db: ScratchDatabase, chat: str = "c", webhook: int = 1) -> Sequence[Arrival]:
    """What the chat's own record has of the webhook."""
    record = db.chat(chat)
    kept = record.of(webhook) if record else None
    return unpacked(kept.day, kept.arrivals) if kept else []


def trim(db: ScratchDatabase, most: int = 1_000) -> ArrivalsTrimmed:
    """A step of what the timer does with the workspace's row."""
    (row,) = db.dues(DueKind.ARRIVALS)
    step = TrimArrivals(workspace_number=row.number, most=most, now_ms=db.now_ms)
    return db.do(step, ArrivalsTrimmed)


def trim_if_due(db: ScratchDatabase) -> None:
    """As the timer does: all that is due, to the end."""
    while any(row.at_ms <= db.now_ms for row in db.dues(DueKind.ARRIVALS)):
        trim(db)
