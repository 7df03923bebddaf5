"""A webhook more: made on its own page, its secret shown once, and what is refused in words."""

import pytest
from playwright.async_api import Page, expect

from hookbundle.engine import limits
from hookbundle.tests.server.console.plain import Visitor, signed_in
from hookbundle.tests.server.console.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEBHOOKS = "/console/w/acme/webhooks"
API = "/v1/workspaces/acme/webhooks"


async def test_a_second_one_is_made_and_both_show_their_states(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await stage.workspace("acme")
    await page.goto("/console/w/acme/outbound")
    await page.get_by_role("link", name="Add a webhook").click()
    await page.get_by_label("Id", exact=True).fill("crm")
    await page.get_by_label("Webhook URL").fill(f"{stage.receiver.url}/crm")
    await page.get_by_role("radio", name="Every 6 hours").check()

    await page.get_by_role("button", name="Create").click()

    notice = page.locator(".notice")
    await expect(notice).to_contain_text("The webhook is created.")
    await expect(notice.locator("code")).to_contain_text("whsec_")
    await expect(page).to_have_url(f"{stage.url}{WEBHOOKS}/crm")
    await page.reload()
    await expect(page.locator("main")).not_to_contain_text("whsec_")
    await page.get_by_role("link", name="All webhooks").click()
    await expect(page.locator("tbody .badge")).to_have_text(["Enabled", "Enabled"])
    await expect(page.locator("tbody tr").nth(1)).to_contain_text("Every 6 hours")
    made = await stage.system.get(f"{API}/crm")
    assert (made["aggregation"], made["success"]) == ("6h", "200")


@pytest.mark.parametrize(
    ("webhook_id", "url", "field"),
    [
        ("Content Type", "https://crm.example", "id"),
        ("", "https://crm.example", "id"),
        ("outbound", "https://crm.example", "id"),
        ("crm", "ftp://crm.example", "url"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    stage: Stage, plain_page: Page, webhook_id: str, url: str, field: str
) -> None:
    page = plain_page
    await stage.workspace("acme")
    await page.goto(f"{WEBHOOKS}/new")
    await page.get_by_label("Id", exact=True).fill(webhook_id)
    await page.get_by_label("Webhook URL").fill(url)
    await page.get_by_role("radio", name="Every 24 hours").check()

    await page.get_by_role("button", name="Create").click()

    await expect(page.locator(f"#{field}-fault")).to_be_visible()
    await expect(page.locator("#id")).to_have_value(webhook_id)
    await expect(page.locator("#url")).to_have_value(url)
    await expect(page.get_by_role("radio", name="Every 24 hours")).to_be_checked()
    assert len((await stage.system.get(API))["webhooks"]) == 1


async def test_one_too_many_is_refused_in_words(stage: Stage) -> None:
    await stage.workspace("acme")
    for number in range(1, limits.WEBHOOKS_MAX):
        hook = {"id": f"hook-{number}", "url": f"{stage.receiver.url}/{number}"}
        assert (await stage.system.ask("POST", API, hook)).status == 201

    async with signed_in(stage) as owner:
        answer = await owner.post(f"{WEBHOOKS}/new", {"id": "more", "url": stage.receiver.url})

    assert answer.status == 409
    assert "This could not be done." in answer.text
    assert f"{limits.WEBHOOKS_MAX}" in answer.text
    assert 'value="more"' in answer.text


async def test_a_form_filled_in_before_another_change_is_refused_and_kept(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await two(stage)
    await page.goto(f"{WEBHOOKS}/crm")
    await page.get_by_label("Webhook URL").fill(f"{stage.receiver.url}/mine")
    theirs = {"url": f"{stage.receiver.url}/theirs"}
    await stage.system.ask("PATCH", f"{API}/crm", theirs)

    await page.get_by_role("button", name="Save").click()

    await expect(page.locator(".notice")).to_contain_text("This could not be done.")
    await expect(page.get_by_label("Webhook URL")).to_have_value(f"{stage.receiver.url}/mine")
    assert (await stage.system.get(f"{API}/crm"))["url"] == theirs["url"]


async def test_the_form_of_one_is_not_refused_because_another_was_changed(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await two(stage)
    await page.goto(f"{WEBHOOKS}/crm")
    await page.get_by_role("radio", name="Every 12 hours").check()
    await stage.system.ask("PATCH", f"{API}/outbound", {"aggregation": "24h"})

    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_text("The settings are saved.")).to_be_visible()
    assert (await stage.system.get(f"{API}/crm"))["aggregation"] == "12h"


async def test_tests_and_secrets_are_those_of_the_webhook_of_the_page(
    stage: Stage, page: Page
) -> None:
    await two(stage)
    await page.goto(f"{WEBHOOKS}/crm")

    await page.get_by_role("button", name="Send a test request").click()
    await expect(page.locator("#answer")).to_contain_text("200")
    await page.get_by_text("Rotate the secret").click()
    await page.get_by_role("button", name="Make a new secret").click()
    await page.get_by_role("button", name="Make a new secret").click()
    await expect(page.locator(".notice code")).to_contain_text("whsec_")

    for kind in ("webhook.tested", "workspace.secret_rotated"):
        (told,) = await stage.system.facts.until(kind)
        assert told["webhook"] == "crm"


async def test_the_only_webhook_is_not_deleted(stage: Stage) -> None:
    await stage.workspace("acme")

    async with signed_in(stage) as owner:
        agreed = {"agreed": "any"}
        answer = await owner.post(f"{WEBHOOKS}/outbound/delete", agreed)
        shown = await owner.get("/console/w/acme/outbound")

    assert answer.status == 303
    assert "This could not be done." in shown.text
    assert [each["id"] for each in (await stage.system.get(API))["webhooks"]] == ["outbound"]


async def test_who_deletes_outbound_is_told_what_means_it(stage: Stage, plain_page: Page) -> None:
    page = plain_page
    await two(stage)
    await page.goto("/console/w/acme/outbound")
    await page.get_by_role("button", name="Delete the webhook").click()
    means = "Paths and commands that name no webhook mean this one"
    await expect(page.locator("main")).to_contain_text(means)
    await page.get_by_role("button", name="Delete the webhook").click()

    await page.goto("/console/w/acme/outbound")

    gone = "There is no webhook outbound any more"
    await expect(page.locator("main")).to_contain_text(gone)
    await page.goto(f"{WEBHOOKS}/new")
    await page.get_by_role("link", name="Cancel").click()
    await expect(page).to_have_url(f"{stage.url}{WEBHOOKS}")


async def test_one_that_is_not_there_is_not_found(stage: Stage) -> None:
    await two(stage)
    async with signed_in(stage) as owner:
        found = {path: await status(owner, path) for path in ("sms", "sms/filter", "sms/state")}

    assert found == dict.fromkeys(found, 404)


async def status(owner: Visitor, path: str) -> int:
    return (await owner.get(f"{WEBHOOKS}/{path}")).status


async def two(stage: Stage) -> None:
    """acme has the webhooks outbound and crm."""
    await stage.workspace("acme")
    made = {"id": "crm", "url": f"{stage.receiver.url}/crm", "aggregation": "6h"}
    assert (await stage.system.ask("POST", API, made)).status == 201
