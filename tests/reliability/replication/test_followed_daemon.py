"""The model's lives of a whole daemon, whose groups go through a log, and are followed.

A power failure between the ack and the commit leaves a group in the log alone, from where the
daemon's own copy gets it, as a follower's does. The model demands what it demands without a log,
and the other copy is equal record by record.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pykka
import pytest

from hookbundle.actors.store import Store
from hookbundle.engine.errors import StoreFull
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.simulation import machine
from hookbundle.tests.reliability.simulation.life import Life
from hookbundle.tests.reliability.simulation.machine import Disk, SimulatedPartition
from hookbundle.tests.reliability.simulation.scene import FAULTS
from hookbundle.tests.reliability.simulation.world import World

LIVES = size(1, 20)
DAYS = size(2, 10)


class LoggedPartition(SimulatedPartition):
    """A partition whose groups are appended to `groups`."""

    groups: ClassVar[list[Collected]] = []

    def _new_store(self, kind: type[Store]) -> "pykka.ActorRef[Store]":
        self._agree = self._append
        return super()._new_store(kind)

    def _append(self, rows: Collected) -> Position:
        assert isinstance(self.env, Disk)
        if self.env.full:
            # This disk fails at the commit; a real one fails while the rows are written.
            raise StoreFull("the disk is full: No space left on device")
        self.groups.append(dict(rows))
        return Position("1x0", len(self.groups), 0)


def follow(env: Environment, groups: list[Collected], had: int) -> None:
    for seq, rows in enumerate(groups[had:], had + 1):
        position.follow(env, rows.items(), Position("1x0", seq, 0))


def dump(env: Environment) -> dict[bytes, bytes]:
    but = (keyspace.IDENTITY, keyspace.POSITION)
    with env.read() as txn:
        return {bytes(key): bytes(value) for key, value in txn.cursor() if key not in but}


def crash(world: World) -> None:
    """What the log alone has is in the database before the world reads what was stored."""
    disk = world.daemon.disk
    with disk.read() as txn:
        at = position.read(txn)
    before = disk.dead, disk.cut, disk.full
    disk.dead, disk.cut, disk.full = False, "", False
    follow(disk, LoggedPartition.groups, at.seq if at else 0)
    disk.dead, disk.cut, disk.full = before
    CRASH(world)


CRASH = World.crash


@pytest.fixture
def logged() -> Iterator[type[LoggedPartition]]:
    LoggedPartition.groups = []
    partition = patch.object(machine, "SimulatedPartition", LoggedPartition)
    with partition, patch.object(World, "crash", crash):
        yield LoggedPartition


@pytest.mark.parametrize("seed", range(SEED, SEED + LIVES))
def test_a_daemon_in_a_cluster_keeps_every_promise_and_its_follower_is_its_equal(
    logged: type[LoggedPartition], tmp_path: Path, seed: int
) -> None:
    life: Any = Life(seed, Planned(FAULTS))
    copy = open_environment(tmp_path / "copy", 1)
    try:
        life.run(DAYS)
        follow(copy, logged.groups, 0)

        assert dump(copy) == dump(life.scene.world.daemon.disk)
    finally:
        life.scene.world.close()
        copy.close()
