"""Tokens of callers in a cluster: known wherever they are used, revoked wherever they were."""

from pathlib import Path

import aiohttp

from hookbundle.server.cluster.node import Node
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.server.cluster.hostile.apart import shared_out_apart
from hookbundle.tests.server.cluster.in_memory import cluster

PARTITIONS = 3
NAMES = [f"ws{number}" for number in range(5)]


async def status_of(node: Node, token: str, method: str, path: str, document: object) -> int:
    """What the node answers on TCP."""
    tcp = node.listeners.tcp
    assert tcp is not None
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"http://{tcp[0]}:{tcp[1]}{path}", json=document) as answer,
    ):
        return answer.status


async def test_a_token_is_good_on_every_node_until_it_is_revoked(tmp_path: Path) -> None:
    async with receiving() as receiver, cluster(tmp_path, PARTITIONS) as made:
        # With one copy no node has what the other owns.
        nodes = [await made.start("a", copies=1), await made.start("b", copies=1)]
        await shared_out_apart(*nodes)
        async with connected(nodes[0].config.listeners.socket_path) as session:
            api = Api(session)
            for name in NAMES:
                await api.make(name, receiver, name)
            wanted = [{"scope": "intake", "workspace": name} for name in NAMES]
            tokens = [
                (await api.ask("POST", "/v1/tokens", {"scope": "intake"})).document,
                *[(await api.ask("POST", "/v1/tokens", each)).document for each in wanted],
            ]
            listed = await api.get("/v1/tokens")
            found = []
            for node in nodes:
                for name, token in zip((NAMES[0], *NAMES), tokens, strict=True):
                    path = f"/v1/workspaces/{name}/messages"
                    found.append(await status_of(node, token["token"], "POST", path, [event("m")]))
            foreign = await status_of(
                nodes[1], tokens[1]["token"], "POST", f"/v1/workspaces/{NAMES[1]}/messages", []
            )
            for token in tokens:
                gone = await api.ask("DELETE", f"/v1/tokens/{token['id']}")
                assert gone.status == 204
            after = [
                await status_of(node, tokens[2]["token"], "POST", path, [event("m")])
                for node in nodes
                for path in (f"/v1/workspaces/{NAMES[1]}/messages",)
            ]
            nonsense = await status_of(nodes[1], "hb_nothing", "GET", "/v1/status", None)

    assert len(listed["tokens"]) == len(tokens)
    assert found == [202] * len(found)
    assert foreign == 403
    assert after == [401, 401]
    assert nonsense == 401
