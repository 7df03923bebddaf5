"""What a source taught with one of its requests is remembered.

It is submitted beside the messages of the request, and the request is answered when both are on
disk. They may be in two commits: a request whose answer does not come is sent again, and teaches
the same once more.
"""

import msgspec

from hookbundle.engine.sources.memory import Learned
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.sources import lookup, memory

LEARNED_AT_ONCE = 200  # a step's worth


class LearnFromSource(msgspec.Struct, frozen=True, kw_only=True):
    """At most LEARNED_AT_ONCE, in this order."""

    workspace_number: int
    source: int
    learned: tuple[Learned, ...]
    now_ms: int


def learn(unit: Unit, transition: LearnFromSource) -> None:
    """Nothing happens if the source was deleted. Raises: NotFound if the workspace is gone."""
    workspace, source = transition.workspace_number, transition.source
    unit.workspace_numbered(workspace)
    unit.usage(workspace)
    state = lookup.memory_of(unit, workspace, source)
    if state is None or state.deleted:
        return
    unit.advance_time(transition.now_ms)
    for each in transition.learned:
        memory.learn(unit, workspace, source, state, each, transition.now_ms)
    lookup.keep_memory(unit, workspace, source, state)
