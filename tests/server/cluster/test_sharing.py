"""What partitions of a node share: one that is given away takes nothing of it from the others."""

from pathlib import Path

from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.crm.requests.oauth_server import oauth_server
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.server.cluster.in_memory import cluster
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


async def test_a_test_request_has_the_access_token_of_its_own_webhook(tmp_path: Path) -> None:
    """Partitions number their webhooks each for itself."""
    async with oauth_server() as endpoint, receiving() as receiver, cluster(tmp_path, 2) as made:
        node = await made.start("a")
        name = next(each for each in NAMES if of_workspace(each, 2) == 1)
        async with connected(node.config.listeners.socket_path) as session:
            api = Api(session)
            await api.make(name, receiver, name, request={"auth": endpoint.auth()})
            await api.accept(name, event("m1"))
            await receiver.until(1)
            tested = await api.ask("POST", f"/v1/workspaces/{name}/webhooks/outbound/test")

    assert tested.document["outcome"] == "delivered"
    assert len(endpoint.given) == 1
