"""Lists that may be long: page by page, nothing missed, nothing twice, and bodies left out."""

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.reads.listing import Listing
from hookbundle.tests.storage.scratch import HOUR_MS, NO, House, ids_in

BOTH = (keyspace.PENDING, keyspace.PARKED)


def parked(house: House, *message_ids: str, then: tuple[str, ...] = ()) -> None:
    """The first ones are rejected until they are parked, `then` the others are queued."""
    house.workspace(aggregation_ms=0)
    house.accept(*message_ids)
    for _ in range(3 * len(message_ids)):
        house.attempt(NO)
    house.accept(*then)


# ---- windows


def test_a_page_that_only_saw_silent_chats_is_empty_and_not_the_last(house: House) -> None:
    house.workspace()
    for chat in ("a", "b", "c"):
        house.accept(f"m-{chat}", chat=chat)
        if chat != "c":
            house.seal(chat)
    listing = Listing(house.env, rows_most=2)

    first = listing.windows("acme", 10)
    assert first.place is not None
    second = listing.windows("acme", 10, first.place)

    assert (first.found, [window.chat_id for window in second.found]) == ([], ["c"])
    assert second.place is None


def test_windows_of_all_workspaces_come_in_the_order_in_which_they_fall_due(house: House) -> None:
    slow, fast = house.workspace("slow", aggregation_ms=2 * HOUR_MS), house.workspace("fast")
    house.accept("m1", ws=slow, chat="late")
    house.accept("m2", ws=fast, chat="soon")
    house.accept("m3", ws=fast, chat="over")
    house.seal("over", ws=fast)

    page = Listing(house.env).windows_by_due(10)
    soon = Listing(house.env).windows_by_due(10, due_by_ms=house.now_ms + HOUR_MS)

    assert [(window.workspace_id, window.chat_id) for window in page.found] == [
        ("fast", "soon"),
        ("slow", "late"),
    ]
    assert [window.chat_id for window in soon.found] == ["soon"]


# ---- deliveries


def test_a_page_of_large_deliveries_is_a_short_one(house: House) -> None:
    parked(house, then=("m1", "m2", "m3"))

    page = Listing(house.env, bytes_most=1).deliveries("acme", BOTH, 10)

    assert (len(page.found), page.place is None) == (1, False)


def test_deliveries_are_listed_parked_ones_first_and_without_bodies(house: House) -> None:
    parked(house, "m1", "m2", then=("m3", "m4"))

    page = Listing(house.env).deliveries("acme", BOTH, 10)

    assert [(found.parked, found.delivery.number) for found in page.found] == [
        (True, 1),
        (True, 2),
        (False, 3),
        (False, 4),
    ]
    assert page.place is None
    assert not any(found.delivery.body for found in page.found)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_of_deliveries_miss_nothing_and_repeat_nothing(house: House, limit: int) -> None:
    parked(house, "m1", "m2", then=("m3", "m4"))
    listing = Listing(house.env)
    numbers: list[int] = []

    place: bytes | None = b""
    while place is not None:
        page = listing.deliveries("acme", BOTH, limit, place)
        numbers += [found.delivery.number for found in page.found]
        place = page.place

    assert numbers == [1, 2, 3, 4]


def test_a_delivery_is_found_by_its_id_alone_and_in_no_other_workspace(house: House) -> None:
    parked(house, then=("m1",))
    house.workspace("other")
    listing = Listing(house.env)
    wanted = listing.deliveries("acme", BOTH, 1).found[0].id

    found = listing.delivery(wanted)

    assert (found.workspace_id, ids_in(found.delivery)) == ("acme", ["m1"])
    with pytest.raises(NotFound):
        listing.delivery(wanted, "other")


@pytest.mark.parametrize(
    "wrong",
    ["", "dlv_", "test_0123", "{}", "dlv_{epoch}-0000001000000000001", "dlv_{epoch}0_00001"],
)
def test_what_is_no_id_of_ours_is_not_found(house: House, wrong: str) -> None:
    with pytest.raises(NotFound):
        Listing(house.env).delivery(wrong.replace("{epoch}", house.env.identity.epoch))
