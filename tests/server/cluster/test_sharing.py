"""What partitions of a node share: one that is given away takes nothing of it from the others."""

from pathlib import Path

from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, two

FORMAT = {"template": {"note": "{{ messages | text }}"}}


async def test_bodies_are_rendered_in_a_partition_that_stays(tmp_path: Path) -> None:
    async with receiving() as receiver, two(tmp_path) as made:
        owner = next(node for node in made.nodes if len(node.owned) > 1)
        goes, stays = sorted(owner.owned)[:2]
        name = next(each for each in NAMES if of_workspace(each, PARTITIONS) == stays)
        await made.apis[0].make(name, receiver, name, format=FORMAT)
        await made.apis[0].accept(name, event("m1"))
        await receiver.until(1, name)
        other = next(node.cluster.node for node in made.nodes if node is not owner)
        moved = await made.apis[0].ask(
            "POST", "/v1/cluster/move", {"partition": goes, "node": other}
        )
        await made.apis[0].accept(name, event("m2"))
        posts = await receiver.until(2, name)

    assert moved.status == 200, moved
    assert ["text of m1" in posts[0].body.decode(), "text of m2" in posts[1].body.decode()] == [
        True,
        True,
    ]
