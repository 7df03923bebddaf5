"""Of the recorded life: edits and deletions, early, in time and late."""

from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.changing.changes import change, delete, drop_due, edit

MINUTE_MS = 60_000


def change_all(db: ScratchDatabase) -> None:
    """A message is edited in its window, another deleted; an edit waits in vain for its message."""
    db.accept("e1", "e2", chat="e")
    change(db, edit("e1"), delete("e2"), edit("e3"), chat="e")
    db.seal("e")
    change(db, edit("e1", "late"), chat="e")
    db.now_ms += MINUTE_MS
    drop_due(db)
