"""Which workspaces and webhooks readers of the feed may ask for: those that it has events of, too.

Of a deleted one the feed keeps events until its retention, so its name is good as long. No
index says which names those are: the feed is looked through, a slice at a time, for the few readers
who ask for a workspace that does not exist.
"""

from collections.abc import Callable, Iterable
from itertools import islice

import msgspec

from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.codec import StoredFact
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.settings import Webhook, Workspace

SLICE_BYTES = 256 * 1024  # of rows; a slice ends with the row that exceeds it
SLICE_ROWS = 2_000


class Look(msgspec.Struct, frozen=True):
    """`found`: those of the names that a slice has events of. `after`: None at the feed's end."""

    found: frozenset[str]
    after: int | None


def without_workspace(env: Environment, names: Iterable[str]) -> frozenset[str]:
    """Those of the names that no workspace has now."""
    with env.read() as txn:
        return frozenset(
            name for name in names if rows.get_raw(txn, keyspace.workspace(name)) is None
        )


def webhooks_after(
    env: Environment, names: frozenset[str], workspaces: Iterable[str] | None, after: bytes
) -> tuple[frozenset[str], bytes | None]:
    """Which of the names are webhooks, and where to go on; None when all were looked at.

    Of these workspaces, all at once; without any, a slice of those of all workspaces.
    """
    with env.read() as txn:
        if workspaces is not None:
            settings = (rows.get(txn, keyspace.workspace(ws), Workspace) for ws in workspaces)
            found = [rows.all_webhooks(txn, each.number) for each in settings if each]
            return names & {each.id for some in found for each in some if not each.deleted_ms}, None
        slice_ = list(islice(rows.rows(txn, keyspace.WEBHOOKS, after), SLICE_ROWS))
    webhooks = (codec.readable(key, value, Webhook) for key, value in slice_)
    there = names & {each.id for each in webhooks if each and not each.deleted_ms}
    return there, slice_[-1][0] if len(slice_) == SLICE_ROWS else None


def look(
    env: Environment,
    names: frozenset[str],
    after: int,
    names_in: Callable[[bytes, bytes], set[str]],
) -> Look:
    """Which of the names the slice of the feed after number `after` has events of.

    `names_in`: `workspaces_in` or `webhooks_in`.
    """
    found: set[str] = set()
    wanted = {name: name.encode() for name in names}
    seen = size = 0
    with env.read() as txn:
        for key, value in rows.rows(txn, keyspace.FEED, keyspace.numbered(keyspace.FEED, after)):
            # Most rows hold none of the texts, so that they need not be decoded.
            if any(text in value for text in wanted.values()):
                found |= names & names_in(key, value)
            after, seen, size = key_fields.number(key), seen + 1, size + len(value)
            if seen == SLICE_ROWS or size >= SLICE_BYTES:
                return Look(frozenset(found), after)
    return Look(frozenset(found), None)


def workspaces_in(key: bytes, value: bytes) -> set[str]:
    """The workspaces that the events of a row are of."""
    return {fact.workspace for fact in _facts_in(key, value)}


def webhooks_in(key: bytes, value: bytes) -> set[str]:
    """The webhooks that the events of a row are of."""
    return {fact.webhook for fact in _facts_in(key, value)}


def _facts_in(key: bytes, value: bytes) -> list[StoredFact]:
    row = codec.readable(key, value, FeedRow)  # `check` names a damaged one
    return [] if row is None else codec.unpack_facts(row.events, 0, row.count)
