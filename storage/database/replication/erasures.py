"""Whether the rows of a group show that something was deleted on request, and must leave the log.

It is seen by its fact, in the latest row of the feed that the group has: those before it are older
ones that are trimmed. A text in which a fact's name stands makes a log go on in a new generation
too soon, and no more.
"""

from collections.abc import Mapping

from hookbundle.storage.change_facts import MessageDeleted
from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.database import keyspace
from hookbundle.storage.facts import ChatDeleted, WorkspaceDeleted
from hookbundle.storage.source_facts import SourceDeleted
from hookbundle.storage.webhook_facts import WebhookDeleted

DELETIONS = (MessageDeleted, ChatDeleted, WebhookDeleted, SourceDeleted, WorkspaceDeleted)
FACTS = tuple(type_of(fact).encode() for fact in DELETIONS)


def erases(rows: Mapping[bytes, bytes | None]) -> bool:
    """True if what the rows deleted may still stand in what was written before."""
    feed = max((key for key in rows if key.startswith(keyspace.FEED)), default=b"")
    latest = rows.get(feed) or b""
    return any(fact in latest for fact in FACTS)
