"""What goes wrong in a partition's own parts is not left as it is."""

from pathlib import Path

import pytest

from hookbundle.actors.replication.messages import Yield
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.in_memory import cluster


async def test_a_node_ends_if_it_can_decide_of_a_partition_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster(tmp_path, 2) as made:
        node = await made.start("a")
        role = node.hosts[1].role

        async def fail(_: Yield) -> None:
            raise RuntimeError("planned")

        monkeypatch.setattr(role, "_yield", fail)
        role.actor_ref.tell(Yield(to=""))
        await until(node.failed.done)

    assert not role.actor_ref.is_alive()
    assert 1 not in node.owned
