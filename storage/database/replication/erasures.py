"""Whether the rows of a group show that something was deleted on request, and must leave the log.

It is seen by its fact, in the latest row of the feed that the group has: those before it are older
ones that are trimmed. A text in which a fact's name stands makes a log go on in a new generation
too soon, and no more.
"""

from bisect import bisect_left
from collections.abc import Sequence

from hookbundle.storage.change_facts import MessageDeleted
from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.replication.position import Row
from hookbundle.storage.facts import ChatDeleted, WorkspaceDeleted
from hookbundle.storage.source_facts import SourceDeleted
from hookbundle.storage.webhook_facts import WebhookDeleted

DELETIONS = (MessageDeleted, ChatDeleted, WebhookDeleted, SourceDeleted, WorkspaceDeleted)
FACTS = tuple(type_of(fact).encode() for fact in DELETIONS)
AFTER_FEED = bytes((keyspace.FEED[0] + 1,))


def erases(rows: Sequence[Row]) -> bool:
    """True if what the rows deleted may still stand in what was written before.

    `rows`: of a group, in the order of their keys.
    """
    after = bisect_left(rows, (AFTER_FEED,))
    key, latest = rows[after - 1] if after else (b"", None)
    if not latest or not key.startswith(keyspace.FEED):
        return False
    return any(latest.find(fact) >= 0 for fact in FACTS)
