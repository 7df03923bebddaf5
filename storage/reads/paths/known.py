"""Since when a workspace's past is known: what an answer "it never came" is worth."""

import lmdb
import msgspec

from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.records import Meta
from hookbundle.storage.reads.workspace_view import WorkspaceView


class Known(msgspec.Struct, frozen=True):
    """`history_ms`: every delivery that ended since then is there, and all that wait.

    `feed_ms`: everything since then that was skipped, came again, or was deleted, is told. None: an
    earlier version wrote the database, and nobody knows.
    """

    history_ms: int | None
    feed_ms: int | None


def known(txn: lmdb.Transaction, view: WorkspaceView) -> Known:
    created_ms, trimmed_ms = view.settings.created_ms, view.usage.trimmed_ms
    history_ms = None if trimmed_ms < 0 else max(created_ms, trimmed_ms + bool(trimmed_ms))
    return Known(history_ms, _feed_ms(txn, view))


def _feed_ms(txn: lmdb.Transaction, view: WorkspaceView) -> int | None:
    meta = rows.get(txn, keyspace.META, Meta) or Meta()
    if not meta.feed_found_from:
        return None
    whole_after = max(meta.feed_oldest, meta.feed_found_from, view.usage.thinned_to + 1) - 1
    after = keyspace.numbered(keyspace.FEED, whole_after)
    key, value = next(rows.rows(txn, keyspace.FEED, after), (b"", b""))
    row = codec.readable(key, value, FeedRow) if key else None
    return max(view.settings.created_ms, row.at_ms if row else meta.last_ms)
