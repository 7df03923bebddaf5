"""Several webhooks of a workspace: each with its own state, on every page that shows it."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEBHOOKS = "/console/w/acme/webhooks"
API = "/v1/workspaces/acme/webhooks"


async def two(stage: Stage, **crm: Any) -> None:
    """acme has the webhooks outbound and crm."""
    await stage.workspace("acme", aggregation="none")
    await another(stage, **crm)


async def another(stage: Stage, **crm: Any) -> None:
    document = {"id": "crm", "url": f"{stage.receiver.url}/crm", "aggregation": "6h", **crm}
    made = await stage.system.ask("POST", API, document)
    assert made.status == 201, made


async def test_one_webhook_is_shown_as_before(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto("/console/w/acme/outbound")

    tab = page.locator('nav[aria-label="Webhooks"] [aria-current="page"]')
    await expect(tab).to_have_text("Outbound")
    await expect(page.get_by_text("Delete the webhook")).to_have_count(0)
    for path in ("deliveries", "windows"):
        await page.goto(f"/console/w/acme/{path}")
        await expect(page.locator("select[name=webhook]")).to_have_count(0)


async def test_each_has_its_own_state(stage: Stage, page: Page) -> None:
    await two(stage)
    await page.goto(f"{WEBHOOKS}/crm")
    await page.get_by_label("Webhook enabled").uncheck()
    await page.get_by_role("button", name="Save").click()
    await page.locator("button[name=agreed]").click()

    await page.goto(WEBHOOKS)

    row = page.get_by_role("row")
    await expect(row.filter(has_text="crm").locator(".badge")).to_have_text(["Disabled"])
    await expect(row.filter(has_text="outbound").locator(".badge")).to_have_text(["Enabled"])


async def test_deleting_asks_with_the_count_and_again_when_it_grows(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await two(stage)
    await stage.system.accept("acme", talk("One", 1))
    await page.goto(f"{WEBHOOKS}/crm")
    await page.get_by_role("button", name="Delete the webhook").click()
    await expect(page.locator("main")).to_contain_text("1 message that it has not sent yet")
    await stage.system.accept("acme", talk("Two", 2))

    await page.get_by_role("button", name="Delete the webhook").click()

    await expect(page.get_by_role("alert")).to_contain_text("It has become more meanwhile.")
    await expect(page.locator("main")).to_contain_text("2 messages that it has not sent yet")
    await page.get_by_role("button", name="Delete the webhook").click()
    await expect(page.locator(".notice")).to_contain_text("The webhook crm is deleted.")
    assert [each["id"] for each in (await stage.system.get(API))["webhooks"]] == ["outbound"]


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_a_message_s_page_says_whose_filter_dropped_it(stage: Stage, language: str) -> None:
    await two(stage, filter={"direction": "sent"})
    message = talk("Is anybody there?", 1)
    await stage.system.accept("acme", message)
    ids = (message["message"]["message_id"], message["chat"]["chat_id"])

    async with signed_in(stage) as seen:
        seen.session.headers.update({"Accept-Language": language})
        shown = await seen.get("/console/w/acme/messages/{}?chat={}".format(*ids))

    said = {
        "en": ("its filter did not keep it", "Filter dropped it", "See its filter"),
        "ar": ("لم تُبقِها تصفيته", "استبعدتها التصفية", "اطّلع على تصفيته"),
    }
    assert [words for words in said[language] if words not in shown.text] == []
    assert f"{WEBHOOKS}/crm/filter" in shown.text


async def test_without_outbound_every_page_of_the_workspace_works(stage: Stage) -> None:
    stage.receiver.statuses["/crm"] = 500
    await two(stage, aggregation="none")
    await stage.system.ask("DELETE", f"{API}/outbound")
    await stage.system.accept("acme", talk("Is anybody there?", 1))
    await stage.system.facts.until("delivery.failed")
    await stage.system.ask("PATCH", f"{API}/crm", {"aggregation": "6h"})
    await stage.system.accept("acme", talk("Good morning", 2, chat="c2"))
    (delivery,) = (await stage.system.get("/v1/workspaces/acme/deliveries"))["deliveries"]
    chat, message = delivery["chat_id"], f"wamid.{delivery['chat_id']}.1"
    paths = [
        *("webhooks", "webhooks/new", "webhooks/crm", "webhooks/crm/filter", "webhooks/crm/state"),
        *("deliveries", "deliveries?state=queued&webhook=crm", "deliveries?order=queue"),
        *(f"deliveries/{delivery['id']}", "windows", "windows?webhook=crm", "windows/c2"),
        *(f"chats/{chat}", f"messages/{message}?chat={chat}", "find?q=a", "replay", "delete"),
        *("activity", "requests/0?webhook=crm", "log"),
    ]

    async with signed_in(stage) as seen:
        found = {path: (await seen.get(f"/console/w/acme/{path}")).status for path in paths}
        moved = await seen.get("/console/w/acme/outbound")
        asked = await seen.post("/console/w/acme/windows/flush")

    assert {path: status for path, status in found.items() if status != 200} == {}
    assert (moved.status, moved.headers["location"]) == (303, WEBHOOKS)
    assert asked.status == 200


async def test_a_delivery_goes_by_the_state_of_its_own_webhook(stage: Stage, page: Page) -> None:
    stage.receiver.statuses["/crm"] = 500
    await two(stage, aggregation="none")
    await stage.system.ask("POST", f"{API}/outbound/disable")
    await stage.system.accept("acme", talk("Hi", 1))
    await stage.system.facts.until("delivery.failed")
    url = "/v1/workspaces/acme/deliveries?webhook="
    (of_crm,) = (await stage.system.get(f"{url}crm"))["deliveries"]
    (of_outbound,) = (await stage.system.get(f"{url}outbound"))["deliveries"]

    await page.goto(f"/console/w/acme/deliveries/{of_crm['id']}")
    await expect(page.get_by_role("button", name="Retry now")).to_be_visible()
    await expect(page.locator("main")).not_to_contain_text("The webhook is disabled")
    await page.goto(f"/console/w/acme/deliveries/{of_outbound['id']}")
    await expect(page.get_by_role("button", name="Retry now")).to_have_count(0)
    await expect(page.locator("#discard")).to_contain_text("The webhook is disabled")


async def test_lists_are_of_one_webhook_if_it_is_chosen(stage: Stage, plain_page: Page) -> None:
    page = plain_page
    await stage.workspace("acme", aggregation="6h")
    await another(stage, filter={"chat_ids": ["c1"]})
    await stage.system.accept("acme", talk("Hi", 1, chat="c1"), talk("Hello", 2, chat="c2"))
    await page.goto("/console/w/acme/windows")
    await expect(page.locator("tbody tr")).to_have_count(3)

    await page.get_by_label("Webhook", exact=True).select_option("crm")
    await page.get_by_role("button", name="Search", exact=True).click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody tr")).to_contain_text("crm")
    await page.get_by_role("button", name="Send all now").click()
    await expect(page.locator("main")).to_contain_text("1 chat stops collecting now")
    await page.get_by_role("button", name="Send all now").click()

    await stage.system.facts.until("delivery.sealed", webhook="crm")
    await page.goto("/console/w/acme/windows?webhook=outbound")
    await expect(page.locator("tbody tr")).to_have_count(2)


async def test_what_waits_is_merged_before_the_webhook_is_enabled(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await two(stage, aggregation="none")
    await stage.system.ask("POST", f"{API}/crm/disable")
    await stage.system.accept("acme", *(talk(f"Message {n}", n) for n in range(3)))
    await stage.system.ask("PATCH", f"{API}/crm", {"aggregation": "6h"})
    await page.goto(f"{WEBHOOKS}/crm")

    await page.get_by_label("Merge them into bundles first: 3 deliveries").check()
    await page.get_by_role("button", name="Enable").click()

    await expect(page.locator(".notice")).to_contain_text("3 deliveries that wait are being merged")
    await stage.system.facts.until("webhook.enabled", webhook="crm")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rate", "often"),
        ("budget", "0/day"),
        ("limits_messages", "many"),
        ("limits_bytes", "1"),
    ],
)
async def test_a_wrong_setting_stands_beside_its_field(
    stage: Stage, plain_page: Page, name: str, text: str
) -> None:
    page = plain_page
    await two(stage)
    await page.goto(f"{WEBHOOKS}/crm")
    await page.get_by_text("More settings").click()
    await page.locator(f"#{name}").fill(text)

    await page.get_by_role("button", name="Save").click()

    await expect(page.locator(f"#{name}-fault")).to_be_visible()
    await expect(page.locator(f"#{name}")).to_have_value(text)
