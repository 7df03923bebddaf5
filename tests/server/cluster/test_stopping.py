"""A node that is stopped ends, also when it can't give away what it owns."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hookbundle.actors.replication import role
from hookbundle.actors.replication.messages import ReadOn, RewriteCopy
from hookbundle.engine.errors import HookbundleError, Overloaded
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.node import Node
from hookbundle.storage.database.replication.copies import open_copy
from hookbundle.storage.maintenance.replication.copies import Rewritten
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.in_memory import cluster, shared_out

PARTITIONS = 2


async def stopped(node: Node) -> None:
    """Its partitions are waited for as short as can be."""
    node.config = replace(node.config, stop_within_s=0.1)
    async with asyncio.timeout(TIMEOUT_S):
        await node.stop()


async def test_a_node_whose_log_servers_are_gone_ends_and_its_copies_are_whole(
    tmp_path: Path,
) -> None:
    async with cluster(tmp_path, PARTITIONS) as made:
        node = await made.start("a")
        for log in made.logs:
            log.is_up.clear()
        await stopped(node)

    for number in range(PARTITIONS):
        copy = open_copy(tmp_path / "a" / "data" / "partitions" / f"{number:03}", 1)
        assert copy is not None, "it can be gone on with"
        copy.close()


async def test_a_copy_whose_node_ended_while_it_read_the_log_is_gone_on_with(
    tmp_path: Path,
) -> None:
    async with cluster(tmp_path, PARTITIONS) as made:
        first, second = await made.start("a"), await made.start("b")
        await shared_out(first, second)
        (number,) = first.owned
        made.logs[number].is_up.clear()
        second.hosts[number].role.actor_ref.tell(ReadOn())
        await asyncio.sleep(0)
        await stopped(second)
        made.logs[number].is_up.set()

    copy = open_copy(tmp_path / "b" / "data" / "partitions" / f"{number:03}", 1)
    assert copy is not None
    copy.close()


async def test_a_node_that_can_not_read_the_logs_that_it_joins_ends(tmp_path: Path) -> None:
    async with cluster(tmp_path, PARTITIONS) as made:
        await made.start("a")
        for log in made.logs:
            log.is_up.clear()
        node = await made.start("b")
        await until(lambda: node.hosts[0].role.state.role is Role.JOINING)
        await stopped(node)
        for log in made.logs:
            log.is_up.set()


async def test_a_node_does_not_end_before_it_has_stopped_to_write_a_copy_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, is_over = threading.Event(), threading.Event()

    def long(path: Path, tick: Callable[[], None]) -> Rewritten:
        begun.set()
        while not is_over.wait(0.001):
            tick()
        return Rewritten(0, 0, 0)

    monkeypatch.setattr(role, "rewrite_copy", long)
    async with cluster(tmp_path, PARTITIONS) as made:
        node = await made.start("a")
        told: list[Rewritten | HookbundleError] = []
        node.hosts[1].role.actor_ref.tell(RewriteCopy(then=told.append))
        assert await asyncio.to_thread(begun.wait, TIMEOUT_S)
        try:
            await stopped(node)
        finally:
            is_over.set()

    assert [type(each) for each in told] == [Overloaded]
