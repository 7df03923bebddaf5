"""A copy that is closed is synced: seconds on a slow disk, in which the node goes on."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from hookbundle.actors.replication.messages import RewriteCopy
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database.replication.copies import Copy
from hookbundle.storage.maintenance.replication.copies import Rewritten
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.server.cluster.two_nodes import two


async def test_a_node_answers_while_a_copy_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    threads: set[threading.Thread] = set()
    is_synced = Copy._is_synced

    def slow(copy: Copy) -> bool:
        threads.add(threading.current_thread())
        begun.set()
        may_end.wait(TIMEOUT_S)
        return is_synced(copy)

    monkeypatch.setattr(Copy, "_is_synced", slow)
    async with two(tmp_path) as made:
        node = made.nodes[0]
        followed = next(
            host for host in node.hosts.values() if host.role.state.role is Role.FOLLOWING
        )
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        followed.role.actor_ref.tell(RewriteCopy(then=done.set_result))
        assert await asyncio.to_thread(begun.wait, TIMEOUT_S)
        shown = await made.apis[0].get("/v1/cluster")
        may_end.set()
        async with asyncio.timeout(TIMEOUT_S):
            assert isinstance(await done, Rewritten)

    roles = {each["node"]: each["role"] for each in shown["partitions"][followed.number]["copies"]}
    assert roles["a"] == "joining", "nobody takes it for one that follows meanwhile"
    assert len(threads) > 0
    assert threading.main_thread() not in threads, "not when the node stops either"
