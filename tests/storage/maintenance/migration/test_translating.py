"""What schema 2 has and schema 1 had not: heads of deliveries that have ended, phones, owners."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.delivery_records import Action, Attempt, Delivery
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import queue
from hookbundle.tests.storage.fixtures.released import held_by
from hookbundle.tests.storage.maintenance.migration.upgrading import opened, upgraded
from hookbundle.tests.storage.scratch import ScratchDatabase

HELD = held_by("schema-1-busy")


@pytest.fixture
def db(busy: Path) -> Iterator[ScratchDatabase]:
    upgraded(busy)
    db = opened(busy)
    yield db
    db.close()


def test_what_is_in_the_log_and_no_longer_waits_is_a_delivery_that_has_ended(
    db: ScratchDatabase,
) -> None:
    for number, log in logs():
        waiting = {each["id"] for each in waiting_of(number)}
        ended = {row[1] for row in log if row[1].startswith("dlv_")} - waiting
        for delivery_id in ended:
            rows = [row for row in log if row[1] == delivery_id]
            delivery = head_of(db, delivery_id)

            is_delivered = rows[-1][3] == "delivered"
            assert delivery.state == ("delivered" if is_delivered else "discarded")
            assert queue.delivery_id(number, delivery) == delivery_id
            assert delivery.attempts == rows[-1][2]
            assert 0 < delivery.sealed_ms <= delivery.ended_ms
            assert (delivery.messages, delivery.bundle) == (1, number != 2)
            assert (delivery.status == 200) == is_delivered
            assert delivery.rejections == sum(row[3] == "rejected" for row in rows)


def test_a_delivery_has_the_status_of_its_last_answer(db: ScratchDatabase) -> None:
    statuses = set()
    for number, log in logs():
        last = {row[1]: row[2] for row in log if row[1].startswith("dlv_")}
        for delivery_id, attempt in last.items():
            delivery = head_of(db, delivery_id)
            key = keyspace.of_delivery(keyspace.ATTEMPTS, number, delivery.number, attempt)
            (made,) = records(db, key, Attempt)
            assert delivery.status == made.status
            statuses.add((delivery.state, delivery.status))

    expected = {("delivered", 200), ("discarded", 404), ("dead_letter", 404), ("queued", 0)}
    assert expected <= statuses


def test_the_erasure_of_a_workspace_names_its_webhook(db: ScratchDatabase) -> None:
    (erasure,) = records(db, keyspace.owned(keyspace.ERASURES, 7), Erasure)

    assert (erasure.webhooks, erasure.seen_before) == ((7,), 0)


def test_both_ways_to_end_are_in_the_fixture(db: ScratchDatabase) -> None:
    heads = records(db, keyspace.DELIVERIES, Delivery)
    states = {head.state for head in heads}

    assert states == {"queued", "dead_letter", "delivered", "discarded"}
    assert {head.ended_ms > 0 for head in heads if head.state == "discarded"} == {True}


def test_history_is_trimmed_from_when_its_oldest_delivery_ended(db: ScratchDatabase) -> None:
    oldest: dict[int, int] = {}
    for key in db.dump():
        if key.startswith(keyspace.ENDED):
            oldest.setdefault(key_fields.owner(key), key_fields.ended_ms(key))

    trims = {row.number: row.at_ms for row in db.dues(DueKind.TRIM)}

    assert trims == oldest
    assert set(trims) == {2, 6}


def test_a_delivery_has_the_name_and_phone_of_its_customer(db: ScratchDatabase) -> None:
    heads = [head for head in records(db, keyspace.DELIVERIES, Delivery) if head.chat_id == "l1"]

    assert heads
    assert {(head.chat_name, head.phone) for head in heads} == {
        ("Jane 1 ü", "+1 (555) 010-0001"),
        ("", ""),  # of messages that said nothing of their chat
    }


def test_a_chat_is_found_by_the_phone_in_its_deliveries(db: ScratchDatabase) -> None:
    keys = db.dump()

    for chat, digits in (("l1", b"15550100001"), ("l2", b"15550100002"), ("s", b"15550100005")):
        found = keyspace.of_chat(keyspace.CHAT_PHONES, 2, chat.encode(), digits) in keys
        back = keyspace.phone_chat(2, digits, chat.encode()) in keys
        has_deliveries = any(
            key.startswith(keyspace.of_chat(keyspace.CHAT_DELIVERIES, 2, chat.encode()))
            for key in keys
        )
        assert found == back == has_deliveries, chat


def test_a_line_of_the_activity_log_names_the_attempt_that_it_is_about(
    db: ScratchDatabase,
) -> None:
    pointed = 0
    for number, log in logs():
        attempts = {row[0]: (int(row[1][-12:], 16), row[2]) for row in log if row[1][:4] == "dlv_"}
        for action in records(db, keyspace.owned(keyspace.ACTIONS, number), Action):
            wanted = attempts.get(action.logged - 1, (0, 0))
            assert (action.delivery, action.attempt) == wanted
            pointed += wanted != (0, 0)
    assert pointed > 20


def test_an_event_of_the_feed_belongs_to_its_workspace(db: ScratchDatabase) -> None:
    numbers = {each["id"]: each["number"] for each in HELD["workspaces"]}
    seen = set()
    for row in records(db, keyspace.FEED, FeedRow):
        events = codec.unpack_events(row.events)
        assert list(row.owners) == [numbers.get(event["workspace"], 0) for event in events]
        assert row.positions == ()
        seen.update(row.owners)

    assert seen == {0, *numbers.values()}


def logs() -> Iterator[tuple[int, list[Any]]]:
    """The workspaces' numbers, with the detailed log of each."""
    for each in HELD["workspaces"]:
        yield each["number"], each["log"]


def waiting_of(number: int) -> list[Any]:
    (found,) = [each for each in HELD["workspaces"] if each["number"] == number]
    return [*found["queued"], *found["dead_letters"]]


def head_of(db: ScratchDatabase, delivery_id: str) -> Delivery:
    _, webhook, number = queue.parse_delivery_id(delivery_id)
    found = db.delivery(number, webhook)
    assert found is not None
    return found


def records(db: ScratchDatabase, prefix: bytes, kind: Any) -> list[Any]:
    dump = db.dump()
    found = sorted(key for key in dump if key.startswith(prefix))
    return [codec.unpack(key, dump[key], kind) for key in found]
