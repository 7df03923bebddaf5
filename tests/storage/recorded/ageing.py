"""Of the recorded life: what is forgotten and trimmed by and by."""

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.timed.arrival_steps import ArrivalsTrimmed, TrimArrivals
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.tests.storage.scratch import ScratchDatabase


def forget(db: ScratchDatabase) -> None:
    """Days later: message ids and idempotency keys have expired, and then times of arrival."""
    kinds = (DueKind.FORGET, DueKind.REQUEST)
    rows = tuple(row for kind in kinds for row in db.dues(kind))
    db.now_ms = max(db.now_ms, *(row.at_ms for row in rows))
    db.group(Forget(rows, db.now_ms))
    row = db.dues(DueKind.ARRIVALS)[0]
    db.now_ms = row.at_ms
    trim = TrimArrivals(workspace_number=row.number, most=1, now_ms=db.now_ms)
    assert not db.do(trim, ArrivalsTrimmed).finished
