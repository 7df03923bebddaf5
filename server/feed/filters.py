"""What readers of the feed ask for: filters that can match something, or a fault for each.

A filter that nothing will ever match is a mistake, and its reader would wait for ever.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.fact_types import no_type, unknown_types
from hookbundle.storage.reads import feed_names
from hookbundle.storage.reads.feed_selection import Selection

if TYPE_CHECKING:
    from hookbundle.server.feed.subscription import Feed

# Where the filter of this kind with this index stands in what the reader sent.
Place = Callable[[str, int], str]


async def selection_of(
    feed: "Feed",
    workspaces: Sequence[str],
    types: Sequence[str],
    webhooks: Sequence[str] = (),
    chats: Sequence[str] = (),
    *,
    place: Place,
) -> Selection:
    """The reader's filters. Any chat may be asked for: it may be one of tomorrow.

    Raises: InvalidInput with each type that no event has, and each workspace or webhook that does
        not exist and of which the feed has no event.
    """
    missing = await without_events(feed, workspaces)
    unknown = await webhooks_without_events(feed, workspaces, webhooks)
    faults = unknown_filters(workspaces, types, webhooks, missing, unknown, place)
    refusal = InvalidInput.with_faults(faults)
    if refusal.faults:
        raise refusal
    return Selection(workspaces, types, webhooks, chats)


def unknown_filters(
    workspaces: Sequence[str],
    types: Sequence[str],
    webhooks: Sequence[str],
    missing: Collection[str],
    unknown: Collection[str],
    place: Place,
) -> list[Fault]:
    """A fault of each type that no event has, of workspaces that are `missing`, and of `unknown`
    webhooks."""
    no_types = set(unknown_types(types))
    faults = [
        no_type(place("type", index), glob) for index, glob in enumerate(types) if glob in no_types
    ]
    faults += [
        fault(place("workspace", index), FaultCode.NO_EVENTS_OF, got=quoted(name))
        for index, name in enumerate(workspaces)
        if name in missing
    ]
    faults += [
        fault(place("webhook", index), FaultCode.NO_EVENTS_OF_WEBHOOK, got=quoted(name))
        for index, name in enumerate(webhooks)
        if name in unknown
    ]
    return faults


async def without_events(feed: "Feed", workspaces: Sequence[str]) -> frozenset[str]:
    """Those that don't exist, and of which no event is kept; the feed is read in slices."""
    missing = feed_names.without_workspace(feed.reader.env, workspaces)
    return await _looked_for(feed, missing, feed_names.workspaces_in)


async def webhooks_without_events(
    feed: "Feed", workspaces: Sequence[str], webhooks: Sequence[str]
) -> frozenset[str]:
    """Those that none of the workspaces has, or no workspace at all where none is named, and of
    which no event is kept; settings and feed are read in slices."""
    env, missing = feed.reader.env, frozenset(webhooks) - {OUTBOUND}
    names: Sequence[str] | None = workspaces or None
    after: bytes | None = b""
    while missing and after is not None:
        read = partial(feed_names.webhooks_after, env, missing, names, after)
        found, after = await feed.in_turn(read)
        missing -= found
    return await _looked_for(feed, missing, feed_names.webhooks_in)


async def _looked_for(
    feed: "Feed", missing: frozenset[str], names_in: Callable[[bytes, bytes], set[str]]
) -> frozenset[str]:
    """Those of the names that no event of the feed has."""
    env, after = feed.reader.env, feed.reader.ends().oldest - 1
    place: int | None = after
    while missing and place is not None:
        look = await feed.in_turn(partial(feed_names.look, env, missing, place, names_in))
        missing, place = missing - look.found, look.after
    return missing
