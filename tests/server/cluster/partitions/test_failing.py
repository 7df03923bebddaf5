"""What goes wrong in a partition's own parts is not left as it is."""

from pathlib import Path

import pytest

from hookbundle.actors.replication.log import Log
from hookbundle.actors.replication.messages import Yield
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.in_memory import cluster, shared_out


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


async def test_a_node_ends_if_it_can_not_say_what_became_of_its_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the role would be neither that of a follower nor that of an owner, for ever."""
    async with cluster(tmp_path, 2) as made:
        first, second = await made.start("a"), await made.start("b")
        await shared_out(first, second)
        (number,) = first.owned

        async def fail(*_: object) -> bool:
            raise RuntimeError("planned")

        monkeypatch.setattr(Log, "claim", fail)
        await first.stop()
        await until(second.failed.done)

    assert not second.hosts[number].role.actor_ref.is_alive()
