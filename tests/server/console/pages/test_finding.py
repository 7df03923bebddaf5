"""The search box of the header: everything goes where it belongs, and what is unclear is asked."""

import pytest
from playwright.async_api import Browser, Page, expect

from hookbundle.tests.server.console.browsing import opened
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

INSIDE = "Find a delivery, a chat, a phone, a name or a message"
OUTSIDE = "Find a workspace, or a delivery by its id"


async def people(stage: Stage) -> str:
    """Three chats of acme, two of them of one phone; the id of the newest delivery."""
    await stage.workspace("acme", "Acme Ltd", aggregation="none")
    await stage.system.accept(
        "acme",
        talk("Hi", chat="a/1?b", name="Maria Rossi"),
        talk("Hi", chat="c2", name="Mario Rossi"),
    )
    await stage.system.accept("acme", talk("Hi", chat="c3", name="سامي حداد"))
    await stage.until("acme", queued=0)
    found = await stage.system.get("/v1/workspaces/acme/deliveries")
    newest: str = found["deliveries"][0]["id"]
    return newest


async def find(page: Page, label: str, text: str) -> None:
    await page.get_by_label(label).fill(text)
    await page.keyboard.press("Enter")


async def test_what_is_one_thing_leads_there(stage: Stage, plain_page: Page) -> None:
    page, delivery = plain_page, await people(stage)
    await page.goto("/console/w/acme/outbound")
    for text, wanted in (
        (delivery, f"/deliveries/{delivery}"),
        (f"  {delivery} ", f"/deliveries/{delivery}"),
        ("a/1?b", "/chats/a%2F1%3Fb"),
        ("MARIA ros", "/chats/a%2F1%3Fb"),
        ("سامي", "/chats/c3"),
    ):
        await find(page, INSIDE, text)
        await expect(page).to_have_url(f"{stage.url}/console/w/acme{wanted}")
    await expect(page.get_by_role("heading", level=2).first).to_have_text("سامي حداد")


async def test_what_fits_several_is_a_list(stage: Stage, page: Page) -> None:
    await people(stage)
    await page.goto("/console/w/acme/outbound")

    for text, count in (("rossi", 2), ("+972 54-000 0000", 3)):
        await find(page, INSIDE, text)
        await expect(page.locator("tbody td.first a")).to_have_count(count)
        await expect(page.get_by_label(INSIDE)).to_have_value(text)
    await page.get_by_role("link", name="Maria Rossi").click()
    await expect(page.get_by_role("heading", level=2).first).to_have_text("Maria Rossi")


async def test_the_id_of_a_message_asks_for_its_chat_by_any_of_its_names(
    stage: Stage, page: Page
) -> None:
    await people(stage)
    await page.goto("/console/w/acme/outbound")
    await find(page, INSIDE, "wamid.c2.0")
    await expect(page.get_by_text("No chat has this id, phone or name.")).to_be_visible()

    await page.get_by_label("Its chat: name, phone or id").fill("rossi")
    await page.get_by_role("button", name="Show the message").click()
    await page.get_by_role("link", name="Mario Rossi").click()

    await expect(page.locator(".answer-line strong")).to_contain_text("It was delivered at")
    await expect(page).to_have_url(f"{stage.url}/console/w/acme/messages/wamid.c2.0?chat=c2")


async def test_an_address_without_the_chat_asks_for_it(stage: Stage, page: Page) -> None:
    await people(stage)
    await page.goto("/console/w/acme/messages/wamid.c2.0")

    await expect(page.get_by_label("Its chat: name, phone or id")).to_be_visible()
    await page.get_by_label("Its chat: name, phone or id").fill("c2")
    await page.get_by_role("button", name="Show the message").click()
    await expect(page.locator(".answer-line strong")).to_contain_text("It was delivered at")


async def test_outside_of_a_workspace_it_finds_workspaces_and_any_delivery(
    stage: Stage, page: Page
) -> None:
    delivery = await people(stage)
    await page.goto("/console/overview")
    await find(page, OUTSIDE, "acme ltd")
    await expect(page.get_by_role("link", name="Acme Ltd")).to_be_visible()
    await find(page, OUTSIDE, delivery)
    await expect(page).to_have_url(f"{stage.url}/console/w/acme/deliveries/{delivery}")
    await page.goto("/console/workspaces")
    await find(page, OUTSIDE, f"dlv_{'0' * 30}")
    await expect(page.get_by_text("No delivery has this id")).to_be_visible()


async def test_an_owner_finds_what_is_his_and_nothing_of_others(
    stage: Stage, browser: Browser
) -> None:
    delivery = await people(stage)
    await stage.workspace("blue", aggregation="none")
    async with opened(browser, stage, await stage.token("blue")) as page:
        await page.goto("/console/workspaces")
        await find(page, INSIDE, "maria")
        await expect(page.get_by_text("No chat has this id, phone or name.")).to_be_visible()
        await find(page, INSIDE, delivery)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
        for path in ("find?q=maria", f"deliveries/{delivery}", "chats/c3", "replay"):
            await page.goto(f"/console/w/acme/{path}")
            await expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")


@pytest.mark.parametrize("text", ["%ff", "%00", "%", "dlv_x", "a" * 600, "%F0%9F%98%80"])
async def test_whatever_is_typed_is_answered(stage: Stage, text: str) -> None:
    await stage.workspace("acme")
    async with visitor(stage.url) as operator:
        await operator.sign_in(await stage.token())
        for path in ("/console/w/acme/find", "/console/find"):
            assert (await operator.get(f"{path}?q={text}")).status in (200, 303)
        for path in ("chats/", "messages/m?chat=", "message?id=m&chat="):
            seen = await operator.get(f"/console/w/acme/{path}{text}")
            assert seen.status in (200, 303, 404), path
