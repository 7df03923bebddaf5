"""What a merge makes of what waits: which deliveries become one, and what is in it."""

import msgspec
import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, Gone
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.reads.delivery_view import DeliveryReads
from hookbundle.storage.transitions.repeating.replaying import StartReplay
from hookbundle.storage.transitions.timed import merge_steps
from hookbundle.storage.transitions.timed.merge_steps import MergeStep
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.storage.deleting import assert_sound, delete_chat, erase
from hookbundle.tests.storage.scratch import (
    HOUR_MS,
    NO,
    OK,
    PRODUCT,
    START_MS,
    ScratchDatabase,
    failed,
    incoming,
)
from hookbundle.tests.storage.transitions.timed.merging import (
    bundle,
    disabled,
    enable_merged,
    held,
    ids_of_queue,
    merge,
    merge_on,
)
from hookbundle.tests.storage.webhooks import add_webhook

TWO_CHATS = (("a", "a1 a2"), ("b", "b1"), ("a", "a3"), ("c", "c1"), ("b", "b2 b3"), ("a", "a4"))


def trim(db: ScratchDatabase) -> None:
    """All history is gone."""
    trimming = TrimHistory(
        workspace_number=1, before_ms=db.now_ms, bytes_max=1 << 40, most=100, now_ms=db.now_ms
    )
    db.do(trimming, Trimmed)


def test_the_deliveries_of_a_chat_become_one_in_the_place_of_the_oldest(
    db: ScratchDatabase,
) -> None:
    disabled(db, *TWO_CHATS)
    merge(db)
    merge_on(db)
    assert held(db) == [["a1", "a2", "a3", "a4"], ["b1", "b2", "b3"], ["c1"]]
    (fact, other) = db.events("delivery.merged")
    assert (len(fact["data"]["merged"]), fact["data"]["messages"]) == (3, 4)
    assert (len(other["data"]["merged"]), other["chat"]) == (2, "b")
    (done,) = db.events("webhook.merged")
    told = {name: done["data"][name] for name in ("outcome", "merged", "into", "messages")}
    assert told == {"outcome": "done", "merged": 5, "into": 2, "messages": 7}
    assert db.reads.meta().totals.merged == 5


def test_merged_deliveries_keep_their_ids_and_name_the_one_that_has_their_messages(
    db: ScratchDatabase,
) -> None:
    disabled(db, *TWO_CHATS)
    before, reads = ids_of_queue(db), DeliveryReads(db.env)
    bodies = {each: reads.delivery(each, in_full=True).body for each in before}
    merge(db)
    merge_on(db)
    made = ids_of_queue(db)[0]
    assert made not in before
    for each in (before[0], before[2], before[5]):
        found = reads.delivery(each, in_full=True)
        assert (found.id, found.delivery.state) == (each, "merged")
        assert found.delivery.merged_into == made
        assert found.body == bodies[each]
    assert reads.delivery(made).delivery.state == "queued"


def test_ids_are_found_after_a_second_merge(db: ScratchDatabase) -> None:
    disabled(db, ("a", "a1"), ("a", "a2"))
    known, reads = ids_of_queue(db), DeliveryReads(db.env)
    for message_id in ("a3", "a4", "a5"):
        merge(db)
        merge_on(db)
        bundle(db, "a", message_id)
        known += [each for each in ids_of_queue(db) if each not in known]
    merge(db)
    merge_on(db)
    known += ids_of_queue(db)
    assert len(set(known)) == len(known) == 9
    assert [reads.delivery(each).id for each in known] == known
    assert held(db) == [["a1", "a2", "a3", "a4", "a5"]]


def test_ids_are_found_when_what_was_merged_is_history_no_longer(db: ScratchDatabase) -> None:
    disabled(db, ("a", "a1"), ("a", "a2"))
    reads = DeliveryReads(db.env)
    merge(db)
    merge_on(db)
    (first,) = ids_of_queue(db)
    trim(db)
    assert reads.delivery(first).id == first
    bundle(db, "a", "a3")
    merge(db)
    merge_on(db)
    (second,) = ids_of_queue(db)
    assert [reads.delivery(each).id for each in (first, second)] == [first, second]
    trim(db)
    assert_sound(db)
    with pytest.raises(Gone):
        reads.delivery(first)
    assert reads.delivery(second).id == second
    delete_chat(db, "a")
    erase(db)
    assert not [key for key in db.dump() if key[:1] in (keyspace.DELIVERIES, keyspace.PLACES)]


def test_times_rise_with_numbers_also_where_a_merged_one_is_merged_again(
    db: ScratchDatabase,
) -> None:
    disabled(db, ("a", "a1"), ("a", "a2"), ("a", "a3"), ("a", "a4"), ("b", "b1"))
    db.change("acme", messages_max=2)
    merge(db)
    merge_on(db)
    assert held(db) == [["a1", "a2"], ["a3", "a4"], ["b1"]]
    db.now_ms += HOUR_MS
    db.change("acme", messages_max=0)
    merge(db)
    merge_on(db)
    assert held(db) == [["a1", "a2", "a3", "a4"], ["b1"]]
    heads = (db.delivery(number) for number in range(1, db.reads.meta().delivery_next))
    times = [head.placed_ms for head in heads if head is not None]
    assert times == sorted(times)


