"""A wall clock that was ahead for a while: what was stored then does not wait for its times."""

from pathlib import Path

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.tests.storage.populated import findings, populated
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, START_MS, ScratchDatabase, failed

ERASED = 2  # of the populated database: its rows go with it
TRUE_MS = START_MS - 10 * 365 * 24 * HOUR_MS


def trust(db: ScratchDatabase) -> None:
    db.now_ms = TRUE_MS
    db.done(TrustClock(TRUE_MS))
    while any(row.kind is DueKind.RETIME for row in db.dues()):
        db.do(RetimeWindows(1, 2, TRUE_MS, PRODUCT), Retimed)


def test_no_window_no_attempt_and_no_mail_waits_for_a_time_that_was_wrong(tmp_path: Path) -> None:
    db = populated(tmp_path / "data")
    number = db.workspace("failing", aggregation_ms=0)
    db.accept("m", ws=number)
    db.attempt(failed(), ws=number)
    db.accept("m", chat="open")

    trust(db)

    rows = [row for row in db.dues() if row.number != ERASED]
    latest = {row.kind: row.at_ms for row in sorted(rows, key=lambda row: row.at_ms)}
    assert latest[DueKind.WINDOW] == TRUE_MS + HOUR_MS
    assert DueKind.RETRY not in latest
    assert latest[DueKind.MAIL] == TRUE_MS
    assert db.reads.meta().last_ms == TRUE_MS
    assert findings(db) == []
    db.close()


def test_what_is_damaged_does_not_keep_the_others_waiting(db: ScratchDatabase) -> None:
    for number, ws in enumerate(("broken", "acme"), start=1):
        db.workspace(ws, aggregation_ms=0)
        db.accept("m", ws=number)
        db.attempt(failed(), ws=number)
    with db.env.write() as txn:
        txn.put(keyspace.workspace("broken"), b"no record")

    db.done(TrustClock(TRUE_MS))

    assert db.view("acme").state.next_attempt_ms == 0
    assert db.view("acme").state.ready


def test_a_mail_is_sent_at_once_and_keeps_what_it_says(tmp_path: Path) -> None:
    db = populated(tmp_path / "data")
    key = next(key for key in db.dump() if key.startswith(keyspace.MAILS))
    before = codec.unpack(key, db.dump()[key], Mail)

    db.done(TrustClock(TRUE_MS))

    after = codec.unpack(key, db.dump()[key], Mail)
    assert (after.next_ms, after.to, after.tries) == (TRUE_MS, before.to, before.tries)
    db.close()
