"""An upgraded database has the names of today, and nothing under those of 0.1.0."""

from pathlib import Path
from typing import Any

import lmdb
import msgspec
import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys
from hookbundle.tests.storage.fixtures.released import NAMED_SINCE
from hookbundle.tests.storage.maintenance.migration.upgrading import opened, upgraded


def facts_in(path: Path) -> list[dict[str, Any]]:
    db = opened(path)
    feed = [event for _, event in db.feed()]
    db.close()
    return feed


def plant(path: Path, event: dict[str, Any]) -> None:
    """The first row of the feed has this event, as often as it has events."""
    env = lmdb.open(str(path), lib_version=0)
    with env.begin(write=True) as txn:
        cursor = txn.cursor()
        assert cursor.set_range(old_keys.FEED)
        key, row = cursor.key(), codec.unpack(cursor.key(), cursor.value(), old.FeedRow)
        packed = msgspec.msgpack.encode([event] * row.count)
        txn.put(key, codec.pack(key, msgspec.structs.replace(row, events=packed)))
    env.close()


def test_facts_are_written_with_the_types_of_today(busy: Path) -> None:
    assert b"delivery.parked" in (busy / "data.mdb").read_bytes()

    upgraded(busy)

    types = {event["type"] for event in facts_in(busy)}
    assert "delivery.dead_lettered" in types
    assert not NAMED_SINCE.keys() & types
    assert b"delivery.parked" not in (busy / "data.mdb").read_bytes()


@pytest.mark.parametrize("kind", ["delivery.retried", "delivery.discarded"])
@pytest.mark.parametrize("was", ["pending", "parked"])
def test_facts_are_written_with_the_states_of_today(busy: Path, kind: str, was: str) -> None:
    data = {"delivery": "dlv_1", "was": was, "messages": 1, "caller": "uid 0"}
    plant(busy, {"type": kind, "time": 1, "workspace": "acme", "chat": "c", "data": data})

    upgraded(busy)

    assert facts_in(busy)[0]["data"] == {**data, "was": NAMED_SINCE[was]}


def test_lines_of_the_activity_are_written_with_the_states_of_today(busy: Path) -> None:
    upgraded(busy)

    db = opened(busy)
    outcomes = {
        codec.unpack(key, value, Action).outcome
        for key, value in db.dump().items()
        if key.startswith(keyspace.ACTIONS)
    }
    db.close()
    assert "dead_letter" in outcomes
    assert not NAMED_SINCE.keys() & outcomes
