"""Facts that are found by their chat: each row comes with its fact, counts with it, and goes."""

from collections.abc import Callable

import pytest

from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.retention import KEEP_ALL, Retention
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.tests.storage.populated import change, drop, first, named, put, report
from hookbundle.tests.storage.scratch import ScratchDatabase

FACT = keyspace.CHAT_FACTS


def found(db: ScratchDatabase) -> list[tuple[str, int]]:
    """The chat and the event of each row."""
    keys = sorted(key for key in db.dump() if key.startswith(FACT))
    return [(key_fields.of_chat(key)[1].decode(), key_fields.number(key)) for key in keys]


def numbers(db: ScratchDatabase, kind: str) -> list[int]:
    return [number for number, event in db.feed() if event["type"] == kind]


def some(db: ScratchDatabase) -> None:
    """A message that is skipped, one that comes again, and others."""
    db.workspace()
    db.accept("m1", chat="c1")
    db.accept(chat="c1", skipped=("s1",))
    db.accept("m1", chat="c1")
    db.accept("m2", chat="c2")


def test_only_what_nothing_else_knows_has_a_row(db: ScratchDatabase) -> None:
    some(db)

    received = numbers(db, "message.received")
    assert found(db) == [("c1", received[1]), ("c1", received[2])]
    assert report(db) == ""


def test_facts_of_one_commit_have_rows_of_their_own(db: ScratchDatabase) -> None:
    db.workspace()
    db.group(
        db.accepting("m1", chat="c1"),
        db.accepting("m1", chat="c1"),
        db.accepting(chat="c2", skipped=("s",)),
        db.accepting("m2", chat="c2"),
    )

    received = numbers(db, "message.received")
    assert found(db) == [("c1", received[1]), ("c2", received[2])]
    assert report(db) == ""


def test_a_row_goes_when_its_fact_is_too_old(db: ScratchDatabase) -> None:
    some(db)
    db.retention = Retention(feed_ms=1_000)
    db.now_ms += 2_000

    for _ in range(8):
        db.accept("m2", chat="c2")

    kept = {number for number, _ in db.feed()}
    assert {number for _, number in found(db)} <= kept
    assert not any(chat == "c1" for chat, _ in found(db))
    assert report(db) == ""


def test_a_row_goes_when_its_fact_is_thinned_away_and_those_of_others_stay(
    db: ScratchDatabase,
) -> None:
    modest, greedy = db.workspace("modest"), db.workspace("greedy")
    db.accept(ws=modest, chat="c", skipped=("s1",))
    for number in range(40):
        db.group(db.accepting(f"g{number}", ws=greedy, chat="g", skipped=(f"s{number}",)))
    db.group(db.accepting("m1", ws=modest, chat="m"), db.accepting("g", ws=greedy, chat="g"))
    db.retention = Retention(feed_events=60)

    for number in range(40):
        db.accept(f"more{number}", ws=greedy, chat="g", skipped=(f"more{number}s",))

    kept = {number for number, _ in db.feed()}
    assert {number for _, number in found(db)} <= kept
    assert len(found(db)) < 60
    assert [chat for chat, _ in found(db)].count("c") == 1
    assert report(db) == ""


def test_deleting_a_chat_is_found_by_it_and_its_facts_stay_as_long_as_the_feed_has_them(
    db: ScratchDatabase,
) -> None:
    some(db)

    db.group(DeleteChat(**named(db), chat_id="c1"))

    assert ("c1", numbers(db, "chat.deleted")[0]) in found(db)
    assert report(db) == ""


def test_the_rows_of_a_deleted_workspace_are_erased(db: ScratchDatabase) -> None:
    some(db)
    db.group(DeleteWorkspace(**named(db), precondition=None))
    (row,) = (row for row in db.dues() if row.kind.name == "ERASE")

    db.group(EraseStep(row=row, most=1_000, now_ms=db.now_ms))

    assert found(db) == []
    db.retention = Retention(feed_ms=0)
    db.now_ms += 1_000
    db.workspace("next")
    assert report(db) == ""


def test_what_is_skipped_counts_with_its_row(db: ScratchDatabase) -> None:
    db.workspace()
    before = db.view().usage.event_bytes
    db.accept("m1", chat="c")
    plain = db.view().usage.event_bytes - before

    db.accept("m1", chat="c")

    again = db.view().usage.event_bytes - before - plain
    assert again > plain
    db.retention = KEEP_ALL


def without_names(db: ScratchDatabase) -> None:
    key = next(
        key
        for key, value in sorted(db.dump().items())
        if key.startswith(keyspace.FEED) and codec.unpack(key, value, FeedRow).found_by
    )
    change(db, key, FeedRow, found_by=())


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (lambda db: drop(db, first(db, FACT)), "which its chat 'c1' does not find"),
        (
            lambda db: put(db, keyspace.chat_fact(1, b"c1", 1), b""),
            "fact 1 of chat 'c1' of workspace 1: names event 1, which is not kept",
        ),
        (lambda db: put(db, keyspace.chat_fact(9, b"c1", 1), b""), "belongs to no workspace"),
        (without_names, "is not kept, or is not of this chat"),
    ],
)
def test_a_contradiction_is_found(
    db: ScratchDatabase, damage: Callable[[ScratchDatabase], None], finding: str
) -> None:
    some(db)
    assert report(db) == ""

    damage(db)

    assert finding in report(db)
