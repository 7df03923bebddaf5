"""The new database is written in batches, whatever its size."""

from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.delivery_records import Chunk, Delivery
from hookbundle.storage.maintenance.migration import bodies
from hookbundle.storage.maintenance.migration import target as target_module
from hookbundle.storage.maintenance.migration.target import Target
from hookbundle.storage.tables import contacts


@pytest.fixture
def env(tmp_path: Path) -> Iterator[lmdb.Environment]:
    env = lmdb.open(str(tmp_path), map_size=1 << 20, lib_version=0)
    yield env
    env.close()


def tick() -> None:
    pass


def test_the_map_grows_with_what_is_written(
    env: lmdb.Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_module, "BATCH_BYTES", 1 << 16)

    with Target.of(env, tick) as target:
        for number in range(500):
            key = keyspace.of_delivery(keyspace.BODIES, 1, number, 0)
            target.put(key, Chunk(body=b"x" * 10_000))

    assert env.stat()["entries"] == 500
    assert env.info()["map_size"] > 5_000_000


def test_what_fails_midway_raises_its_own_error(env: lmdb.Environment) -> None:
    """Not the one of ending a transaction that has ended already."""
    with pytest.raises(lmdb.MapFullError):
        write_more_than_fits(env)


def write_more_than_fits(env: lmdb.Environment) -> None:
    with Target.of(env, tick) as target:
        for number in range(500):
            key = keyspace.of_delivery(keyspace.BODIES, 1, number, 0)
            target.put(key, Chunk(body=b"x" * 10_000))


def test_a_chat_is_found_by_as_many_phones_as_any_other(env: lmdb.Environment) -> None:
    with Target.of(env, tick) as target:
        for number in range(contacts.PHONES_MAX + 4):
            bodies.put_indexes(target, 1, delivery(number, phone=f"+{100 + number}"))
        bodies.put_indexes(target, 1, delivery(99, phone="+100"))

    with env.begin() as txn:
        phones = [key for key, _ in rows.rows(txn, keyspace.CHAT_PHONES)]
        chats = [key for key, _ in rows.rows(txn, keyspace.PHONE_CHATS)]
        deliveries = [key for key, _ in rows.rows(txn, keyspace.CHAT_DELIVERIES)]
    assert len(phones) == len(chats) == contacts.PHONES_MAX
    assert len(deliveries) == contacts.PHONES_MAX + 5


def delivery(number: int, phone: str) -> Delivery:
    return Delivery(
        number=number,
        chat_id="c",
        messages=1,
        sealed_ms=0,
        reason="",
        bundle=False,
        epoch="0123456789",
        phone=phone,
    )
