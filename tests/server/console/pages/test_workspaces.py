"""The list of workspaces, the page for a new one, and the operator's overview."""

import re

import pytest
from playwright.async_api import Page, expect

from hookbundle.tests.in_process import MINUTE_MS
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_workspaces_are_found_while_typing(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", "Acme Ltd")
    await stage.workspace("nile", "متجر النيل", owner="layla@nile.example")
    await stage.workspace("globex", "Globex")
    await page.goto("/console/workspaces")
    rows = page.locator("#found tbody tr")
    await expect(rows).to_have_count(3)

    for words, found in (("GLOB", "Globex"), ("layla@", "متجر النيل"), ("النيل", "متجر النيل")):
        await page.get_by_label("Search").fill(words)
        await expect(rows).to_have_count(1)
        await expect(rows).to_contain_text(found)
    await page.get_by_label("Search").fill("nowhere")

    await expect(page.get_by_text("No workspace matches.")).to_be_visible()


async def test_workspaces_are_told_apart_by_state(stage: Stage, page: Page) -> None:
    await stage.workspace("fine")
    await stage.workspace("no-url", path="")
    await stage.workspace("off", aggregation="none")
    await stage.workspace("holding", aggregation="none")
    await stage.workspace("waiting", aggregation="none", path="/broken")
    stage.receiver.statuses["/broken"] = 500
    for name in ("off", "holding"):
        await stage.system.switch(name, "disable")
    for name in ("holding", "waiting"):
        await stage.system.accept(name, talk("Hi"))
    await stage.until("waiting", state="backing_off")
    expected = {
        "Enabled": ["fine"],
        "Waiting to retry": ["waiting"],
        "Disabled": ["holding", "off"],
        "Disabled, holding messages": ["holding"],
        "No URL yet": ["no-url"],
    }

    for state, names in expected.items():
        await page.goto("/console/workspaces")
        await page.get_by_label("State", exact=True).select_option(label=state)
        rows = page.locator("#found tbody tr td.first a")
        await expect(rows).to_have_text(names)
    await page.goto("/console/workspaces?state=held")
    await expect(page.locator("#found tbody tr")).to_contain_text("1 message held")


async def test_more_workspaces_than_a_page_holds_are_paged(stage: Stage, page: Page) -> None:
    for number in range(60):
        await stage.workspace(f"ws-{number:02}")
    await page.goto("/console/workspaces?q=ws")
    rows = page.locator("#found tbody tr")
    await expect(rows).to_have_count(50)

    await page.get_by_role("link", name="Next page").click()

    await expect(rows).to_have_count(10)
    await expect(rows.last).to_contain_text("ws-59")


async def test_a_new_workspace_is_made_and_its_secret_shown_once(stage: Stage, page: Page) -> None:
    await page.goto("/console/workspaces")
    await page.get_by_role("link", name="New workspace").click()

    await page.get_by_label("Id", exact=True).fill("acme")
    await page.get_by_label("Name").fill("Acme Ltd")
    await page.get_by_role("radio", name="Every 6 hours").check()
    await page.get_by_label("Webhook URL").fill(f"{stage.receiver.url}/hook")
    await page.get_by_role("button", name="Create").click()

    await expect(page).to_have_url(f"{stage.url}/console/w/acme/outbound")
    await expect(page.locator("#secret")).to_have_text(re.compile("^whsec_.{40,}$"))
    hook = await stage.system.hook()
    assert (hook["aggregation"], hook["enabled"]) == ("6h", True)
    await page.reload()
    await expect(page.locator("#secret")).to_have_count(0)


async def test_a_new_workspace_replaces_none_and_needs_an_id_that_can_be(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", "Acme Ltd")
    await page.goto("/console/workspaces/new")

    for name, fault in (("acme", "is taken"), ("a b", "must be 1 to 64 letters")):
        await page.get_by_label("Id", exact=True).fill(name)
        await page.get_by_role("button", name="Create").click()
        await expect(page.get_by_label("Id", exact=True)).to_have_accessible_description(
            re.compile(fault)
        )
    assert (await stage.system.show())["name"] == "Acme Ltd"


async def test_the_overview_draws_the_last_hours(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="1h")
    samples = stage.system.daemon.console.samples
    for number in range(6):
        await stage.system.accept("acme", talk("Hi", number, chat=f"c{number}"))
        await samples.take()
        stage.system.clock.move(MINUTE_MS)
    await page.context.set_extra_http_headers({})
    await page.goto("/console/overview")

    plots = page.get_by_role("img")

    await expect(page.locator(".tile").first).to_contain_text("6")
    await expect(plots.filter(has=page.locator("path.line"))).to_have_count(8)
    windows = page.get_by_role("img", name=re.compile("^Collecting: now 6"))
    await expect(windows).to_be_visible()
    line = await windows.locator("path.line").get_attribute("d")
    assert line is not None
    assert line.count("L") == len(samples.taken) - 1
