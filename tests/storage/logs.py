"""The detailed log as a list, for tests."""

from hookbundle.storage.database.delivery_records import Exchange
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.log_walk import LogWalk
from hookbundle.storage.reads.lookup import Reads


def log_of(reads: Reads, workspace_id: str, *webhook_ids: str) -> list[Exchange]:
    """All entries of the webhooks, newest first; of `outbound` if none is named. Raises: NotFound.

    Without those that are damaged.
    """
    walk = LogWalk.begin(reads.env, workspace_id, webhook_ids or (OUTBOUND,))
    found = []
    while (line := walk.next()) is not None:
        found += [line.exchange] if line.exchange else []
    return found