def test_messages_are_in_the_order_of_their_timestamps_and_the_arrivals_stay_theirs(
    db: ScratchDatabase,
) -> None:
    disabled(db)
    late = incoming("late", START_MS + 50_000)
    early = incoming("early", START_MS + 10_000, permalink="https://app.example/early")
    for message in (late, early):
        db.accept(message)
        db.seal()
        db.now_ms += HOUR_MS
    merge(db)
    merge_on(db)
    assert held(db) == [["early", "late"]]
    body = msgspec.json.decode(db.queued()[0].body)
    assert "https://app.example/early" in body["aggregation"]
    assert (body["first_message_timestamp"], body["last_message_timestamp"]) == (
        body["messages"][0]["timestamp"],
        body["messages"][1]["timestamp"],
    )


def test_account_and_chat_are_those_of_the_newest_and_it_is_new_if_any_was(
    db: ScratchDatabase,
) -> None:
    disabled(db)
    old = (
        b'{"chat_id":"c","full_name":"Old","chat_url":"https://app.example/old","is_new_chat":true}'
    )
    new = b'{"chat_id":"c","full_name":"New","chat_url":"https://app.example/new","is_new_chat":false}'
    for number, chat in enumerate((old, new)):
        sent_ms = START_MS + number * 5_000
        db.accept(incoming(f"m{number}", sent_ms, chat=chat, is_new_chat=not number))
        db.seal()
    merge(db)
    merge_on(db)
    body = msgspec.json.decode(db.queued()[0].body)
    assert (body["chat"]["full_name"], body["chat"]["is_new_chat"]) == ("New", True)
    assert "https://app.example/new" in body["aggregation"]
    assert db.queued()[0].chat_name == "New"


def test_what_was_attempted_stays_as_it_is(db: ScratchDatabase) -> None:
    db.workspace()
    bundle(db, "a", "a1")
    db.attempt(failed())
    bundle(db, "a", "a2")
    bundle(db, "a", "a3")
    merge(db)
    merge_on(db)
    assert held(db) == [["a1"], ["a2", "a3"]]


def test_dead_letters_are_not_merged(db: ScratchDatabase) -> None:
    db.workspace()
    bundle(db, "a", "a1")
    for _ in range(3):
        db.attempt(NO)
    for message_id in ("a2", "a3"):
        bundle(db, "a", message_id)
    merge(db)
    merge_on(db)
    assert held(db) == [["a2", "a3"]]
    assert len(db.dead_letters()) == 1


def test_a_bundle_is_cut_at_a_thousand_messages_and_goes_on_in_its_own_place(
    db: ScratchDatabase,
) -> None:
    parts = [[f"{part}-{number}" for number in range(400)] for part in range(4)]
    disabled(db, *(("a", " ".join(part)) for part in parts), ("b", "b1"))
    merge(db)
    merge_on(db)
    assert held(db) == [[*parts[0], *parts[1]], [*parts[2], *parts[3]], ["b1"]]


def test_a_bundle_is_cut_at_the_usual_size(db: ScratchDatabase) -> None:
    disabled(db)
    for number in range(4):
        db.accept(incoming(f"m{number}", db.now_ms, text="x" * 60_000, chat=b'{"chat_id":"c"}'))
        db.accept(incoming(f"n{number}", db.now_ms, text="y" * 60_000, chat=b'{"chat_id":"c"}'))
        db.accept(incoming(f"o{number}", db.now_ms, text="z" * 60_000, chat=b'{"chat_id":"c"}'))
        db.seal()
        db.now_ms += HOUR_MS
    merge(db)
    merge_on(db)
    assert [len(each) for each in held(db)] == [6, 6]
    assert max(len(each.body) for each in db.queued()) <= 1024 * 1024


def test_single_messages_become_a_bundle_once_there_is_a_window(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.disable()
    db.accept("m1", "m2", "m3")
    db.change("acme", aggregation_ms=HOUR_MS)
    merge(db)
    merge_on(db)
    assert held(db) == [["m1", "m2", "m3"]]


def test_a_webhook_without_a_window_is_not_merged(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    with pytest.raises(Conflict) as refused:
        merge(db)
    assert refused.value.code is Code.NOTHING_MERGES
    with pytest.raises(Conflict):
        enable_merged(db)


def test_a_webhook_with_a_replay_under_way_is_not_merged(db: ScratchDatabase) -> None:
    db.workspace()
    bundle(db, "a", "a1")
    db.attempt(OK)
    wanted = ReplayFilter(states=("delivered",))
    start = StartReplay(
        workspace_id="acme", wanted=wanted, deliveries=1, messages=1, now_ms=db.now_ms, caller="a"
    )
    db.group(start)
    with pytest.raises(Conflict) as refused:
        merge(db)
    assert refused.value.code is Code.REPLAY_UNDER_WAY


def test_a_step_ends_when_it_has_become_heavy_whatever_it_looked_at(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    disabled(db, *TWO_CHATS)
    monkeypatch.setattr(merge_steps, "STEP_WEIGHT", 1)
    merge(db)
    assert merge_on(db) == 4  # one for each chat, and one that finds nothing more
    assert held(db) == [["a1", "a2", "a3", "a4"], ["b1", "b2", "b3"], ["c1"]]


def test_a_merge_pays_for_the_rows_of_other_webhooks(db: ScratchDatabase) -> None:
    disabled(db)
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    bundle(db, "a", "a1")
    for number in range(300):
        db.accept(incoming(f"b{number}"), chat="a")
    assert crm
    merge(db)
    with db.unit() as unit:
        before = unit.weight
        merge_steps.merge_step(unit, MergeStep(1, 1, db.now_ms, PRODUCT))
        assert unit.weight - before >= 300
