"""The detailed log as a list, for tests."""

from hookbundle.storage.database.delivery_records import Exchange
from hookbundle.storage.reads.lookup import Reads


def log_of(reads: Reads, workspace_id: str) -> list[Exchange]:
    """All entries, newest first. Raises: NotFound."""
    entries = reads.log_entries(workspace_id)
    found = (reads.log_entry(entries, number) for number in entries.numbers)
    return [entry for entry in found if entry is not None]
