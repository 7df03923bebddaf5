"""The rows that units write, put into another database, make an equal one.

And the database that a long random life leaves is sound, whatever was trimmed and erased in it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.maintenance.check import check
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.storage.random_life import Life
from hookbundle.tests.storage.scratch import HOUR_MS, OK, START_MS, ScratchDatabase

TRANSITIONS = size(4_000, 50_000)
SMALL = Retention(feed_events=500, feed_ms=72 * HOUR_MS, history_bytes=100_000, answer_bytes=20_000)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Environment, Environment]]:
    envs = [open_environment(tmp_path / name, START_MS) for name in ("owner", "follower")]
    yield envs[0], envs[1]
    for env in envs:
        env.close()


def follow(env: Environment, collected: Collected) -> None:
    with env.write() as txn:
        for key, value in collected.items():
            if value is None:
                txn.delete(key)
            else:
                txn.put(key, value)


def dump(env: Environment) -> dict[bytes, bytes]:
    with env.read() as txn:
        return {bytes(key): bytes(value) for key, value in txn.cursor() if key != b"I"}


@pytest.mark.parametrize("seed", range(size(1, 2)))
def test_a_life_followed_row_by_row_leaves_an_equal_and_sound_database(
    pair: tuple[Environment, Environment], seed: int
) -> None:
    owner, follower = pair
    life = Life(owner, seed, everything=True, retention=SMALL)

    while life.made < TRANSITIONS:
        life.collected = {}
        life.step()
        follow(follower, life.collected)

    assert dump(owner) == dump(follower)
    with owner.read() as txn:
        assert list(check(txn)) == []


def test_a_row_deleted_by_a_unit_is_collected_as_deleted(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.collected = {}

    db.finish(db.begun(), OK)

    gone = [key for key, value in db.collected.items() if value is None]
    assert gone
    assert all(key not in db.dump() for key in gone)
