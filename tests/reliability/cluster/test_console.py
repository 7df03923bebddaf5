"""The console of nodes in processes of their own: a browser goes on where its node has died."""

import re
from pathlib import Path

import aiohttp

from hookbundle.tests.in_process import Api, connected
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.nodes import NodeProcess, cluster_of
from hookbundle.tests.server.console.plain import Visitor

NAMES = [f"ws{number}" for number in range(6)]
TCP = re.compile(r'"tcp": \["([0-9.]+)", ([0-9]+)\]')


def url_of(node: NodeProcess) -> str:
    found = TCP.search(node.log())
    assert found is not None
    return f"http://{found[1]}:{found[2]}"


async def test_a_browser_goes_on_at_another_node_when_its_own_is_killed(
    tmp_path: Path, nats: LogServers
) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        cluster_of(tmp_path, nats, nodes=3, partitions=4, LISTEN="127.0.0.1:0") as made,
        connected(made.node("b").socket_path) as session,
        aiohttp.ClientSession(cookie_jar=jar) as browser,
    ):
        visitors = [Visitor(browser, url_of(node)) for node in made.nodes]
        for name in NAMES:
            assert (await Api(session).ask("POST", "/v1/workspaces", {"id": name})).status == 201
        token = await Api(session).ask("POST", "/v1/tokens", {"scope": "admin"})
        signed_in = await visitors[0].sign_in(token.document["token"])
        paths = ["/console/workspaces", *(f"/console/w/{name}/outbound" for name in NAMES)]
        before = [(await each.get(path)).status for each in visitors for path in paths]
        made.node("a").kill()
        after = [(await each.get(path)).status for each in visitors[1:] for path in paths]
        overview = await visitors[1].get("/console/overview")
        nodes = await visitors[1].get("/console/cluster")
        visitors[1].form_token = visitors[0].form_token
        signed_out = await visitors[1].post("/console/sign-out")
        gone = [(await each.get(paths[0])).status for each in visitors[1:]]

    print(f"console over a takeover: before {set(before)}, after {after}")
    assert signed_in.status == 303
    assert set(before) == {200}
    assert set(after) == {200}
    assert (overview.status, nodes.status, signed_out.status) == (200, 200, 303)
    assert gone == [303, 303]
