"""Each kind of the due index has a head of its own."""

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Usage
from hookbundle.storage.reads import histories
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.reads.histories import HistorySize
from hookbundle.storage.transitions.timed.postponing import Postpone
from hookbundle.tests.storage.postponed import tries
from hookbundle.tests.storage.scratch import ScratchDatabase

ROWS = (
    Due(30, DueKind.WINDOW, 1, b"late"),
    Due(10, DueKind.WINDOW, 2, b"early"),
    Due(20, DueKind.WINDOW, 1, b"middle"),
    Due(5, DueKind.MAIL, 7),
    Due(0, DueKind.TRIM, 1),
)


@pytest.fixture
def dues(db: ScratchDatabase) -> DueReads:
    with db.unit() as unit:
        for row in ROWS:
            unit.put_due(row)
    return DueReads(db.env)


def test_rows_of_a_kind_come_in_the_order_of_their_times(dues: DueReads) -> None:
    found = dues.due(DueKind.WINDOW, 20, limit=10)

    assert [row.subject for row in found] == [b"early", b"middle"]
    assert dues.due(DueKind.WINDOW, 9, limit=10) == []
    assert [row.subject for row in dues.due(DueKind.WINDOW, 99, limit=1)] == [b"early"]


def test_rows_that_are_left_out_do_not_count(dues: DueReads) -> None:
    but = {keyspace.due(ROWS[1])}

    assert [row.subject for row in dues.due(DueKind.WINDOW, 99, 1, but=but)] == [b"middle"]
    assert dues.next_ms(DueKind.WINDOW, but=but) == 20
    assert dues.heads(but={DueKind.WINDOW: but}) == {
        DueKind.WINDOW: 20,
        DueKind.MAIL: 5,
        DueKind.TRIM: 0,
    }


def test_a_kind_without_rows_has_no_head(dues: DueReads) -> None:
    assert dues.next_ms(DueKind.ERASE) is None
    assert dues.heads([DueKind.ERASE, DueKind.TRIM]) == {DueKind.TRIM: 0}


def test_a_row_that_is_gone_is_named(db: ScratchDatabase, dues: DueReads) -> None:
    keys = [keyspace.due(row) for row in ROWS]
    with db.unit() as unit:
        unit.delete_due(ROWS[3])

    assert dues.gone(keys) == [keys[3]]


def test_the_tries_of_a_postponed_row_are_read(db: ScratchDatabase, dues: DueReads) -> None:
    db.done(Postpone((ROWS[0],), 1_000))
    (row,) = dues.due(DueKind.POSTPONED, 2_000, limit=10)

    assert tries(db.env, row) == 1
    assert tries(db.env, Due(1, DueKind.POSTPONED, 9)) == 0


def test_the_history_of_all_workspaces_is_read_page_by_page_without_damaged_ones(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookbundle.storage.reads.histories.READ_AT_ONCE", 2)
    with db.unit() as unit:
        for number, size in enumerate((5, 0, 30, 20, 7), 1):
            unit.keep_usage(number, Usage(history_bytes=size))
    with db.env.write() as txn:
        txn.put(keyspace.owned(keyspace.USAGES, 5), b"damaged")

    sizes: list[HistorySize] = []
    after: bytes | None = b""
    while after is not None:
        page = histories.page(db.env, after)
        assert len(page.sizes) <= 2
        sizes, after = sizes + page.sizes, page.after

    assert sizes == [HistorySize(*pair) for pair in ((5, 1), (0, 2), (30, 3), (20, 4))]
