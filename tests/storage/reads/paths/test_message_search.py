"""How far a message is looked for, and what is said before that is known."""

import pytest

from hookbundle.engine.messages.became import (
    BecameCode,
)
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Chunk
from hookbundle.storage.database.records import Meta, Usage
from hookbundle.storage.reads.paths.asking import Moment
from hookbundle.storage.reads.paths.message_path import MessagePaths
from hookbundle.tests.storage.populated import change, put
from hookbundle.tests.storage.reads.paths.asked import code, path, whole
from hookbundle.tests.storage.scratch import (
    START_MS,
    ScratchDatabase,
    incoming,
)

SECOND_MS = 1_000


def test_a_search_that_is_not_over_says_so_and_goes_on(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(9)))
    paths = MessagePaths(db.env, rows_most=4)
    answers, position = [], b""

    while True:
        found = whole(paths.path("acme", "c", "m0", Moment(db.now_ms), position))
        answers.append(found.became and found.became.code.value)
        if found.position is None:
            break
        assert found.searched_to_ms == START_MS
        position = found.position

    assert answers == [None, None, "queued"]


def test_only_a_search_that_is_over_says_that_a_message_never_came(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(9)))
    for number in range(9):
        db.accept(skipped=(f"s{number}",))

    paths = MessagePaths(db.env, rows_most=4)
    first = whole(paths.path("acme", "c", "s0", Moment(db.now_ms)))
    assert first.became is None
    position = first.position
    steps = 0
    while position is not None:
        found = whole(paths.path("acme", "c", "s0", Moment(db.now_ms), position))
        position, steps = found.position, steps + 1

    assert steps > 2
    assert found.became is not None
    assert found.became.code is BecameCode.ATTACHMENT


def test_what_was_found_ends_a_search_before_all_was_looked_at(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(9):
        db.accept(skipped=(f"s{number}",))

    found = path(db, "s8", rows_most=4)

    assert found.became is not None
    assert (found.became.code, found.position) == (BecameCode.ATTACHMENT, None)


def test_a_message_that_comes_while_it_is_looked_for_was_not_trimmed(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(9)))
    paths = MessagePaths(db.env, rows_most=5)
    first = whole(paths.path("acme", "c", "late", Moment(db.now_ms)))
    assert first.position is not None

    db.accept("late")
    second = whole(paths.path("acme", "c", "late", Moment(db.now_ms), first.position))

    assert second.became is not None
    assert second.became.code is BecameCode.QUEUED


def test_a_body_that_is_damaged_hides_no_other(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    key = keyspace.of_delivery(keyspace.BODIES, 1, 2, 0)
    put(db, key, b"\x01garbage")

    assert code(db, "m1") == "queued"
    put(db, key, Chunk(body=b"not json"))
    assert code(db, "m1") == "queued"


@pytest.mark.parametrize("message", ['"', "\\", '","message_id":"m2', "ä", "m"])
def test_an_id_is_found_as_a_whole_and_only_where_it_is_one(
    db: ScratchDatabase, message: str
) -> None:
    db.workspace(aggregation_ms=0)
    quoting = incoming("m2", text=f'it was "message_id":"{message}"')
    db.accept(quoting, chat="quoting")
    db.accept(message, chat="having")

    assert code(db, message, "having") == "queued"
    assert code(db, message, "quoting") == "never_came"


def test_a_database_of_an_earlier_version_does_not_say_since_when_it_knows(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.accept("m1")
    assert path(db, "m9").known.history_ms == path(db, "m9").known.feed_ms == START_MS
    change(db, keyspace.META, Meta, feed_found_from=0)
    change(db, keyspace.owned(keyspace.USAGES, 1), Usage, trimmed_ms=-1)

    found = path(db, "m9")

    assert (found.known.history_ms, found.known.feed_ms) == (None, None)
    db.now_ms += SECOND_MS
    db.accept("m2")
    assert path(db, "m9").known.feed_ms == db.now_ms
