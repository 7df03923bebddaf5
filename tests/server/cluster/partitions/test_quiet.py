"""What a node leaves out when nothing has happened, and what it never does."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from hookbundle.engine.replication.assignment import as_given, assign
from hookbundle.engine.replication.beats import Beat
from hookbundle.server.cluster.partitions.holding import staying
from hookbundle.server.cluster.partitions.views import Views
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.in_memory import cluster, shared_out

PARTITIONS = 4


def beat(name: str, *, leaves: bool = False, **given: int) -> Beat:
    return Beat(
        name, f"{name}1", "", 0, 0, "", {}, leaves, {int(k[1:]): v for k, v in given.items()}
    )


def assigned(live: Mapping[str, Beat]) -> list[tuple[str, ...]]:
    names = staying(live)
    given = {name: live[name].given for name in names}
    return as_given(assign(PARTITIONS, names, 2), given)


async def test_partitions_are_assigned_anew_when_who_lives_has_changed() -> None:
    views = Views("a1", PARTITIONS, 2)
    a, b, c = (beat(name) for name in "abc")

    for live in (
        {"a": a},
        {"a": a, "b": b},
        {"a": a, "b": b, "c": c},
        {"a": a, "b": beat("b", leaves=True), "c": c},
        {"a": a, "b": beat("b", p0=3, p1=3), "c": c},
        {"a": a, "b": beat("b", p0=3), "c": beat("c", p0=4)},
    ):
        assert views.assigned(live) == assigned(live)
        assert views.assigned(live) is views.assigned(dict(live))


async def test_a_quiet_partition_is_looked_at_now_and_then(tmp_path: Path) -> None:
    async with cluster(tmp_path, PARTITIONS) as made:
        nodes = await made.start("a"), await made.start("b")
        await shared_out(*nodes)
        live, views = nodes[0].live(), Views(nodes[0].life, PARTITIONS, 2)
        for number, host in nodes[0].hosts.items():
            await until(lambda host=host: bool(host.role.state.owner_life))  # type: ignore[misc]

            def is_quiet(number: int = number, *, drains: bool = False) -> bool:
                return views.is_quiet(number, nodes[0].hosts[number], live, drains=drains)

            looks = [is_quiet() for _ in range(3)]
            assert looks == [False, True, True]
            assert not is_quiet(drains=True)


async def test_a_partition_without_a_live_owner_is_looked_at_each_time(tmp_path: Path) -> None:
    async with cluster(tmp_path, PARTITIONS) as made:
        nodes = await made.start("a"), await made.start("b")
        await shared_out(*nodes)
        number = next(iter(nodes[1].owned))
        host, views = nodes[0].hosts[number], Views(nodes[0].life, PARTITIONS, 2)
        await until(lambda: host.role.state.owner_life == nodes[1].life)
        live = {"a": nodes[0].live()["a"]}

        assert [views.is_quiet(number, host, live, drains=False) for _ in range(3)] == [False] * 3


async def test_what_is_given_away_is_owned_by_the_next_one_without_waiting_for_a_look(
    tmp_path: Path,
) -> None:
    async with cluster(tmp_path, 1) as made:
        first, second = await made.start("a"), await made.start("b")
        await shared_out(first, second)
        owner, other = (first, second) if first.owned else (second, first)
        await until(lambda: other.hosts[0].role.state.owner_life == owner.life)
        other.assigning._task.cancel()  # type: ignore[union-attr]
        await asyncio.sleep(0)

        await owner.stop()
        await until(lambda: 0 in other.owned)
