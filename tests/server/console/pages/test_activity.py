"""What happened, as it happens: the activity list, a request in full, the log's download."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hookbundle.commands.demo import sample
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTBOUND = "/console/w/acme/outbound"


async def test_what_is_sent_shows_without_loading_the_page_again(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="none")
    await page.goto(OUTBOUND)
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    rows = page.locator("#activity tbody tr")
    await expect(rows).to_have_count(1)

    await stage.system.accept("acme", talk("Good morning"))

    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Message")
    await expect(rows.first).to_contain_text("Delivered")
    await expect(page.locator("#news")).to_contain_text("Message · Delivered")


async def test_errors_are_counted_on_the_open_page(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="none")
    stage.receiver.statuses["/hook"] = 500
    await page.goto(OUTBOUND)
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await expect(page.get_by_text("0 of 11")).to_be_visible()

    await stage.system.accept("acme", talk("Good morning"))

    await expect(page.get_by_text("1 of 11")).to_be_visible()
    await expect(page.locator("#state")).to_contain_text("Waiting to retry")


async def test_the_ten_most_recent_actions_are_listed_newest_first(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="none")
    orders = (talk(f"Order {n}", n, chat=f"c{n}", name=f"Customer {n}") for n in range(12))
    await stage.system.accept("acme", *orders)
    await stage.until("acme", queued=0)
    await page.goto(OUTBOUND)

    rows = page.locator("#activity tbody tr")

    await expect(rows).to_have_count(10)
    await expect(rows.first).to_contain_text("Customer 11")
    await expect(rows.last).to_contain_text("Customer 2")


async def test_each_request_opens_in_full(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="1h")
    stage.receiver.answer = '{"note": "stored"}'
    await stage.system.accept("acme", *sample.CONVERSATION)
    await stage.system.ask("POST", "/v1/workspaces/acme/chats/10010001/flush")
    await stage.until("acme", queued=0, windows=1)
    await page.goto(OUTBOUND)

    await page.get_by_role("link", name="Request and response").first.click()

    await expect(page.get_by_text(f"POST {stage.receiver.url}/hook")).to_be_visible()
    request = page.get_by_role("table", name="Headers of the request")
    await expect(request).to_contain_text("webhook-signature")
    shown = await page.get_by_label("Body of the request").inner_text()
    assert json.loads(shown) == json.loads(stage.receiver.bodies[0])
    await expect(page.get_by_label("Body of the response")).to_contain_text('"note": "stored"')
    await page.get_by_role("link", name="Back to the activity").click()
    await expect(page).to_have_url(f"{stage.url}{OUTBOUND}")


async def test_the_detailed_log_is_downloaded(stage: Stage, page: Page, tmp_path: Path) -> None:
    await stage.workspace("acme", aggregation="none")
    await stage.system.accept("acme", talk("Good morning"))
    await stage.until("acme", queued=0)
    await page.goto(OUTBOUND)

    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download detailed log").click()
    download = await started.value
    await download.save_as(tmp_path / "log.json")

    assert download.suggested_filename == "acme-log.json"
    (entry,) = json.loads((tmp_path / "log.json").read_text())
    assert "Good morning" in entry["request"]["body"]


async def test_without_scripts_everything_can_be_read(stage: Stage, plain_page: Page) -> None:
    await stage.workspace("acme", aggregation="none")
    await stage.system.accept("acme", talk("Good morning"))
    await stage.until("acme", queued=0)

    await plain_page.goto(OUTBOUND)
    await expect(plain_page.locator("#activity tbody tr")).to_have_count(2)
    await plain_page.get_by_role("link", name="Request and response").click()
    await expect(plain_page.get_by_label("Body of the request")).to_contain_text("Good morning")
    await plain_page.goto("/console/overview")
    await expect(plain_page.get_by_text("Messages accepted").first).to_be_visible()
    await plain_page.goto("/console/workspaces")
    await plain_page.get_by_label("Search").fill("acme")
    await plain_page.get_by_role("button", name="Search").click()
    await expect(plain_page.get_by_role("link", name="acme")).to_be_visible()
