"""What waits, and what a person does about it: open windows and deliveries."""

import json

import pytest
from playwright.async_api import Page, expect

from hookbundle.commands.demo import sample
from hookbundle.tests.in_process import MINUTE_MS
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_open_windows_are_listed_with_their_chats_and_previewed(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept("acme", *sample.CONVERSATION)
    await page.goto("/console/w/acme/windows")

    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("John Doe")
    await expect(rows.first).to_contain_text("in 6 hours")
    await expect(page.get_by_text("in stock?")).to_have_count(0)
    await page.get_by_role("link", name="Preview John Doe").click()

    await expect(page.locator(".chat .text").first).to_have_text(
        "Hi! Is the blue one <still> in stock?"
    )
    body = page.get_by_label("The bundle as it would be sent now").last
    shown = json.loads(await body.inner_text())
    assert [message["message_id"] for message in shown["messages"]] == [
        "wamid.demo-0",
        "wamid.demo-1",
        "wamid.demo-4",
    ]
    await page.get_by_role("button", name="Send now").click()
    await expect(page.get_by_text("1 bundle is being sent")).to_be_visible()
    await stage.until("acme", windows=1, queued=0)
    assert json.loads(stage.receiver.bodies[0]) == shown


async def test_all_windows_are_sent_at_once(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept("acme", *(talk("Hi", n, chat=f"c{n}") for n in range(3)))
    await page.goto("/console/w/acme/windows")

    await page.get_by_role("button", name="Send all now").click()
    await page.get_by_role("button", name="Send all now").click()

    await expect(page.get_by_text("3 bundles are being sent")).to_be_visible()
    await expect(page.get_by_text("No chat is collecting messages now.")).to_be_visible()
    await stage.until("acme", windows=0, queued=0)


async def test_a_chat_is_found_whatever_is_in_its_id(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="6h")
    strange = ["a/b?c#d%2F", "flush", "ä😀 x", "<b>"]
    await stage.system.accept(
        "acme", *(talk("Hi", n, chat=chat, name=chat) for n, chat in enumerate(strange))
    )

    for chat in strange:
        await page.goto("/console/w/acme/windows")
        await page.get_by_role("link", name=f"Preview {chat}", exact=True).click()
        await expect(page.get_by_role("heading", level=2).first).to_have_text(chat)


async def dead_letters(stage: Stage) -> None:
    """The workspace acme has a dead letter."""
    await stage.workspace("acme", aggregation="none", path="/gone")
    stage.receiver.statuses["/gone"] = 410
    await stage.system.accept("acme", talk("Is anybody there?"))
    for errors in (1, 2, 3):
        await stage.until("acme", consecutive_errors=errors)
        stage.system.clock.move(3 * MINUTE_MS)
    await stage.until("acme", dead_letters=1)


async def test_a_dead_letter_is_sent_again(stage: Stage, page: Page) -> None:
    await dead_letters(stage)
    await page.goto("/console/w/acme/deliveries")
    row = page.locator("tbody tr")
    await expect(row).to_contain_text("Dead letter")
    await expect(row).to_contain_text("status 410")
    stage.receiver.statuses.clear()

    await row.get_by_role("button", name="Resend dlv_").click()

    await expect(page.get_by_text("The delivery is sent next.")).to_be_visible()
    await stage.until("acme", dead_letters=0, queued=0)
    await page.reload()
    await expect(page.get_by_text("No deliveries are waiting.")).to_be_visible()


@pytest.mark.parametrize("state", ["dead_letter", "parked"])
async def test_a_link_to_a_state_may_have_its_former_name(
    stage: Stage, page: Page, state: str
) -> None:
    await dead_letters(stage)
    await stage.system.switch("acme", "disable")
    await stage.system.accept("acme", talk("Hello?", 2, chat="10010002"))

    await page.goto(f"/console/w/acme/deliveries?state={state}")

    chosen = page.get_by_label("Filter by state").locator("[aria-current=page]")
    await expect(chosen).to_contain_text("Dead letters")
    await expect(page.get_by_role("link", name="Message of chat")).to_have_count(1)


async def test_a_delivery_is_looked_at_and_discarded_with_a_reason(
    stage: Stage, page: Page
) -> None:
    await dead_letters(stage)
    await page.goto("/console/w/acme/deliveries?state=dead_letter")

    await page.get_by_role("link", name="Message of chat 10010001").click()
    await expect(page.locator(".chat .text")).to_have_text("Is anybody there?")
    await page.get_by_label("Reason").fill("sold out")
    await page.get_by_role("button", name="Discard", exact=True).click()
    await page.get_by_role("button", name="Discard", exact=True).click()

    await expect(page.get_by_text("The delivery was discarded, with 1 message.")).to_be_visible()
    await stage.until("acme", dead_letters=0, queued=0)
    (newest, *_) = await stage.system.get("/v1/workspaces/acme/activity")
    assert "sold out" in newest["detail"]
    assert "in the console" in newest["detail"]


async def test_what_can_not_be_done_is_said_where_it_was_asked_for(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="none")
    stage.receiver.statuses["/hook"] = 500
    await stage.system.accept("acme", talk("Hi"))
    await stage.until("acme", consecutive_errors=1)
    await page.goto("/console/w/acme/deliveries")
    await stage.system.switch("acme", "disable")

    await page.get_by_role("button", name="Retry now dlv_").click()

    await expect(page.get_by_role("alert")).to_contain_text("is disabled")
    await expect(page.get_by_role("heading", level=2, name="Deliveries")).to_be_visible()
