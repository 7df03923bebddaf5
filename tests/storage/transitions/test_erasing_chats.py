"""A chat deleted: its window at once, what waits of it step by step, nothing of other chats."""

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Begun
from hookbundle.storage.transitions.erasing import ChatDeleted
from hookbundle.tests.storage.deleting import assert_sound, busy, delete_chat, erase, step
from hookbundle.tests.storage.scratch import NO, OK, House


def test_a_deleted_chat_has_no_window_and_knows_no_ids(house: House) -> None:
    number = busy(house)

    deleted = delete_chat(house, "c0")

    assert deleted == ChatDeleted(messages=22)
    assert house.chat("c0") is None
    assert house.view().state.windows == 0
    assert [row for row in house.dues() if row.subject == b"c0"] == house.dues(DueKind.ERASE)
    assert house.accept("m1", ws=number, chat="c0").accepted == 1
    assert_sound(house)


def test_its_deliveries_are_erased_wherever_they_wait_and_those_of_others_stay(
    house: House,
) -> None:
    busy(house)
    (parked,) = house.parked()
    others = [delivery.chat_id for delivery in house.pending()]

    delete_chat(house, parked.chat_id)
    delete_chat(house, others[0])
    erase(house)
    erase(house)

    assert house.parked() == []
    assert [delivery.chat_id for delivery in house.pending()] == others[1:]
    assert {entry.chat_id for entry in house.reads.log("acme")} <= set(others[1:])
    assert house.reads.meta().totals.discarded == 2


def test_what_is_sealed_after_the_deletion_is_sent(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("old")
    delete_chat(house)
    house.accept("new")

    begun = house.begun()
    erase(house)

    assert b"new" in begun.delivery.body
    assert [delivery.number for delivery in house.pending()] == [begun.delivery.number]


def test_a_parked_delivery_of_it_does_not_come_back(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    for _ in range(3):
        house.attempt(NO)
    delete_chat(house)

    returned = house.enable().returned

    assert returned == 0
    erase(house)
    assert house.view().state.parked == 0


def test_an_attempt_under_way_of_it_leaves_no_record_and_the_next_one_goes_on(
    house: House,
) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    begun = house.begun()
    house.accept("m2", chat="d")
    delete_chat(house)
    erase(house)

    following = house.finish(begun, OK, go_on=True)

    assert isinstance(following, Begun)
    assert following.delivery.chat_id == "d"
    assert house.reads.log("acme") == []
    assert_sound(house)


def test_deleted_again_while_it_is_erased_it_is_erased_up_to_the_second_time(
    house: House,
) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    for other in range(5):
        house.accept(f"x{other}", chat="d")
    delete_chat(house)
    last = step(house)
    house.accept("m2")
    delete_chat(house)

    while not last.finished:
        last = step(house, last)

    assert {delivery.chat_id for delivery in house.pending()} == {"d"}
    assert house.view().state.erasures == 0
    assert_sound(house)


def test_of_a_deleted_chat_nothing_is_left_to_the_clock(house: House) -> None:
    house.workspace()
    house.accept("m1")
    delete_chat(house)

    erase(house)

    assert house.dues() == []
