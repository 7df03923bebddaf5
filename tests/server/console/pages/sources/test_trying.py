"""Settings are tried on a body that was pasted, before they are saved; without a script."""

import json

import pytest
from playwright.async_api import Page, expect

from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage
from hookbundle.tests.server.console.test_arabic_errors import SPEAKS, english_in
from hookbundle.tests.server.console.test_hostile_texts import CORPUS
from hookbundle.tests.server.http.resources.sources.posting import make, waha

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCES = "/console/w/acme/sources"
API = "/v1/workspaces/acme/sources"
FIELDS = {
    "message_id": "items[].id",
    "chat_id": "items[].chat",
    "text": "items[].text",
    "chat_name": "items[].name",
}
HOSTILE = CORPUS[0]
ITEM = {"id": "m1", "chat": "15550101234@c.us", "text": HOSTILE, "name": HOSTILE}


async def test_a_new_source_is_tried_on_what_was_pasted_and_then_made(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await stage.workspace("acme")
    await page.goto(f"{SOURCES}/new?kind=generic")
    await page.get_by_label("Name of the source").fill("ours")
    await page.get_by_label("Where the parts of a message are").fill(json.dumps(FIELDS))
    sample = page.get_by_label("A body as the other system posts it")
    faulty = {**ITEM, "id": 7.5}
    await sample.fill(json.dumps({"items": [ITEM, faulty, {**ITEM, "id": "m2", "text": ""}]}))

    await page.get_by_role("button", name="Try it").click()

    tried = page.locator("#tried")
    await expect(tried).to_contain_text("taken as a message")
    await expect(tried).to_contain_text("a message without a text")
    await expect(tried).to_contain_text("15550101234")
    await expect(tried.locator("pre")).to_have_text(HOSTILE)
    await expect(tried).to_contain_text("message.message_id")
    assert HOSTILE not in await page.content()
    await expect(page.get_by_label("Name of the source")).to_have_value("ours")
    assert json.loads(await sample.input_value())["items"][0] == ITEM
    assert (await stage.system.get(API))["sources"] == []

    await page.get_by_label("Name of the source").press("Enter")  # saves, and does not try

    await expect(page.get_by_role("heading", name="What to do over there")).to_be_visible()
    assert (await stage.system.get(f"{API}/generic-1"))["name"] == "ours"


async def test_changed_settings_are_tried_and_the_source_stays_as_it_is(stage: Stage) -> None:
    await stage.workspace("acme")
    await make(stage.system, hmac_key="secret")
    before = await stage.system.get(f"{API}/waha-1")
    form = {"do": "try", "account_full_name": "Omar", "version": "1", "hmac_key": "a secret to try"}

    async with signed_in(stage) as owner:
        at = f"{SOURCES}/waha-1/settings"
        tried = await owner.post(at, {**form, "body": json.dumps(waha())})
        unreadable = await owner.post(at, {**form, "body": "{"})
        wrong = await owner.post(at, {**form, "chat_url": "ftp://x/{chat}", "body": "{}"})
        owner.session.headers.update(SPEAKS)
        arabic = await owner.post(at, {**form, "body": json.dumps(waha())})
        long = await owner.post(at, {**form, "body": json.dumps(waha("A" * 600))})

    assert [each.status for each in (tried, unreadable, wrong)] == [200, 200, 422]
    assert "taken as a message" in tried.text
    assert "write it once more before you save" in tried.text
    assert "a secret to try" not in tried.text
    assert "not readable: neither JSON nor a form" in unreadable.text
    assert 'id="chat_url-fault"' in wrong.text
    assert english_in(arabic.text[arabic.text.index('id="tried"') :].split("<pre", 1)[0]) == []
    assert "600" in long.text[long.text.index('id="tried"') :]  # the sentence has its figures
    assert await stage.system.get(f"{API}/waha-1") == before
