"""What pages say: times in the workspace's zone, actions beside outcomes, only what works."""

import re

import pytest
from playwright.async_api import Page, expect

from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTBOUND = "/console/w/acme/outbound"
DELIVERIES = "/console/w/acme/deliveries"


async def test_times_are_marked_as_utc_where_no_zone_is_set(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto(OUTBOUND)

    await expect(page.locator("#activity time").first).to_have_text(re.compile(r":\d\d UTC$"))
    await expect(page.locator("footer")).to_contain_text("All times are UTC.")


async def test_times_are_those_of_the_workspace_and_show_utc_on_hovering(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="1h")
    await stage.system.ask("PATCH", "/v1/workspaces/acme", {"time_zone": "Asia/Kolkata"})
    await stage.system.accept("acme", talk("Good morning"))
    (window,) = (await stage.system.get("/v1/workspaces/acme/chats"))["chats"]
    await page.goto(f"/console/w/acme/windows/{window['chat_id']}")

    opened = page.locator("dd time").first

    utc = window["opened_at"][:19].replace("T", " ")
    await expect(opened).to_have_attribute("title", f"{utc} UTC")
    assert minutes(await opened.inner_text()) == (minutes(utc) + 330) % 1_440
    await expect(page.locator("footer")).to_contain_text("Times are those of Asia/Kolkata")
    await expect(page.locator(".chat time").first).to_have_text("2026-11-22 12:30")


async def test_the_live_list_shows_the_same_times_as_the_page(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await stage.system.ask("PATCH", "/v1/workspaces/acme", {"time_zone": "Asia/Kolkata"})
    await page.goto(OUTBOUND)
    first = page.locator("#activity time").last
    before = await first.inner_text()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()

    await stage.system.ask("PATCH", "/v1/workspaces/acme", {"name": "Acme"})

    await expect(page.locator("#activity tbody tr")).to_have_count(3)
    await expect(first).to_have_text(before)


async def test_an_action_is_told_apart_from_its_outcome(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="1h")
    stage.receiver.statuses["/hook"] = 500
    await page.goto(OUTBOUND)
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await stage.system.accept("acme", talk("Good morning"))

    await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")

    await expect(page.locator("#news")).to_have_text("Bundle · Failed")
    row = page.locator("#activity tbody tr").first
    await expect(row.get_by_role("cell").nth(1)).to_have_text("Bundle")
    await expect(row.get_by_role("cell").nth(4)).to_have_text("Failed")
    actions = await stage.system.get("/v1/workspaces/acme/activity")
    assert (actions[0]["action"], actions[0]["outcome"]) == ("bundle", "failed")


async def test_a_retry_is_offered_only_where_it_does_something(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="none")
    stage.receiver.statuses["/hook"] = 500
    await stage.system.accept("acme", talk("Hi", 1), talk("Hi", 2))
    await stage.until("acme", consecutive_errors=1)
    await page.goto(DELIVERIES)
    await expect(page.get_by_role("button", name="Retry now")).to_have_count(2)

    await stage.system.switch("acme", "disable")
    await page.reload()

    await expect(page.get_by_role("button", name="Retry now")).to_have_count(0)
    why = page.get_by_role("link", name="nothing is sent until it is enabled")
    await expect(why).to_have_attribute("href", OUTBOUND)
    await page.locator("tbody td a").first.click()
    await expect(page.get_by_text("nothing is sent until it is enabled").first).to_be_visible()
    await expect(page.get_by_role("button", name="Retry now")).to_have_count(0)
    await expect(page.get_by_role("button", name="Discard")).to_be_visible()


async def test_what_is_being_sent_can_be_neither_retried_nor_discarded(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="none")
    async with stage.receiver_holding():
        await stage.system.accept("acme", talk("Hi"))
        await stage.receiver.asked.wait()
        await page.goto(DELIVERIES)
        await expect(page.locator("tbody .badge")).to_have_text("Being sent")
        assert await page.get_by_role("button", name="Retry now").count() == 0
        assert await page.get_by_role("link", name="Discard").count() == 0
        await page.locator("tbody td a").first.click()
        await expect(page.get_by_text("It is being sent at this moment.").first).to_be_visible()
        await expect(page.get_by_label("Why?")).to_have_count(0)


async def test_the_sign_in_page_says_whom_to_ask_and_what_each_token_opens(
    stage: Stage, page: Page
) -> None:
    await page.context.clear_cookies()
    await page.goto("/console/sign-in")

    await page.get_by_text("No access token yet?").click()

    await expect(page.get_by_text("Ask the operator of this service")).to_be_visible()
    await expect(page.get_by_text("and no other workspace")).to_be_visible()
    text = await page.locator("main").inner_text()
    assert "admin" not in text
    assert "hookbundle token" not in text


def minutes(text: str) -> int:
    """Of the day."""
    found = re.search(r"(\d\d):(\d\d)", text)
    assert found
    return int(found[1]) * 60 + int(found[2])
