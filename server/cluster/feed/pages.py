"""Pages of a partition's feed, as one node asks them of the owner, and as it answers.

    GET /cluster/feed/look   where a reader begins, and which of its filters nothing will match
    GET /cluster/feed/page   what comes next; waits for it a while if there is nothing yet

Nothing of a reader stays at the owner: it says with each request where it stands.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.feed.filters import webhooks_without_events, without_events
from hookbundle.server.feed.frames import Frame, Gap
from hookbundle.server.http.bodies import body_bytes
from hookbundle.storage.reads.feed import FeedEvent, parse_cursor
from hookbundle.storage.reads.feed_selection import Selection

LOOK = "/cluster/feed/look"
PAGE = "/cluster/feed/page"
ASKED_BYTES_MAX = 1 << 20
AHEAD_S = 2.0  # for which a reader that is ahead of the owner is waited for
LOOK_S = 0.01


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """A reader's place in the feed of a partition, and its filters."""

    since: str
    workspaces: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    webhooks: tuple[str, ...] = ()
    chats: tuple[str, ...] = ()
    most: int = 0
    wait_s: float = 0.0
    back_most: int | None = None

    def selection(self) -> Selection:
        return Selection(self.workspaces, self.types, self.webhooks, self.chats)


class Looked(msgspec.Struct, frozen=True, array_like=True):
    """`cursor`: the place that `since` names. The rest: names of which there will be no event."""

    cursor: str
    workspaces: tuple[str, ...]
    webhooks: tuple[str, ...]


class Page(msgspec.Struct, frozen=True, array_like=True):
    """`gaps`: each with how many of the events stand before it. `cursor`: behind all of it.

    `behind`: how many events were to be read when it was made, selected or not.
    """

    events: tuple[FeedEvent, ...]
    gaps: tuple[tuple[int, Gap], ...]
    cursor: str
    behind: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.events or self.gaps)

    def frames(self) -> list[FeedEvent | Gap]:
        found: list[FeedEvent | Gap] = list(self.events)
        for place, gap in reversed(self.gaps):
            found.insert(place, gap)
        return found


def page_of(frames: Sequence[Frame], cursor: str, behind: int) -> Page:
    events: list[FeedEvent] = []
    gaps: list[tuple[int, Gap]] = []
    for frame in frames:
        if isinstance(frame, FeedEvent):
            events.append(frame)
        elif isinstance(frame, Gap):
            gaps.append((len(events), frame))
    return Page(tuple(events), tuple(gaps), cursor, behind)


async def look(owned: Owned, request: web.Request) -> web.Response:
    """Of the owner. Raises: InvalidInput if `since` names no position."""
    wanted = await _wanted(request)
    feed, none = owned.partition.feed, Selection()
    async with feed.subscribed(wanted.since, none, None) as subscription:
        cursor = subscription.cursor
    workspaces = await without_events(feed, wanted.workspaces)
    webhooks = await webhooks_without_events(feed, wanted.workspaces, wanted.webhooks)
    return _packed(Looked(cursor, tuple(sorted(workspaces)), tuple(sorted(webhooks))))


async def page(owned: Owned, request: web.Request) -> web.Response:
    """Of the owner. Raises: Overloaded if the partition is being given away."""
    wanted = await _wanted(request)
    feed = owned.partition.feed
    await _caught_up(owned, wanted.since)
    async with feed.subscribed(
        wanted.since, wanted.selection(), None, back_most=wanted.back_most
    ) as subscription:
        frames = await subscription.page(wanted.most, wanted.wait_s)
        if not frames:
            raise Overloaded.of(Code.STOPPING)
        behind = feed.next - 1 - subscription.after
        return _packed(page_of(frames, subscription.cursor, behind))


async def _caught_up(owned: Owned, since: str) -> None:
    """A copy may be ahead of the owner, which puts a group into its database only once the log has
    said that it has it. Who read it there is waited for, and not taken for a reader of another
    database. Raises: Overloaded if the log says nothing for so long."""
    feed = owned.partition.feed
    try:
        epoch, seq = parse_cursor(since)
    except ValueError:
        return
    if epoch != owned.partition.env.identity.epoch:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(AHEAD_S):
            while seq >= feed.next and not feed.ended:
                await asyncio.sleep(LOOK_S)
    if seq >= feed.next and owned.stalled_s() > 0:
        raise Overloaded.of(Code.LOG_WAITS)


async def _wanted(request: web.Request) -> Wanted:
    return msgspec.msgpack.decode(await body_bytes(request, ASKED_BYTES_MAX), type=Wanted)


def _packed(answer: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.msgpack.encode(answer))
