"""A wall clock that was ahead for a while: what was stored then does not wait for its times."""

from pathlib import Path

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import Mail
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.housekeeping import Retimed, RetimeWindows
from hookbundle.tests.storage.populated import findings, full_house
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, START_MS, House, failed

ERASED = 2  # of the full house: its rows go with it
TRUE_MS = START_MS - 10 * 365 * 24 * HOUR_MS


def trust(house: House) -> None:
    house.now_ms = TRUE_MS
    house.done(TrustClock(TRUE_MS))
    while any(row.kind is DueKind.RETIME for row in house.dues()):
        house.do(RetimeWindows(1, 2, TRUE_MS, PRODUCT), Retimed)


def test_no_window_no_attempt_and_no_mail_waits_for_a_time_that_was_wrong(tmp_path: Path) -> None:
    house = full_house(tmp_path / "data")
    number = house.workspace("failing", aggregation_ms=0)
    house.accept("m", ws=number)
    house.attempt(failed(), ws=number)
    house.accept("m", chat="open")

    trust(house)

    rows = [row for row in house.dues() if row.number != ERASED]
    latest = {row.kind: row.at_ms for row in sorted(rows, key=lambda row: row.at_ms)}
    assert latest[DueKind.WINDOW] == TRUE_MS + HOUR_MS
    assert DueKind.RETRY not in latest
    assert latest[DueKind.MAIL] == TRUE_MS
    assert house.reads.meta().last_ms == TRUE_MS
    assert findings(house) == []
    house.close()


def test_what_is_damaged_does_not_keep_the_others_waiting(house: House) -> None:
    for number, ws in enumerate(("broken", "acme"), start=1):
        house.workspace(ws, aggregation_ms=0)
        house.accept("m", ws=number)
        house.attempt(failed(), ws=number)
    with house.env.write() as txn:
        txn.put(keyspace.workspace("broken"), b"no record")

    house.done(TrustClock(TRUE_MS))

    assert house.view("acme").state.next_attempt_ms == 0
    assert house.view("acme").state.ready


def test_a_mail_is_sent_at_once_and_keeps_what_it_says(tmp_path: Path) -> None:
    house = full_house(tmp_path / "data")
    (key,) = (key for key in house.dump() if key.startswith(keyspace.MAILS))
    before = codec.unpack(key, house.dump()[key], Mail)

    house.done(TrustClock(TRUE_MS))

    after = codec.unpack(key, house.dump()[key], Mail)
    assert (after.next_ms, after.to, after.tries) == (TRUE_MS, before.to, before.tries)
    house.close()
