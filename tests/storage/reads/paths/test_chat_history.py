"""A chat's past: in pages that stay right while it moves, and only what was asked for."""

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.engine.messages.became import BecameCode
from hookbundle.storage.reads.paths.asking import END, Moment, Span
from hookbundle.storage.reads.paths.chat_history import ChatHistory, HistoryPage
from hookbundle.tests.storage.reads.paths.asked import whole
from hookbundle.tests.storage.scratch import OK, START_MS, ScratchDatabase, incoming

SECOND_MS = 1_000


def page(
    db: ScratchDatabase,
    limit: int = 100,
    position: bytes = b"",
    *,
    since_ms: int = 0,
    until_ms: int = END,
    **bounds: int,
) -> HistoryPage:
    history = ChatHistory(db.env, **bounds)
    span = Span(since_ms, until_ms)
    return whole(history.page("acme", "c", span, Moment(db.now_ms), limit, position))


def ids(found: HistoryPage) -> list[list[str]]:
    return [[each.message_id for each in group.messages] for group in found.found]


def test_windows_come_first_then_deliveries_and_facts_by_their_times(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1", "m2")
    db.seal()
    db.now_ms += SECOND_MS
    db.accept(skipped=("s1",))
    db.now_ms += SECOND_MS
    db.accept("m3")
    db.seal()
    db.now_ms += SECOND_MS
    db.accept("m3")
    db.accept("m4")

    found = page(db)

    assert ids(found) == [["m4"], ["m3"], ["m3"], ["s1"], ["m1", "m2"]]
    codes = [group.became.code for group in found.found]
    assert codes == [
        BecameCode.COLLECTING,
        BecameCode.DUPLICATE,
        BecameCode.QUEUED,
        BecameCode.ATTACHMENT,
        BecameCode.QUEUED,
    ]
    assert found.position is None


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_repeat_nothing_and_miss_nothing_while_the_chat_moves(
    db: ScratchDatabase, limit: int
) -> None:
    db.workspace(aggregation_ms=0)
    expected = []
    for number in range(8):
        db.now_ms += SECOND_MS
        db.accept(f"m{number}", skipped=(f"s{number}",))
        expected += [f"m{number}", f"s{number}"]
    seen, position = list[str](), b""

    while True:
        found = page(db, limit, position)
        seen += [each for group in ids(found) for each in group]
        if found.position is None:
            break
        position = found.position
        db.now_ms += SECOND_MS
        db.accept(f"new{len(seen)}", skipped=(f"skipped{len(seen)}",))
        db.attempt(OK)

    assert sorted(seen) == sorted(expected)
    assert seen[::2] != expected[::2]


def test_of_a_bundle_only_the_messages_are_shown_that_arrived_in_the_span(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    for number in range(5):
        # Their timestamps are a day old: it is the arrival that counts.
        db.accept(incoming(f"m{number}", START_MS - 86_400_000 + number))
        db.now_ms += SECOND_MS
    db.seal()

    since_ms, until_ms = START_MS + SECOND_MS, START_MS + 4 * SECOND_MS
    found = page(db, since_ms=since_ms, until_ms=until_ms)

    assert ids(found) == [["m1", "m2", "m3"]]
    assert found.found[0].count == 5
    assert ids(page(db, since_ms=db.now_ms)) == []
    assert ids(page(db, until_ms=START_MS)) == []


def test_a_page_that_has_done_its_work_says_how_far_it_looked_back(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(9):
        db.now_ms += SECOND_MS
        db.accept(f"m{number}")

    found = page(db, rows_most=4)

    assert ids(found) == [["m8"], ["m7"], ["m6"], ["m5"]]
    assert found.searched_to_ms == START_MS + 6 * SECOND_MS
    assert found.position is not None
    full = page(db, 4)
    assert (ids(full), full.searched_to_ms) == (ids(found), 0)


def test_a_page_of_large_bodies_ends_by_their_bytes(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(incoming(f"m{number}", text="t" * 60_000) for number in range(9)))

    found = page(db, bytes_most=130_000)

    assert 1 < len(found.found) < 4
    assert found.searched_to_ms


def test_a_workspace_that_is_not_there_has_no_history(db: ScratchDatabase) -> None:
    with pytest.raises(NotFound):
        page(db)
