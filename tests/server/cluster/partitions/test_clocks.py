"""What the next owner makes of a time that the clock of the last one has left in a partition."""

from pathlib import Path

import pytest

from hookbundle.engine import machine_time
from hookbundle.engine.replication.members import APART_MS
from hookbundle.server.cluster.partitions.owned import PartitionClock
from hookbundle.tests.in_process import MINUTE_MS, Api, connected, event, until
from hookbundle.tests.server.cluster.in_memory import cluster

AHEAD_MS = 5 * MINUTE_MS


@pytest.fixture
def kept_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_time, "is_synchronised", lambda: True)


@pytest.fixture
def kept_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_time, "is_synchronised", lambda: False)


async def taken_over(folder: Path, ahead_ms: int) -> tuple[bool, int]:
    """Whether the next owner holds its timers, and how far its time is ahead of the machine's,
    after a message has come while the clock of the one before was ahead."""
    async with cluster(folder, 1) as made:
        first = await made.start("a")
        second = await made.start("b")
        await until(lambda: len(first.owned) + len(second.owned) == 1)
        owner, heir = (first, second) if first.owned else (second, first)
        owner.owned[0].clock._rebase(owner.owned[0].clock.now_ms() + ahead_ms)
        async with connected(owner.config.listeners.socket_path) as session:
            await Api(session).ask("POST", "/v1/workspaces", {"id": "acme"})
            await Api(session).accept("acme", event("m1"))
            await owner.stop()
            await until(lambda: 0 in heir.owned)
        async with connected(heir.config.listeners.socket_path) as session:
            again = await Api(session).accept("acme", event("m1"))
        clock = heir.owned[0].clock
        assert again["duplicate"] == 1
        return clock.held, clock.now_ms() - clock.wall_ms()


@pytest.mark.usefixtures("kept_right")
async def test_an_owner_with_a_time_server_goes_back_from_a_time_that_was_far_ahead(
    tmp_path: Path,
) -> None:
    held, ahead_ms = await taken_over(tmp_path, AHEAD_MS)

    assert not held
    assert ahead_ms < MINUTE_MS


@pytest.mark.usefixtures("kept_by_nobody")
async def test_an_owner_without_one_counts_on_and_holds_its_timers(tmp_path: Path) -> None:
    held, ahead_ms = await taken_over(tmp_path, AHEAD_MS)

    assert held
    assert ahead_ms > AHEAD_MS - MINUTE_MS


@pytest.mark.usefixtures("kept_right")
def test_nobody_goes_back_for_as_much_as_nodes_differ() -> None:
    clock = PartitionClock()

    assert not clock.is_right_about(clock.wall_ms() + APART_MS // 2)
    assert clock.is_right_about(clock.wall_ms() + 3 * APART_MS)
