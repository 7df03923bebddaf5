"""Windows that are collecting: in due order, searched, looked into, and sent at once."""

import json

import pytest
from playwright.async_api import Page, expect

from hookbundle.commands.demo import sample
from hookbundle.server.console.pages import windows
from hookbundle.tests.in_process import MINUTE_MS
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

WINDOWS = "/console/w/acme/windows"


async def test_open_windows_are_listed_with_their_chats_and_previewed(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept("acme", *sample.CONVERSATION)
    await page.goto(WINDOWS)

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


async def test_a_window_whose_first_message_left_says_so_and_shows_no_bundle(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme")
    rule = {"window": {"quiet": "10m", "first": "now"}}
    await stage.system.ask("PATCH", "/v1/workspaces/acme/webhooks/outbound", rule)
    await stage.system.accept("acme", talk("Hi", 1))
    await page.goto(WINDOWS)
    await page.get_by_role("link", name="Preview").click()

    await expect(page.get_by_text("the message that opened it left at once")).to_be_visible()
    await expect(page.get_by_text("The bundle as it would be sent now")).to_have_count(0)


async def test_all_windows_are_sent_at_once(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept("acme", *(talk("Hi", n, chat=f"c{n}") for n in range(3)))
    await page.goto(WINDOWS)

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
        await page.goto(WINDOWS)
        await page.get_by_role("link", name=f"Preview {chat}", exact=True).click()
        await expect(page.get_by_role("heading", level=2).first).to_have_text(chat)


async def test_windows_stand_in_due_order_with_their_total_and_are_searched(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="6h")
    for number, name in enumerate(("Zoe", "Maria Rossi", "Adam")):
        await stage.system.accept("acme", talk("Hi", number, chat=f"c{9 - number}", name=name))
        stage.system.clock.move(MINUTE_MS)
    await page.goto(WINDOWS)

    names = page.locator("tbody td.first a")
    await expect(names).to_have_text(["Zoe", "Maria Rossi", "Adam"])
    await expect(page.get_by_text("3 chats are collecting.")).to_be_visible()
    await page.get_by_label("Search these chats").fill("rossi")
    await page.get_by_role("button", name="Search").click()
    await expect(names).to_have_text(["Maria Rossi"])
    await expect(names).to_have_attribute("title", "c8")
    await page.get_by_label("Search these chats").fill("nobody")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("No chat that is collecting has this id")).to_be_visible()


async def test_pages_of_windows_go_on_where_the_last_one_ended(
    stage: Stage, plain_page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "PAGE_MAX", 2)
    await stage.workspace("acme", aggregation="6h")
    chats = (talk("Hi", n, chat=f"c{n}", name=f"Customer {n}") for n in range(5))
    await stage.system.accept("acme", *chats)
    await plain_page.goto(WINDOWS)
    found = await plain_page.locator("tbody td.first a").all_inner_texts()
    await stage.system.ask("POST", "/v1/workspaces/acme/chats/c1/flush")

    for _ in range(2):
        await plain_page.get_by_role("link", name="Next page").click()
        found += await plain_page.locator("tbody td.first a").all_inner_texts()

    assert found == [f"Customer {n}" for n in range(5)]


async def test_windows_that_open_and_close_show_without_loading_the_page_again(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept("acme", talk("Hi", chat="c1", name="Zoe"))
    await page.goto(WINDOWS)
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    names = page.locator("tbody td.first a")

    await stage.system.accept("acme", talk("Hi", 1, chat="c2", name="Maria"))

    await expect(names).to_have_text(["Zoe", "Maria"])
    await page.get_by_role("button", name="Send now Zoe").focus()
    await stage.system.accept("acme", talk("Hi", 2, chat="c3", name="Adam"))
    await page.get_by_label("Search these chats").focus()
    await stage.system.accept("acme", talk("Hi", 3, chat="c4", name="Eve"))
    await expect(names).to_have_text(["Zoe", "Maria", "Adam", "Eve"])


async def test_a_chat_shows_its_edits_and_is_closed_for_all_webhooks(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="6h")
    crm = {"url": stage.receiver.url + "/crm", "aggregation": "24h"}
    await stage.system.ask("PUT", "/v1/workspaces/acme/webhooks/crm", crm)
    chat = {"chat_id": "a/1?b"}
    edit = {"message_id": "wamid.a/1?b.1", "text": "Hello!"}
    await stage.system.accept("acme", talk("Hi", 1, chat="a/1?b"), talk("Ok", 2, chat="a/1?b"))
    await stage.system.accept("acme", {"chat": chat, "edit": edit})
    await page.goto("/console/w/acme/chats/a%2F1%3Fb")
    await expect(page.get_by_text("Edited", exact=True)).to_be_visible()

    await page.get_by_role("button", name="The conversation is over: send now").click()

    await expect(page.get_by_text("2 bundles are being sent")).to_be_visible()
    await expect(page).to_have_url(f"{stage.url}/console/w/acme/chats/a%2F1%3Fb")
    await stage.until("acme", windows=0, queued=0)
    sent = [json.loads(body)["messages"] for body in stage.receiver.bodies]
    assert [[each["text"] for each in body] for body in sent] == [["Hello!", "Ok"]] * 2


async def test_a_chat_that_collects_nothing_offers_no_end(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept("acme", talk("Hi", 1, chat="c1"))
    await page.goto("/console/w/acme/chats/c1")
    over = page.get_by_role("button", name="The conversation is over: send now")
    await expect(over).to_be_visible()
    await stage.system.ask("POST", "/v1/workspaces/acme/chats/c1/flush")

    await page.goto("/console/w/acme/chats/c1")

    await expect(over).to_have_count(0)
