"""Which workspaces a reader of the feed may ask for: those that exist, and those it has events of.

Of a deleted workspace the feed keeps events until its retention, so its name is good as long. No
index says which names those are: the feed is looked through, a slice at a time, for the few readers
who ask for a workspace that does not exist.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.feed_rows import FeedRow

SLICE_BYTES = 256 * 1024  # of rows; a slice ends with the row that exceeds it
SLICE_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Look:
    """`found`: those of the names that a slice has events of. `after`: None at the feed's end."""

    found: frozenset[str]
    after: int | None


def without_workspace(env: Environment, names: Iterable[str]) -> frozenset[str]:
    """Those of the names that no workspace has now."""
    with env.read() as txn:
        return frozenset(
            name for name in names if rows.get_raw(txn, keyspace.workspace(name)) is None
        )


def look(env: Environment, names: frozenset[str], after: int) -> Look:
    """Which of the names the slice of the feed after number `after` has events of."""
    found: set[str] = set()
    wanted = {name: name.encode() for name in names}
    seen = size = 0
    with env.read() as txn:
        for key, value in rows.rows(txn, keyspace.FEED, keyspace.numbered(keyspace.FEED, after)):
            # Most rows hold none of the texts, so that they need not be decoded.
            if any(text in value for text in wanted.values()):
                found |= names & _workspaces_in(key, value)
            after, seen, size = key_fields.number(key), seen + 1, size + len(value)
            if seen == SLICE_ROWS or size >= SLICE_BYTES:
                return Look(frozenset(found), after)
    return Look(frozenset(found), None)


def _workspaces_in(key: bytes, value: bytes) -> set[str]:
    row = codec.readable(key, value, FeedRow)  # `check` names a damaged one
    if row is None:
        return set()
    return {fact.workspace for fact in codec.unpack_facts(row.events, 0, row.count)}
