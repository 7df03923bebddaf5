"""Of the recorded life: sources that learn, are seen, change, get a new token, and are erased."""

from hookbundle.engine.sources.memory import ChatName, MessageChat
from hookbundle.storage.transitions.sources.lifetime import (
    ChangeSource,
    DeleteSource,
    RotateSourceToken,
    SourceKept,
)
from hookbundle.tests.storage.populated import named
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase
from hookbundle.tests.storage.transitions.sources import steps


def of_sources(db: ScratchDatabase) -> None:
    """One goes on with two tokens until the former ends; one is deleted and erased in steps."""
    for token in ("goes on", "is deleted"):
        steps.create(db, token=token)
    for source in (1, 2):
        steps.learn(db, ChatName("c", "Ahmad"), MessageChat("m", "c"), source=source)
        steps.note(db, steps.seen(db, "c"), steps.seen(db), source=source, refused=1)
    kept = {**named(db), "precondition": None}
    changed = ChangeSource(**kept, source_id="waha-1", name="Sales", settings=None)
    db.do(changed, SourceKept)
    rotated = RotateSourceToken(
        **kept, source_id="waha-1", digest=steps.digest("new"), keep_until_ms=db.now_ms + HOUR_MS
    )
    db.do(rotated, SourceKept)
    db.do(DeleteSource(**kept, source_id="waha-2"), SourceKept)
    while not steps.step(db, most=2):
        pass
    steps.step(db)
