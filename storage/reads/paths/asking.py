"""What is asked of a chat's past, and how far an answer may look for it."""

import struct
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from hookbundle.storage.database.records import Meta

END = 2**63
POSITION = struct.Struct(">QQQ")
STEP_ROWS = 256
STEP_BYTES = 256 * 1024  # of bodies: some milliseconds to read


class Moment(msgspec.Struct, frozen=True):
    """Now. `alive_since_ms`: attempts that began before it ended with the daemon that made them."""

    now_ms: int
    alive_since_ms: int = 0


class Span(msgspec.Struct, frozen=True):
    """Messages that arrived from `since_ms` on, and before `until_ms`."""

    since_ms: int = 0
    until_ms: int = END

    def has(self, at_ms: int) -> bool:
        """One of which nothing is known may be in it."""
        return not at_ms or self.since_ms <= at_ms < self.until_ms


class Position(NamedTuple):
    """Looked at were all deliveries from this number on, and all events of the feed from this.

    What is new since the first page has higher numbers, and belongs to none of its pages. `floor`:
    a message was found already, which came then; only other webhooks' deliveries of it, sealed no
    earlier, are still looked for; 0: it was not found.
    """

    delivery: int
    event: int
    floor: int = 0

    def packed(self) -> bytes:
        return POSITION.pack(*self)

    @classmethod
    def unpacked(cls, position: bytes, meta: Meta) -> "Position":
        """Where the first page begins, without a position. Raises: struct.error."""
        if position:
            return cls(*POSITION.unpack(position))
        return cls(meta.delivery_next, meta.feed_next)


@dataclass(slots=True)
class Work:
    """How many records, and bytes of bodies and ids, may still be looked at."""

    rows: int
    size: int
    whole: "Work | None" = None

    def step(self) -> "Work":
        """A part of it, for one transaction: a short one, whatever a chat has."""
        return Work(min(STEP_ROWS, self.rows), min(STEP_BYTES, self.size), self)

    def spend(self, size: int = 0) -> None:
        self.rows -= 1
        self.size -= size
        if self.whole is not None:
            self.whole.spend(size)

    def is_done(self) -> bool:
        """The record that passes a limit is the last one."""
        return self.rows <= 0 or self.size <= 0
