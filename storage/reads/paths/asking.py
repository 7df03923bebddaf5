"""What is asked of a chat's past, and how far an answer may look for it."""

import struct
from dataclasses import dataclass
from typing import NamedTuple

END = 2**63
POSITION = struct.Struct(">QQ")


@dataclass(frozen=True, slots=True)
class Moment:
    """Now. `alive_since_ms`: attempts that began before it ended with the daemon that made them."""

    now_ms: int
    alive_since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """Messages that arrived from `since_ms` to `until_ms`, both included."""

    since_ms: int = 0
    until_ms: int = END

    def has(self, at_ms: int) -> bool:
        """One of which nothing is known may be in it."""
        return not at_ms or self.since_ms <= at_ms <= self.until_ms


class Position(NamedTuple):
    """Looked at were all deliveries from this number on, and all events of the feed from this."""

    delivery: int = END
    event: int = END

    def packed(self) -> bytes:
        return POSITION.pack(*self)

    @classmethod
    def unpacked(cls, position: bytes) -> "Position":
        """Raises: struct.error."""
        return cls(*POSITION.unpack(position)) if position else cls()


@dataclass(slots=True)
class Work:
    """What a slice may still look at: a short transaction, whatever a chat has."""

    rows: int
    size: int

    def spend(self, size: int = 0) -> None:
        self.rows -= 1
        self.size -= size

    def is_done(self) -> bool:
        """The record that passes a limit is the last one."""
        return self.rows <= 0 or self.size <= 0
