"""A known id with another text is named, and changes nothing."""

import json

import pytest

from hookbundle.engine import limits
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord, SeenPart
from hookbundle.storage.database.records import Totals
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.populated import change
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase, incoming

PART = 64


def edited(*ids: str) -> list[Incoming]:
    return [incoming(each, text=f"another text of {each}") for each in ids]


def totals_of(db: ScratchDatabase) -> Totals:
    with db.unit() as unit:
        return unit.meta.totals


def fill(db: ScratchDatabase, count: int) -> None:
    for start in range(0, count, 10):
        db.accept(*[f"m{number}" for number in range(start, min(start + 10, count))])


def test_another_text_under_a_known_id_is_named_and_not_stored(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=HOUR_MS)
    db.accept("m1", "m2", "m3")

    again = db.accept("m1", incoming("m2", text="at 6 pm"), "m3", "m4")

    assert (again.accepted, again.duplicate, again.differs) == (1, 3, ("m2",))
    window = db.window()
    assert window is not None
    texts = [json.loads(member.message)["text"] for member in window.tail]
    assert texts == ["text of m1", "text of m2", "text of m3", "text of m4"]
    facts = [event["data"] for event in db.events("message.received")]
    assert ["differs" in fact for fact in facts] == [False, True]
    assert (facts[1]["differs"], facts[1]["duplicates"]) == (["m2"], ["m1", "m2", "m3"])
    assert totals_of(db).differs == 1
    assert_sound(db)


def test_another_text_within_one_request_is_named_too(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=HOUR_MS)

    found = db.accept("m1", incoming("m1", text="at 6 pm"), "m1")

    assert (found.accepted, found.duplicate, found.differs) == (1, 2, ("m1",))


def test_the_same_text_never_differs_whatever_else_is_new(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=HOUR_MS)
    db.accept("m1")

    again = db.accept(incoming("m1", sent_ms=5, chat=b'{"chat_id":"c","full_name":"Noa"}'))

    assert (again.duplicate, again.differs) == (1, ())


@pytest.mark.parametrize("count", [1, PART, PART + 1, 3 * PART, 300, 1_000])
def test_the_texts_of_the_last_256_messages_at_least_are_compared(
    db: ScratchDatabase, count: int
) -> None:
    db.workspace(aggregation_ms=HOUR_MS)
    fill(db, count)
    ids = [f"m{number}" for number in range(count)]

    together = db.accept(*edited(*ids[-limits.DIFFERS_LISTED_MAX :]))
    one_by_one = [each for each in ids[-256:] if db.accept(*edited(each)).differs == (each,)]
    assert list(together.differs) == ids[-limits.DIFFERS_LISTED_MAX :]
    assert one_by_one == ids[-256:]
    assert all(db.accept(each).differs == () for each in ids[-256:])
    assert_sound(db)


def test_no_more_are_named_than_an_answer_lists(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=HOUR_MS)
    fill(db, 150)

    found = db.accept(*edited(*[f"m{number}" for number in range(150)]))

    assert (found.duplicate, len(found.differs)) == (150, limits.DIFFERS_LISTED_MAX)
    assert totals_of(db).differs == 150


@pytest.mark.parametrize("count", [10, 100])
def test_ids_that_were_known_before_texts_were_never_differ(
    db: ScratchDatabase, count: int
) -> None:
    db.workspace(aggregation_ms=HOUR_MS)
    fill(db, count)
    forget_texts(db)

    db.accept("new")
    old = db.accept(*edited("m0", f"m{count - 1}"))
    new = db.accept(*edited("new"))

    assert (old.duplicate, old.differs) == (2, ())
    assert new.differs == ("new",)
    fill_on = db.accept(*[f"later{number}" for number in range(100)])
    assert fill_on.accepted == 100
    assert db.accept(*edited("new", "m1", "later0", "later99")).differs == (
        "new",
        "later0",
        "later99",
    )
    assert_sound(db)


def forget_texts(db: ScratchDatabase) -> None:
    """The chat and its parts are as a version without texts left them."""
    change(db, keyspace.owned(keyspace.CHATS, 1, b"c"), ChatRecord, texts=b"")
    for key in [key for key in db.dump() if key.startswith(keyspace.SEEN_PARTS)]:
        change(db, key, SeenPart, texts=b"")
