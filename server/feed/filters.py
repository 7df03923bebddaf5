"""What readers of the feed ask for: filters that can match something, or a fault for each.

A filter that nothing will ever match is a mistake, and its reader would wait for ever.
"""

from collections.abc import Callable, Sequence
from functools import partial

from hookbundle.engine.errors import InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.feed.subscription import Feed
from hookbundle.storage.fact_types import no_type, unknown_types
from hookbundle.storage.reads import feed_names
from hookbundle.storage.reads.feed import Selection

# Where the filter with this index stands in what the reader sent.
Place = Callable[[int], str]


async def selection_of(
    feed: Feed,
    workspaces: Sequence[str],
    types: Sequence[str],
    *,
    workspace_at: Place,
    type_at: Place,
) -> Selection:
    """The reader's filters.

    Raises: InvalidInput with each type that no event has, and each workspace that does not exist
        and of which the feed has no event.
    """
    unknown = set(unknown_types(types))
    faults = [no_type(type_at(index), glob) for index, glob in enumerate(types) if glob in unknown]
    missing = await without_events(feed, workspaces)
    faults += [
        fault(workspace_at(index), FaultCode.NO_EVENTS_OF, got=quoted(name))
        for index, name in enumerate(workspaces)
        if name in missing
    ]
    refusal = InvalidInput.with_faults(faults)
    if refusal.faults:
        raise refusal
    return Selection(workspaces, types)


async def without_events(feed: Feed, workspaces: Sequence[str]) -> frozenset[str]:
    """Those that don't exist, and of which no event is kept; the feed is read in slices."""
    env = feed.reader.env
    missing = feed_names.without_workspace(env, workspaces)
    after: int | None = feed.reader.ends().oldest - 1
    while missing and after is not None:
        look = await feed.in_turn(partial(feed_names.look, env, missing, after))
        missing, after = missing - look.found, look.after
    return missing
