"""What a reader of the event feed is sent, beside events."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.storage.reads.feed import FeedEvent, FeedPage, Missed

PIECE_BYTES = 16 * 1024  # of a write, that has to get through in time by itself

Reason = Literal["retention", "other_database"]


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame. `cursor` is the subscriber's position."""

    hello: int
    version: str
    cursor: str


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """The connection is alive, and everything up to the cursor was examined."""

    cursor: str


class Gap(msgspec.Struct, frozen=True, tag_field="type", tag="gap"):
    """Events `first` to `last` are no longer kept; reading continues after the cursor.

    `other_database`: the subscriber's cursor says nothing about this database (it is another one,
    or an earlier state of it was restored); what follows begins at the oldest event there is.
    `partition`: whose events, for a reader of several partitions of a cluster.
    """

    cursor: str
    reason: Reason
    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    partition: int | UnsetType = UNSET


class Unanswered(msgspec.Struct, frozen=True, tag_field="type", tag="unanswered"):
    """Partitions of a cluster that do not answer now: their events come later. None: all do."""

    cursor: str
    partitions: tuple[int, ...]


class Refusal(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """The last frame of a subscription that is refused or ended."""

    detail: str
    errors: list[dict[str, str]] = []
    code: str = ""


Frame = FeedEvent | Hello | Ping | Gap | Unanswered | Refusal
Encode = Callable[[Frame], bytes]
Write = Callable[[bytes], Awaitable[None]]


def frames_of(page: FeedPage, gap: Callable[[Reason, Missed], Gap]) -> list[Frame]:
    """The page's events, and each gap before the event that follows it."""
    frames: list[Frame] = []
    events = iter(page.events)
    event = next(events, None)
    for missed in page.missed:
        while event is not None and event.seq < missed.first:
            frames.append(event)
            event = next(events, None)
        frames.append(gap("retention", missed))
    if event is not None:
        frames += [event, *events]
    return frames


async def send(data: bytes, write: Write, blocked_s: float) -> None:
    """Raises: TimeoutError if a piece takes longer than `blocked_s`; ConnectionError."""
    for at in range(0, len(data), PIECE_BYTES):
        async with asyncio.timeout(blocked_s):
            await write(data[at : at + PIECE_BYTES])
