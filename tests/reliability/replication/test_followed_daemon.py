"""The model's lives of a whole daemon, whose groups go through a log, and are followed.

A power failure between the ack and the commit leaves a group in the log alone: the daemon finds it
there when it starts, as a follower would. The model demands what it demands without a log, and the
copy is equal record by record.
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

LIVES = size(1, 20)
DAYS = size(2, 10)


class LoggedPartition(SimulatedPartition):
    """A partition whose groups are appended to `groups`, from where its copy gets what it lacks."""

    groups: ClassVar[list[Collected]] = []
    lacked: ClassVar[int] = 0

    def _open_environment(self) -> Environment:
        disk = super()._open_environment()
        with disk.read() as txn:
            at = position.read(txn)
        had = at.seq if at else 0
        LoggedPartition.lacked += len(self.groups) - had
        follow(disk, self.groups, had)
        return disk

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


@pytest.fixture
def logged() -> Iterator[type[LoggedPartition]]:
    LoggedPartition.groups, LoggedPartition.lacked = [], 0
    with patch.object(machine, "SimulatedPartition", LoggedPartition):
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
        assert logged.lacked, "no power failure came between an ack and its commit"
    finally:
        life.scene.world.close()
        copy.close()
