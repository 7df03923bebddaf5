"""A node that will not come back is forgotten; one that lives is not."""

from pathlib import Path

from hookbundle.tests.in_process import daemon_in
from hookbundle.tests.server.cluster.two_nodes import two

FORGET = "/v1/cluster/forget"


async def test_a_node_that_was_stopped_is_forgotten_once(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        lives = await made.apis[0].ask("POST", FORGET, {"node": "b"})
        await made.nodes[1].stop()
        gone = await made.apis[0].ask("POST", FORGET, {"node": "b"})
        again = await made.apis[0].ask("POST", FORGET, {"node": "b"})

        assert set(made.cluster.known) == {"a"}
    assert (lives.status, lives.code) == (409, "node_lives")
    assert gone.status == 204
    assert (again.status, again.code) == (404, "unknown_node")


async def test_a_daemon_alone_has_nobody_to_forget(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("POST", FORGET, {"node": "b"})

    assert (answer.status, answer.code) == (409, "in_no_cluster")
