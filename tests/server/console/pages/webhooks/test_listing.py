"""Workspaces with several webhooks in the lists of the operator: how each of them is doing."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from hookbundle.tests.in_process import HOUR_MS
from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

API = "/v1/workspaces/acme/webhooks"
WORKSPACES = "/console/workspaces"


async def another(stage: Stage, webhook_id: str, **more: Any) -> None:
    made = {"id": webhook_id, "url": f"{stage.receiver.url}/{webhook_id}", **more}
    assert (await stage.system.ask("POST", API, made)).status == 201


async def test_each_webhook_stands_with_its_state_and_what_it_holds_itself(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", "Acme Ltd", aggregation="6h")
    await another(stage, "crm", aggregation="none")
    await another(stage, "sms", aggregation="6h")
    await stage.system.ask("POST", f"{API}/crm/disable")
    await stage.system.accept("acme", talk("Hi", 1), talk("Hello", 2))

    await page.goto(WORKSPACES)

    row = page.get_by_role("row").filter(has_text="Acme Ltd")
    await expect(row.locator(".badge")).to_have_text(["Enabled", "Disabled"])
    groups = row.locator(".states > div")
    await expect(groups.nth(0)).to_contain_text("outbound, sms")
    await expect(groups.nth(1)).to_contain_text("crm")
    await expect(groups.nth(1)).to_contain_text("2 messages held")
    await expect(groups.nth(0)).not_to_contain_text("held")
    await expect(row).to_contain_text("Every 6 hours, Don't aggregate")
    await row.get_by_role("link", name="crm").click()
    await expect(page).to_have_url(f"{stage.url}/console/w/acme/webhooks/crm")


async def test_the_errors_of_each_are_told(stage: Stage, page: Page) -> None:
    stage.receiver.statuses["/crm"] = 500
    await stage.workspace("acme", aggregation="none")
    await another(stage, "crm", aggregation="none")
    await stage.system.accept("acme", talk("Hi", 1))
    await stage.system.facts.until("delivery.failed")
    stage.system.clock.move(HOUR_MS)
    await stage.system.facts.until("delivery.failed", 2)

    await page.goto(WORKSPACES)

    group = page.locator(".states > div").filter(has_text="crm")
    await expect(group).to_contain_text("Waiting to retry")
    await expect(group).to_contain_text("2 errors in a row")


async def test_who_has_no_outbound_is_led_to_what_there_is(stage: Stage, plain_page: Page) -> None:
    page = plain_page
    await stage.workspace("acme", "Acme Ltd")
    await another(stage, "crm")
    await stage.system.ask("DELETE", f"{API}/outbound")
    await page.goto(WORKSPACES)

    await page.get_by_role("link", name="Acme Ltd").click()

    await expect(page).to_have_url(f"{stage.url}/console/w/acme/webhooks")
    await expect(page.locator("main")).to_contain_text("There is no webhook outbound any more")
    await page.get_by_role("link", name="crm").click()
    await expect(page.get_by_role("button", name="Delete the webhook")).to_have_count(0)
    await expect(page.locator("#name")).to_have_count(0)  # the workspace's are on the other page
    tab = page.locator('nav[aria-label="Webhooks"] [aria-current="page"]')
    await expect(tab).to_have_text("Webhooks")


async def test_a_workspace_is_found_by_the_state_of_any_of_its_webhooks(stage: Stage) -> None:
    await stage.workspace("acme", aggregation="6h")
    await another(stage, "crm", aggregation="6h")
    await stage.workspace("globex")
    await stage.system.accept("acme", talk("Hi", 1))
    await stage.system.ask("POST", f"{API}/crm/disable")
    await stage.system.ask("DELETE", f"/v1/workspaces/acme/chats/{talk('Hi')['chat']['chat_id']}")

    async with signed_in(stage) as seen:
        found = {
            state: "/console/w/acme/" in (await seen.get(f"{WORKSPACES}?state={state}")).text
            for state in ("enabled", "disabled", "held", "merging", "full")
        }
        await stage.system.accept("acme", talk("Hi", 2, chat="c2"))
        held = await seen.get(f"{WORKSPACES}?state=held")

    assert found == {
        "enabled": True,
        "disabled": True,
        "held": False,
        "merging": False,
        "full": False,
    }
    assert "/console/w/acme/" in held.text


async def test_the_overview_leads_to_the_webhook_that_is_disabled(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await stage.workspace("acme")
    await another(stage, "crm")
    await stage.system.ask("POST", f"{API}/crm/disable")
    await page.goto("/console/overview")

    await page.get_by_role("link", name="acme/crm").click()

    await expect(page).to_have_url(f"{stage.url}/console/w/acme/webhooks/crm")
