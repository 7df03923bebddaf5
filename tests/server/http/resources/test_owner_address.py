"""Who may set where mails about a workspace go: the operator, not the workspace itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.in_process import System, daemon_in, receiving
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.tokens import bearer

PATH = "/v1/workspaces/acme"
OWNER = "owner@acme.example"
ELSE = "somebody@else.example"


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", "127.0.0.1:0")
    async with receiving() as receiver, daemon_in(tmp_path, listeners=listeners) as system:
        await system.make("acme", receiver)
        yield system


async def changed(system: System, token: str, method: str, document: Any) -> tuple[int, Any]:
    assert system.daemon.listeners.tcp
    url = "http://{}:{}{}".format(*system.daemon.listeners.tcp, PATH)
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=document, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("owner", [ELSE, ""])
async def test_a_workspace_s_own_token_may_not_set_it(
    system: System, method: str, owner: str
) -> None:
    before = await system.show()

    wanted = {"name": "Other", "owner_email": owner}
    status, problem = await changed(system, await bearer(system, "acme"), method, wanted)

    assert status == 403
    assert "ask the operator" in problem["detail"]
    assert await system.show() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("given", [{"owner_email": OWNER}, {}])
async def test_a_change_that_leaves_it_is_made(
    system: System, method: str, given: dict[str, str]
) -> None:
    wanted = {"name": "Other", **given}

    status, shown = await changed(system, await bearer(system, "acme"), method, wanted)

    assert (status, shown["name"], shown["owner_email"]) == (200, "Other", OWNER)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_the_operator_s_token_sets_it(system: System, method: str) -> None:
    status, shown = await changed(system, await bearer(system), method, {"owner_email": ELSE})

    assert (status, shown["owner_email"]) == (200, ELSE)


async def test_the_owner_s_page_shows_it_and_cannot_change_it(system: System) -> None:
    assert system.daemon.listeners.tcp
    url = "http://{}:{}".format(*system.daemon.listeners.tcp)
    form = {"name": "Other", "was_enabled": "on", "enabled": "on", "aggregation": "none"}
    async with visitor(url) as owner:
        await owner.sign_in(await bearer(system, "acme"))
        page = await owner.get("/console/w/acme/outbound")
        owner.form_token = page.form_token
        hook = await system.hook()
        saved = await owner.post("/console/w/acme/outbound", {**form, "url": hook["url"]})
        forged = await owner.post(
            "/console/w/acme/outbound", {**form, "url": hook["url"], "owner_email": ELSE}
        )
    async with visitor(url) as operator:
        await operator.sign_in(await bearer(system))
        page_of_the_operator = await operator.get("/console/w/acme/outbound")

    assert f'value="{OWNER}" readonly' in page.text
    assert "Only the operator" in page.text
    assert 'name="owner_email"' not in page.text
    assert 'name="owner_email"' in page_of_the_operator.text
    assert (saved.status, forged.status) == (303, 403)
    shown = await system.show()
    assert (shown["name"], shown["owner_email"]) == ("Other", OWNER)
