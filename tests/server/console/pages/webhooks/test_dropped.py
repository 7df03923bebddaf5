"""A URL that leads to another host: the page says that headers and credentials did not go along."""

import re

import pytest

from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUEST = {"headers": {"X-Tenant": "acme north"}, "auth": {"type": "bearer", "token": "a-token"}}


@pytest.mark.parametrize(
    ("webhook", "path"),
    [("outbound", "/console/w/acme/outbound"), ("crm", "/console/w/acme/webhooks/crm")],
)
async def test_another_host_drops_headers_and_credentials_and_the_page_says_so(
    stage: Stage, webhook: str, path: str
) -> None:
    await stage.workspace("acme", aggregation="6h")
    hooks = "/v1/workspaces/acme/webhooks"
    url = f"{stage.receiver.url}/crm"
    if webhook == "crm":
        await stage.system.ask("POST", hooks, {"id": "crm", "url": url, "aggregation": "6h"})
    await stage.system.ask("PATCH", f"{hooks}/{webhook}", {"request": REQUEST})
    same = {"enabled": "on", "was_enabled": "on", "window": "6h"}
    said = []
    async with signed_in(stage) as person:
        for moved in (f"{stage.receiver.url}/elsewhere", url.replace("127.0.0.1", "127.0.0.2")):
            answer = await person.post(path, {**same, "url": moved})
            agreed = re.search(r'name="agreed" value="([^"]*)"', answer.text)
            if agreed:  # it was asked first
                answer = await person.post(path, {**same, "url": moved, "agreed": agreed[1]})
            assert answer.status == 303, answer
            said.append("they are dropped" in (await person.get(path)).text)

    shown = await stage.system.get(f"{hooks}/{webhook}")
    assert said == [False, True]
    assert (shown["request"]["headers"], shown["request"]["auth"]) == ({}, {"type": "none"})
