"""Ids, bodies and commands, taken along: by the clipboard, or as a file."""

import json

import pytest
from playwright.async_api import Browser, Page, expect

from hookbundle.tests.server.console.browsing import opened
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

DELIVERIES = "/console/w/acme/deliveries"


async def test_ids_bodies_and_commands_are_copied(stage: Stage, browser: Browser) -> None:
    await stage.workspace("acme", aggregation="none", path="/hook?token=verysecret")
    await stage.system.accept("acme", talk("It's “here”\u202e"))
    await stage.until("acme", queued=0)
    found = await stage.system.get("/v1/workspaces/acme/deliveries")
    delivery_id = found["deliveries"][0]["id"]
    permissions = ["clipboard-read", "clipboard-write"]
    async with opened(browser, stage, permissions=permissions) as page:

        async def copied(name: str) -> str:
            await page.get_by_role("button", name=name).click()
            await expect(page.get_by_role("button", name="Copied")).to_be_visible()
            await expect(page.get_by_role("button", name="Copied")).to_have_count(0)
            text: str = await page.evaluate("navigator.clipboard.readText()")
            return text

        await page.goto(f"{DELIVERIES}/{delivery_id}")
        assert await copied("Copy id of the delivery") == delivery_id
        assert await copied("Copy the body") == stage.receiver.bodies[0].decode()
        command = await copied("Copy as cURL")
        async with page.expect_download() as started:
            await page.get_by_role("link", name="Download").click()
        download = await started.value

    assert command.startswith("curl --request POST")
    assert f"webhook-id: {delivery_id}" in command
    assert "verysecret" not in command
    assert "webhook-signature" not in command
    assert "\u202e" not in command
    assert download.suggested_filename == f"{delivery_id}.json"


async def test_the_body_comes_as_a_file_and_never_as_a_page(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="none")
    await stage.system.accept("acme", talk("<script>window.canary=1</script>"))
    await stage.until("acme", queued=0)
    found = await stage.system.get("/v1/workspaces/acme/deliveries")
    path = f"{DELIVERIES}/{found['deliveries'][0]['id']}/body"

    answer = await page.request.get(path)

    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert json.loads(await answer.body())["message"]["text"].startswith("<script>")
