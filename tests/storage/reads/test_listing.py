"""Paging through long lists: nothing is missed or repeated, and bodies are left out."""

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.tables import history
from hookbundle.tests.storage.deleting import delete_chat
from hookbundle.tests.storage.scratch import HOUR_MS, NO, ScratchDatabase

BOTH = (keyspace.QUEUED, keyspace.DEAD_LETTERS)


def dead_letters(db: ScratchDatabase, *message_ids: str, then: tuple[str, ...] = ()) -> None:
    """The given messages become dead letters; those in `then` are queued afterwards."""
    db.workspace(aggregation_ms=0)
    db.accept(*message_ids)
    for _ in range(3 * len(message_ids)):
        db.attempt(NO)
    db.accept(*then)


# ---- windows


def test_a_page_of_chats_without_windows_is_empty_but_not_the_last(db: ScratchDatabase) -> None:
    db.workspace()
    for chat in ("a", "b", "c"):
        db.accept(f"m-{chat}", chat=chat)
        if chat != "c":
            db.seal(chat)
    windows = Listing(db.env, rows_most=2)

    first = windows.windows("acme", 10)
    assert first.position is not None
    second = windows.windows("acme", 10, first.position)

    assert (first.found, [window.chat_id for window in second.found]) == ([], ["c"])
    assert second.position is None


def test_windows_of_all_workspaces_are_sorted_by_due_time(
    db: ScratchDatabase,
) -> None:
    slow, fast = db.workspace("slow", aggregation_ms=2 * HOUR_MS), db.workspace("fast")
    db.accept("m1", ws=slow, chat="late")
    db.accept("m2", ws=fast, chat="soon")
    db.accept("m3", ws=fast, chat="over")
    db.seal("over", ws=fast)

    page = Listing(db.env).windows_by_due(10)
    soon = Listing(db.env).windows_by_due(10, due_by_ms=db.now_ms + HOUR_MS)

    assert [(window.workspace_id, window.chat_id) for window in page.found] == [
        ("fast", "soon"),
        ("slow", "late"),
    ]
    assert [window.chat_id for window in soon.found] == ["soon"]


# ---- deliveries


def test_deliveries_are_listed_dead_letters_first_and_without_bodies(db: ScratchDatabase) -> None:
    dead_letters(db, "m1", "m2", then=("m3", "m4"))

    page = Listing(db.env).deliveries("acme", BOTH, 10)

    assert [(found.dead_letter, found.delivery.number) for found in page.found] == [
        (True, 1),
        (True, 2),
        (False, 3),
        (False, 4),
    ]
    assert page.position is None
    assert not any(found.body for found in page.found)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_of_deliveries_miss_nothing_and_repeat_nothing(
    db: ScratchDatabase, limit: int
) -> None:
    dead_letters(db, "m1", "m2", then=("m3", "m4"))
    listing = Listing(db.env)
    numbers: list[int] = []

    position: bytes | None = b""
    while position is not None:
        page = listing.deliveries("acme", BOTH, limit, position)
        numbers += [found.delivery.number for found in page.found]
        position = page.position

    assert numbers == [1, 2, 3, 4]


def test_what_waits_of_a_deleted_chat_is_not_listed_before_it_is_erased(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", chat="a")
    db.accept("m2", chat="b")

    delete_chat(db, "a")

    found = Listing(db.env).deliveries("acme", BOTH, 9).found
    assert [each.delivery.number for each in found] == [2]


def test_a_damaged_delivery_that_waits_hides_no_other(db: ScratchDatabase) -> None:
    dead_letters(db, "m1", then=("m2", "m3"))
    with db.env.write() as txn:
        txn.put(history.key_of(1, 2), b"\x00damaged")

    found = Listing(db.env).deliveries("acme", BOTH, 9).found

    assert [each.delivery.number for each in found] == [1, 3]


# ---- pages by bytes


def test_a_page_of_deliveries_ends_when_it_is_large(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{n}" for n in range(9)))

    page = Listing(db.env, bytes_most=2_000).deliveries("acme", BOTH, 100)
    assert page.position is not None
    rest = Listing(db.env).deliveries("acme", BOTH, 100, page.position)

    numbers = [found.delivery.number for found in (*page.found, *rest.found)]
    assert 0 < len(page.found) < 9
    assert numbers == sorted(set(numbers))


def test_a_page_of_workspaces_ends_when_it_is_large(db: ScratchDatabase) -> None:
    for number in range(400):
        db.workspace(f"w{number:03}", name="n" * 1_000, url=f"https://a.example/{'p' * 2_000}")

    page = db.reads.workspaces(1_000)
    rest = db.reads.workspaces(1_000, after=page.after)

    ids = [view.settings.id for view in (*page.found, *rest.found)]
    assert 100 < len(page.found) < 400
    assert ids == [f"w{number:03}" for number in range(len(ids))]
