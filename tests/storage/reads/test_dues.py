"""Each kind of the due index has a head of its own, and what is due is shared among owners."""

import pytest

from hookbundle.engine.fairness.webhook_owners import WebhookOwners
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Usage
from hookbundle.storage.reads import dues as dues_module
from hookbundle.storage.reads import histories
from hookbundle.storage.reads.dues import DueReads, Lap
from hookbundle.storage.reads.histories import HistorySize
from hookbundle.storage.transitions.timed.postponing import Postpone
from hookbundle.tests.storage.postponed import tries
from hookbundle.tests.storage.scratch import ScratchDatabase

GREEDY, QUIET = 1, 2
LIMIT, PART = 512, 64
FAR_MS = 10**12

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


# ---- shared


def put(db: ScratchDatabase, *rows: Due) -> None:
    with db.env.write() as txn:
        for row in rows:
            txn.put(keyspace.due(row), b"")


def window(at_ms: int, webhook: int, chat: int = 0) -> Due:
    return Due(at_ms, DueKind.WINDOW, webhook, b"c%06d" % chat)


def looks_until(db: ScratchDatabase, wanted: Due, most: int) -> int:
    """After how many looks the row is found, if what is found stays claimed for two looks."""
    reads, lap = DueReads(db.env), Lap()
    claimed: list[list[Due]] = []
    for look in range(1, most + 1):
        but = {keyspace.due(row) for rows in claimed[-2:] for row in rows}
        claimed.append(reads.take(DueKind.WINDOW, FAR_MS, LIMIT, PART, but, lap))
        assert len(claimed[-1]) == LIMIT, "a look that is not filled wastes time"
        if wanted in claimed[-1]:
            return look
    raise AssertionError(f"not found in {most} looks")


def test_a_window_behind_a_flood_of_the_same_moment_is_found_at_the_first_look(
    db: ScratchDatabase,
) -> None:
    put(db, *(window(10, GREEDY, chat) for chat in range(20_000)), window(11, QUIET))

    assert looks_until(db, window(11, QUIET), most=1) == 1


def test_a_window_behind_a_flood_of_many_moments_is_found_in_a_few_looks(
    db: ScratchDatabase,
) -> None:
    put(db, *(window(ms, GREEDY) for ms in range(30_000)), window(30_000, QUIET))

    assert looks_until(db, window(30_000, QUIET), most=4) <= 4


def test_and_behind_those_of_ten_webhooks_together(db: ScratchDatabase) -> None:
    flood = [window(ms, 10 + ms % 10, chat) for ms in range(200) for chat in range(100)]
    put(db, *flood, window(200, QUIET))

    assert looks_until(db, window(200, QUIET), most=4) <= 4


def test_one_lap_gives_each_webhook_its_part_and_the_rest_goes_by_time(
    db: ScratchDatabase,
) -> None:
    flood = [window(ms, GREEDY, chat) for ms in (10, 20) for chat in range(500)]
    others = [window(15, 10 + number) for number in range(50)]
    put(db, *flood, *others)

    found = DueReads(db.env).take(DueKind.WINDOW, FAR_MS, LIMIT, PART, (), Lap())

    assert found == [*flood[:PART], *others, *flood[PART : LIMIT - 50]]


def test_twenty_webhooks_of_one_workspace_have_one_part(db: ScratchDatabase) -> None:
    owners = WebhookOwners()
    for webhook in range(10, 30):
        owners.learn(webhook, workspace=GREEDY)
    flood = [window(10, 10 + chat % 20, chat) for chat in range(2_000)]
    put(db, *flood, *(window(11, QUIET, chat) for chat in range(PART)))

    reads = DueReads(db.env, owners.keys)
    found = reads.take(DueKind.WINDOW, FAR_MS, 2 * PART, PART, (), Lap())

    assert sum(row.number == QUIET for row in found) == PART


def test_whoever_is_alone_gets_all_of_a_look(db: ScratchDatabase) -> None:
    flood = [window(10, GREEDY, chat) for chat in range(2_000)]
    put(db, *flood)

    assert DueReads(db.env).take(DueKind.WINDOW, 10, LIMIT, PART, (), Lap()) == flood[:LIMIT]


def test_what_is_not_due_is_not_taken_and_a_lap_ends_before_it(db: ScratchDatabase) -> None:
    put(db, window(10, GREEDY), window(11, QUIET), Due(5, DueKind.RETRY, QUIET))
    lap = Lap()

    assert DueReads(db.env).take(DueKind.WINDOW, 10, LIMIT, PART, (), lap) == [window(10, GREEDY)]
    assert lap == Lap()


def test_looks_that_follow_each_other_find_every_row_once(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dues_module, "WALKED_AT_ONCE", 37)
    monkeypatch.setattr(dues_module, "JUMP_AFTER", 3)
    rows = [window(ms, ms * 7 % 5 + 1, chat) for ms in range(40) for chat in range(ms % 11)]
    put(db, *rows)
    reads, lap, found = DueReads(db.env), Lap(), list[Due]()

    while some := reads.take(DueKind.WINDOW, FAR_MS, 10, 2, (), lap):
        assert len(set(some)) == len(some)
        with db.env.write() as txn:
            for row in some:
                assert txn.delete(keyspace.due(row))
        found += some

    assert sorted(found, key=keyspace.due) == rows


def test_two_erasures_at_a_time_are_of_two_workspaces(db: ScratchDatabase) -> None:
    greedy = [Due(0, DueKind.ERASE, GREEDY, b"c%d" % chat) for chat in range(400)]
    quiet = Due(0, DueKind.ERASE, QUIET, b"c")
    put(db, *greedy, quiet)

    assert DueReads(db.env).take(DueKind.ERASE, FAR_MS, 2, 1, (), Lap()) == [greedy[0], quiet]


# ---- what else is read


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
