"""Deliveries on the move: other commands meanwhile, crashes, damage."""

import pytest

from hookbundle.storage.database import codec
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import history
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.tests.storage.deleting import delete, delete_chat, erase
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import NO, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import (
    waiting,
)
from hookbundle.tests.storage.transitions.timed.moving import (
    IDS,
    move,
    move_all,
    states,
)

# ---- one command after the other


def test_returned_and_then_discarded_they_are_discarded(rejected: ScratchDatabase) -> None:
    rejected.enable()
    move(rejected)
    rejected.accept("m8")

    switched = rejected.enable(discard=True)

    assert switched.discarded_deliveries == 8
    assert (rejected.queued(), rejected.begin()) == ([], Idle())
    move_all(rejected)
    assert set(states(rejected).values()) == {"discarded"}


def test_discarded_and_then_returned_only_later_ones_are_queued(rejected: ScratchDatabase) -> None:
    rejected.enable(discard=True)
    move(rejected, 1)
    rejected.accept("m8", "m9")
    for _ in range(3):
        rejected.attempt(NO)

    returned = rejected.enable().returned

    assert returned == 1
    assert waiting(rejected) == ["m8", "m9"]
    move_all(rejected, 1)
    assert waiting(rejected) == ["m8", "m9"]


@pytest.mark.parametrize("discard", [False, True])
def test_disabled_meanwhile_the_rows_are_moved_and_nothing_is_sent(
    rejected: ScratchDatabase, *, discard: bool
) -> None:
    rejected.enable(discard=discard)
    rejected.disable()

    move_all(rejected)

    assert rejected.begin() == Idle()
    assert waiting(rejected) == ([] if discard else [*IDS, "m7"])


@pytest.mark.parametrize("discard", [False, True])
def test_a_workspace_deleted_meanwhile_leaves_nothing(
    rejected: ScratchDatabase, *, discard: bool
) -> None:
    rejected.enable(discard=discard)
    move(rejected)

    delete(rejected)
    erase(rejected)

    assert rejected.dues() == []


@pytest.mark.parametrize("discard", [False, True])
def test_a_chat_deleted_meanwhile_is_counted_once(
    rejected: ScratchDatabase, *, discard: bool
) -> None:
    rejected.accept("d1", chat="d")
    rejected.enable(discard=discard)
    move(rejected)

    delete_chat(rejected)
    erase(rejected)
    move_all(rejected)

    assert rejected.reads.meta().totals.discarded == 7 + discard
    assert [ids_in(each) for each in rejected.queued()] == ([] if discard else [["d1"]])


# ---- a crash, and damage


@pytest.mark.parametrize("discard", [False, True])
def test_after_a_crash_at_any_step_the_steps_go_on(
    rejected: ScratchDatabase, *, discard: bool
) -> None:
    rejected.enable(discard=discard)
    rejected.reopen()

    move_all(rejected, 1, then=rejected.reopen)

    assert waiting(rejected) == ([] if discard else [*IDS, "m7"])


@pytest.mark.parametrize("discard", [False, True])
def test_a_damaged_delivery_keeps_no_other_where_it_was(
    rejected: ScratchDatabase, *, discard: bool
) -> None:
    key = history.key_of(1, 2)
    with rejected.env.write() as txn:
        txn.put(key, b"damaged")
    rejected.enable(discard=discard)

    while rejected.dues(DueKind.MOVE):
        move(rejected)

    heads = {n: rejected.dump()[history.key_of(1, n)] for n in (1, 3, 4, 5, 6, 7)}
    found = {
        codec.unpack(history.key_of(1, n), value, Delivery).state for n, value in heads.items()
    }
    assert found == ({"discarded"} if discard else {"queued"})
