"""What happens while a webhook merges, and what may still be done with what was merged."""

import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Chunk
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import history
from hookbundle.storage.transitions.repeating.resending import ResendDelivery
from hookbundle.storage.transitions.timed.merge_steps import Merged, MergeStep
from hookbundle.tests.storage.deleting import assert_sound, delete_chat, erase
from hookbundle.tests.storage.scratch import (
    START_MS,
    ScratchDatabase,
    failed,
)
from hookbundle.tests.storage.transitions.acting import discard, retry
from hookbundle.tests.storage.transitions.timed.merging import (
    bundle,
    disabled,
    enable_merged,
    held,
    ids_of_queue,
    merge,
    merge_on,
    sent,
    step,
)
from hookbundle.tests.storage.transitions.timed.moving import move_all

TWO_CHATS = (("a", "a1 a2"), ("b", "b1"), ("a", "a3"), ("c", "c1"), ("b", "b2 b3"), ("a", "a4"))


def test_enabled_with_a_merge_it_sends_nothing_before_the_last_step(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    switched = enable_merged(db)
    assert switched.merging is not None
    assert (switched.merging.deliveries, switched.merging.messages) == (6, 8)
    steps = 0
    while True:
        assert not db.view().state.ready
        assert not db.view().state.enabled
        steps += 1
        if step(db).finished:
            break
    assert steps > 1
    assert db.view().state.enabled
    assert sent(db) == [["a1", "a2", "a3", "a4"], ["b1", "b2", "b3"], ["c1"]]
    assert_sound(db)


def test_an_enabled_webhook_that_backs_off_is_merged_and_goes_on(db: ScratchDatabase) -> None:
    db.workspace()
    bundle(db, "a", "a1")
    db.attempt(failed())
    for message_id in ("a2", "a3"):
        bundle(db, "a", message_id)
    merge(db)
    assert not db.view().state.ready
    assert not db.dues(DueKind.RETRY)
    merge_on(db)
    assert sent(db) == [["a1"], ["a2", "a3"]]


def test_a_crash_between_any_two_steps_loses_no_place(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    enable_merged(db)
    while True:
        db.reopen()
        if step(db, 1).finished:
            break
    assert held(db) == [["a1", "a2", "a3", "a4"], ["b1", "b2", "b3"], ["c1"]]


def test_a_step_looks_at_few_deliveries_and_begins_where_the_last_one_ended(
    db: ScratchDatabase,
) -> None:
    disabled(db, *((chat, f"{chat}1") for chat in "abcdefgh"))
    merge(db)
    assert merge_on(db, 2) == 5


def test_what_is_sealed_meanwhile_stands_behind(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    merge(db)
    step(db)
    bundle(db, "a", "a5")
    bundle(db, "b", "b4")
    merge_on(db)
    assert held(db) == [["a1", "a2", "a3", "a4"], ["b1", "b2", "b3"], ["c1"], ["a5"], ["b4"]]


def test_disabling_stops_a_merge_and_what_was_merged_stays(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    enable_merged(db)
    step(db)
    db.disable()
    assert_sound(db)
    assert db.dues(DueKind.MERGE) == []
    assert held(db) == [["a1", "a2", "a3", "a4"], ["b1"], ["c1"], ["b2", "b3"]]
    (fact,) = db.events("webhook.merged")
    assert fact["data"]["outcome"] == "stopped"
    db.enable()
    assert sent(db) == [["a1", "a2", "a3", "a4"], ["b1"], ["c1"], ["b2", "b3"]]


def test_settings_that_say_it_is_disabled_keep_it_so_after_the_merge(db: ScratchDatabase) -> None:
    disabled(db, ("a", "a1"), ("a", "a2"))
    enable_merged(db)
    db.change("acme", enabled=False)
    merge_on(db)
    assert held(db) == [["a1", "a2"]]
    assert not db.view().state.enabled


def test_enabling_at_once_stops_a_merge(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    enable_merged(db)
    step(db)
    db.enable()
    assert_sound(db)
    assert db.view().state.ready


def test_discarding_all_ends_a_merge_with_nothing_left(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    enable_merged(db)
    step(db)
    assert db.enable(discard=True).discarded_messages == 8
    assert_sound(db)
    move_all(db)
    assert held(db) == []


def test_a_chat_deleted_meanwhile_is_not_merged(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    merge(db)
    step(db)
    for chat in ("a", "b"):
        delete_chat(db, chat)
    merge_on(db)
    erase(db)
    assert held(db) == [["c1"]]


def test_the_chat_of_a_merged_delivery_can_be_deleted(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    merge(db)
    merge_on(db)
    delete_chat(db, "a")
    erase(db)
    assert held(db) == [["b1", "b2", "b3"], ["c1"]]


def test_one_that_was_discarded_or_retried_meanwhile_is_where_it_belongs(
    db: ScratchDatabase,
) -> None:
    disabled(db, *TWO_CHATS)
    merge(db)
    discard(db, 3)
    assert_sound(db)
    merge_on(db)
    assert held(db) == [["a1", "a2", "a4"], ["b1", "b2", "b3"], ["c1"]]


def test_what_was_merged_can_neither_be_retried_nor_discarded_nor_resent(
    db: ScratchDatabase,
) -> None:
    disabled(db, *TWO_CHATS)
    (first, *_), before = ids_of_queue(db), db.now_ms
    merge(db)
    merge_on(db)
    made = ids_of_queue(db)[0]
    resend = ResendDelivery(workspace_id="acme", delivery_id=first, now_ms=before, caller="ann")
    for act in (lambda: retry(db, 1), lambda: discard(db, 3), lambda: db.do(resend, type(None))):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code is Code.WAS_MERGED
        assert made in str(refused.value)


def test_the_new_one_is_discarded_by_its_own_id(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    merge(db)
    merge_on(db)
    discard(db, int(ids_of_queue(db)[0][-12:], 16))
    assert held(db) == [["b1", "b2", "b3"], ["c1"]]
    assert_sound(db)


@pytest.mark.parametrize("damaged", [1, 3])
def test_a_damaged_one_stays_as_it_is_and_is_counted(db: ScratchDatabase, damaged: int) -> None:
    disabled(db, *TWO_CHATS)
    with db.unit() as unit:
        key = keyspace.of_delivery(keyspace.BODIES, 1, damaged, 0)
        unit.put(key, Chunk(b"no body"))
    merge(db)
    while not db.do(MergeStep(1, 2, db.now_ms, "P"), Merged).finished:
        pass
    (fact,) = db.events("webhook.merged")
    assert fact["data"]["damaged"] == 1
    head = db.delivery(damaged)
    assert head is not None
    assert (head.state, head.merged_into) == ("queued", "")
    assert db.view().state.queued == {1: 4, 3: 5}[damaged]  # nothing moves past it


def test_history_finds_the_new_one_at_the_time_of_the_oldest(db: ScratchDatabase) -> None:
    disabled(db, *TWO_CHATS)
    merge(db)
    merge_on(db)
    made, old = db.delivery(1), db.delivery(7)
    assert made is not None
    assert old is not None
    assert (made.sealed_ms, made.opened_ms, made.reason) == (START_MS, START_MS, "merge")
    assert (old.named, old.placed_ms) == (1, db.now_ms)
    assert history.weight(made) > history.weight(old)
