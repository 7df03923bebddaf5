"""What was merged, what warned, and replays of any webhook: on the pages, in both languages."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from hookbundle.server.console.catalogues import ARABIC, translations
from hookbundle.server.console.details import Details
from hookbundle.tests.in_process import HOUR_MS
from hookbundle.tests.server.console.plain import Visitor, signed_in
from hookbundle.tests.server.console.stage import Stage, talk
from hookbundle.tests.server.console.test_arabic_details import ACTIVITY
from hookbundle.tests.server.console.test_arabic_errors import check

pytestmark = pytest.mark.asyncio(loop_scope="session")

API = "/v1/workspaces/acme/webhooks"
DELIVERIES = "/console/w/acme/deliveries"


async def merged(stage: Stage) -> tuple[Any, Any]:
    """Three messages of a chat were merged for crm; the oldest delivery, and the one made of it."""
    await two(stage, aggregation="none")
    await stage.system.ask("POST", f"{API}/crm/disable")
    await stage.system.accept("acme", *(talk(f"Message {n}", n) for n in range(3)))
    await stage.system.ask("PATCH", f"{API}/crm", {"aggregation": "6h"})
    await stage.system.ask("POST", f"{API}/crm/enable", {"merge": True})
    await stage.system.facts.until("webhook.enabled", webhook="crm")
    url = "/v1/workspaces/acme/deliveries?webhook=crm&state="
    old = (await stage.system.get(f"{url}merged"))["deliveries"]
    assert len(old) == 3
    into = old[0]["merged_into"]
    return old[-1], await stage.system.get(f"/v1/workspaces/acme/deliveries/{into}")


async def two(stage: Stage, **crm: Any) -> None:
    """acme has the webhooks outbound and crm."""
    await stage.workspace("acme", aggregation="none")
    made = {"id": "crm", "url": f"{stage.receiver.url}/crm", **crm}
    assert (await stage.system.ask("POST", API, made)).status == 201


async def test_a_merged_delivery_leads_to_the_one_that_has_its_messages(
    stage: Stage, plain_page: Page
) -> None:
    page, (old, new) = plain_page, await merged(stage)
    await page.goto(DELIVERIES)
    await page.get_by_text("Filter", exact=True).click()
    await page.get_by_label("State", exact=True).select_option("Merged")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator("tbody tr")).to_have_count(3)
    await expect(page.locator("tbody .badge")).to_have_text(["Merged"] * 3)

    await page.goto(f"{DELIVERIES}/{old['id']}")
    await expect(page.locator("#live .badge").first).to_have_text("Merged")
    await expect(page.get_by_role("button", name="Resend")).to_have_count(0)
    await page.locator(".timeline").get_by_role("link").click()

    await expect(page).to_have_url(f"{stage.url}{DELIVERIES}/{new['id']}")
    await expect(page.locator(".timeline")).to_contain_text("It was made of deliveries that waited")


async def test_what_a_merge_did_stands_in_the_activity(stage: Stage) -> None:
    await merged(stage)
    async with signed_in(stage) as owner:
        english = await owner.get("/console/w/acme/activity?webhook=crm")
        owner.session.headers["Accept-Language"] = "ar"
        page = await owner.get("/console/w/acme/webhooks/crm")

    assert '<span class="badge good">Merged</span>' in english.text
    check(page, 200)
    assert all(any(c >= "\u0600" for c in each) for each in ACTIVITY.findall(page.text))


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_a_warning_does_not_say_that_the_webhook_is_disabled(
    stage: Stage, language: str
) -> None:
    stage.receiver.statuses["/hook"] = 500
    await stage.workspace("acme", aggregation="none")
    await stage.system.accept("acme", talk("Hi", 1))
    for errors in range(1, 5):
        await stage.until("acme", consecutive_errors=errors)
        stage.system.clock.move(9 * HOUR_MS)
    await stage.system.facts.until("webhook.warned")

    async with signed_in(stage) as owner:
        owner.session.headers["Accept-Language"] = language
        line = await first_line(owner)

    words = ("Warning", "5 of 11") if language == "en" else ("تحذير", "<bdi>5</bdi>")
    assert all(each in line for each in words), line
    assert 'class="badge bad"' not in line


async def first_line(owner: Visitor) -> str:
    """The newest line of the activity that is no attempt."""
    rows = (await owner.get("/console/w/acme/activity")).text.split("<tr")
    return next(row for row in rows[2:] if "/deliveries/" not in row)


async def test_a_replay_is_of_the_webhook_that_was_chosen(stage: Stage, plain_page: Page) -> None:
    page = plain_page
    await two(stage, aggregation="none")
    await stage.system.ask("DELETE", f"{API}/outbound")
    again = {"id": "sms", "url": f"{stage.receiver.url}/sms", "aggregation": "none"}
    await stage.system.ask("POST", API, again)
    await stage.system.accept("acme", talk("Hi", 1))
    await stage.system.facts.until("delivery.delivered", webhook="sms")
    await page.goto(f"{DELIVERIES}?webhook=sms")
    await page.get_by_role("link", name="Send many once more").click()
    await expect(page.get_by_label("Webhook", exact=True)).to_have_value("sms")
    await page.get_by_label("Which ones").select_option("delivered")

    await page.get_by_role("button", name="Count them").click()
    await expect(page.locator("main")).to_contain_text("1 delivery is sent before everything")
    await page.get_by_role("button", name="Send all of them once more").click()

    await expect(page.locator("dl.facts")).to_contain_text("sms")
    (job,) = (await stage.system.get("/v1/workspaces/acme/replay"))["replays"]
    assert job["webhook"] == "sms"


@pytest.mark.parametrize(
    ("action", "detail", "words"),
    [
        ("merged", "3 deliveries into 1, by uid 0", "<bdi>3</bdi>"),
        (
            "merged",
            "3 deliveries into 1, by uid 0; 2 could not be read, and stay as they are",
            "<bdi>2</bdi>",
        ),
        ("warned", "8 of 11 consecutive errors: status 503", "<bdi>503</bdi>"),
        ("settings changed", "filter {}, by uid 0", 'عامل التصفية: <bdi dir="ltr">{}</bdi>'),
        ("settings changed", "warnings off, by uid 0", "التحذيرات: لا"),
    ],
)
async def test_their_details_are_worded(action: str, detail: str, words: str) -> None:
    worded = Details(translations(ARABIC)).detail(detail, action)

    assert words in worded
    assert "deliveries" not in worded
    assert "errors" not in worded
