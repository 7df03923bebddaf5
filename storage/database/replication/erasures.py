"""Whether the rows of a group show that something was deleted on request, and must leave the log.

A workspace or chat that was deleted has an erasure from then on. All else is seen by its fact, in
the latest row of the feed that the group has; those before it are older ones that are trimmed. A
text in which a fact's name stands makes a log go on in a new generation too soon, and no more.
"""

from collections.abc import Mapping

from hookbundle.storage.change_facts import MessageDeleted
from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.database import keyspace
from hookbundle.storage.source_facts import SourceDeleted
from hookbundle.storage.webhook_facts import WebhookDeleted

FACTS = tuple(type_of(fact).encode() for fact in (MessageDeleted, SourceDeleted, WebhookDeleted))


def erases(rows: Mapping[bytes, bytes | None]) -> bool:
    """True if what the rows deleted may still stand in what was written before."""
    feed = b""
    for key, value in rows.items():
        if key.startswith(keyspace.ERASURES) and value is not None:
            return True
        if key.startswith(keyspace.FEED) and key > feed:
            feed = key
    latest = rows.get(feed) or b""
    return any(fact in latest for fact in FACTS)
