"""A workspace deleted: gone at once, erased step by step, nothing of anybody else's touched."""

import msgspec
import pytest

from hookbundle.engine.errors import Changed, NotFound
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, EndWaits
from hookbundle.storage.transitions.erasing import DeleteWorkspace, WorkspaceDeleted
from hookbundle.storage.transitions.housekeeping import RetimeWindows
from hookbundle.tests.storage.deleting import assert_sound, busy, delete, erase, keys_of, step
from hookbundle.tests.storage.scratch import OK, PRODUCT, House, failed


def test_a_deleted_workspace_is_found_by_nobody(house: House) -> None:
    number = busy(house)

    deleted = delete(house)

    assert deleted == WorkspaceDeleted(windows=1, deliveries=3, messages=22 + 4)
    with pytest.raises(NotFound):
        house.view()
    with pytest.raises(NotFound):
        house.accept("m9", ws=number)
    with pytest.raises(NotFound):
        house.do(BeginAttempt(number, house.now_ms), Begun)
    assert house.reads.ready(0, 10) == []
    assert house.reads.tokens() == []
    assert_sound(house)


def test_it_is_erased_in_steps_until_nothing_but_the_feed_knows_of_it(house: House) -> None:
    other = busy(house, "other")
    before = house.dump()
    number = busy(house)
    delete(house)

    steps = erase(house)

    assert steps > 5
    assert keys_of(house, number) == []
    assert {key: before[key] for key in keys_of(house, other)} == {
        key: house.dump()[key] for key in keys_of(house, other)
    }
    assert [fact["type"] for fact in house.told("workspace.deleted", "workspace.erased")] == [
        "workspace.deleted",
        "workspace.erased",
    ]


def test_counters_are_those_of_the_workspaces_that_are_there(house: House) -> None:
    busy(house, "other")
    before = msgspec.structs.asdict(house.reads.meta())
    busy(house)

    delete(house)

    meta = house.reads.meta()
    for name in ("windows", "pending", "parked", "mails"):
        assert getattr(meta, name) == before[name]
    assert meta.totals.discarded == 3


def test_the_steps_go_on_after_a_crash_between_them(house: House) -> None:
    number = busy(house)
    delete(house)
    step(house)
    left = len(keys_of(house, number))

    house.reopen()
    erase(house)

    assert left > 0
    assert keys_of(house, number) == []


def test_an_attempt_under_way_ends_in_not_found(house: House) -> None:
    number = house.workspace(aggregation_ms=0)
    house.accept("m1")
    begun = house.begun()
    delete(house)

    with pytest.raises(NotFound):
        house.finish(begun, OK)

    erase(house)
    assert keys_of(house, number) == []


def test_mails_about_it_are_dropped_from_the_outbox(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    for _ in range(11):
        house.attempt(failed())
    mails = house.reads.meta().mails

    delete(house)

    assert (mails, house.reads.meta().mails) == (1, 0)
    assert house.dues(DueKind.MAIL) == []
    assert_sound(house)


def test_what_the_clock_asks_for_meanwhile_is_given_up_quietly(house: House) -> None:
    number = busy(house)
    house.change("acme", aggregation_ms=2 * 3_600_000)
    (window,) = house.dues(DueKind.WINDOW)
    (retry,) = house.dues(DueKind.RETRY)
    delete(house)

    sealed = house.seal("c0", ws=number, due_ms=window.at_ms)
    house.group(EndWaits((retry,)))
    with pytest.raises(NotFound):
        house.done(RetimeWindows(number, 10, house.now_ms, PRODUCT))

    assert sealed.messages == 0
    assert house.dues(DueKind.WINDOW) == house.dues(DueKind.RETRY) == []
    erase(house)


def test_in_the_commit_in_which_a_chat_began_it_is_erased_all_the_same(house: House) -> None:
    number = house.workspace()
    deletion = DeleteWorkspace(workspace_id="acme", version=None, now_ms=0, caller="test")

    house.group(house.accepting("m1"), deletion, house.accepting("m2"))

    erase(house)
    assert keys_of(house, number) == []


def test_a_new_workspace_of_that_id_has_nothing_of_the_old_one(house: House) -> None:
    number = busy(house)
    delete(house)

    again = house.workspace()
    house.accept("m1", ws=again, chat="c0")
    erase(house)

    assert again != number
    assert house.view().state.buffered_messages == 1
    assert keys_of(house, number) == []


def test_another_version_than_the_caller_saw_is_not_deleted(house: House) -> None:
    house.workspace()

    with pytest.raises(Changed, match="version 1, not 7"):
        delete(house, version=7)

    assert house.view().settings.version == 1
