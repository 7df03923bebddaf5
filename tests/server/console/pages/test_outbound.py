"""Webhooks → Outbound as a workspace's owner uses it, in a browser."""

import re

import pytest
from playwright.async_api import Page, expect

from hookbundle.engine import time_zones
from hookbundle.engine.delivery import signing
from hookbundle.tests.server.console.browsing import sign_in
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTBOUND = "/console/w/acme/outbound"


async def test_the_settings_stand_in_the_words_of_the_product(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", "Acme Ltd", aggregation="6h")
    await page.goto(OUTBOUND)

    granularity = page.get_by_role("group", name="Aggregation Granularity")
    offered = await granularity.get_by_role("radio", include_hidden=True).all()
    read = "radio => radio.parentElement.textContent.trim()"  # the last one is folded away
    names = [await radio.evaluate(read) for radio in offered]

    assert names == [
        "Don't aggregate",
        "Every hour",
        "Every 6 hours",
        "Every 12 hours",
        "Every 24 hours",
        "Until the conversation is quiet",
        "At times of the day, such as every evening",
        "By a rule (As JSON)",
    ]
    await expect(granularity.get_by_role("radio", name="Every 6 hours")).to_be_checked()
    await expect(page.get_by_label("Webhook URL")).to_have_value(f"{stage.receiver.url}/hook")
    await expect(page.get_by_role("switch", name="Webhook enabled")).to_be_checked()


async def test_settings_are_saved_and_said_to_be(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="6h")
    await page.goto(OUTBOUND)

    await page.get_by_role("radio", name="Don't aggregate").check()
    await page.get_by_label("Webhook URL").fill(f"{stage.receiver.url}/other")
    await page.get_by_text("More settings").click()
    await page.get_by_label("Name of the workspace").fill("Acme & Sons")
    await page.get_by_label("any status from 200 to 299").check()
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_role("status").first).to_contain_text("The settings are saved.")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Acme & Sons")
    shown = await stage.system.show()
    assert (shown["name"], shown["owner_email"]) == ("Acme & Sons", "owner@acme.example")
    assert shown["webhook"]["aggregation"] == "none"
    assert shown["webhook"]["url"].endswith("/other")
    assert shown["webhook"]["success"] == "2xx"
    await page.reload()
    await expect(page.get_by_text("The settings are saved.")).to_have_count(0)


async def test_language_and_time_zone_are_saved(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto(OUTBOUND)
    await page.get_by_text("More settings").click()
    language = page.get_by_label("Language of the workspace")
    zone = page.get_by_label("Time zone of the workspace")
    await expect(language).to_have_value("en")
    await expect(zone).to_have_value("UTC")
    await expect(zone).to_have_accessible_description(re.compile("stay in UTC"))

    await language.select_option(label="العربية")
    await zone.fill(" Africa/Cairo ")
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_role("status").first).to_contain_text("The settings are saved.")
    await expect(language).to_have_value("ar")
    await expect(zone).to_have_value("Africa/Cairo")
    shown = await stage.system.show()
    assert (shown["language"], shown["time_zone"]) == ("ar", "Africa/Cairo")


async def test_time_zones_are_offered_while_typing(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto(OUTBOUND)

    offered = page.get_by_label("Time zone of the workspace")
    values = await offered.evaluate("field => Array.from(field.list.options, each => each.value)")

    assert values == list(time_zones.offered())


@pytest.mark.parametrize("zone", ["Cairo", ""])
async def test_a_time_zone_that_is_none_is_refused_at_its_field(
    stage: Stage, page: Page, zone: str
) -> None:
    await stage.workspace("acme")
    await page.goto(OUTBOUND)
    await page.get_by_text("More settings").click()

    await page.get_by_label("Language of the workspace").select_option("ar")
    await page.get_by_label("Time zone of the workspace").fill(zone)
    await page.get_by_role("button", name="Save").click()

    field = page.get_by_label("Time zone of the workspace")
    await expect(field).to_be_visible()
    await expect(field).to_have_value(zone)
    await expect(field).to_have_accessible_description(re.compile("IANA time zone"))
    await expect(page.get_by_label("Language of the workspace")).to_have_value("ar")
    shown = await stage.system.show()
    assert (shown["language"], shown["time_zone"]) == ("en", "UTC")


async def test_in_arabic_the_settings_have_arabic_names(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto(f"/console/language/ar?next={OUTBOUND}")

    await page.get_by_text("إعدادات أخرى").click()
    await page.get_by_label("لغة مساحة العمل").select_option(label="العربية")
    await page.get_by_label("المنطقة الزمنية لمساحة العمل").fill("Asia/Riyadh")
    await page.get_by_role("button", name="حفظ").click()

    await expect(page.get_by_label("المنطقة الزمنية لمساحة العمل")).to_have_value("Asia/Riyadh")
    shown = await stage.system.show()
    assert (shown["language"], shown["time_zone"]) == ("ar", "Asia/Riyadh")


async def test_a_custom_aggregation_is_offered_and_kept(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="45m")
    await page.goto(OUTBOUND)

    await expect(page.get_by_role("radio", name="Every 45 minutes")).to_be_checked()
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_role("radio", name="Every 45 minutes")).to_be_checked()
    assert (await stage.system.hook())["aggregation"] == "45m"


async def test_a_url_that_can_not_be_is_refused_at_its_field(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto(OUTBOUND)

    await page.get_by_label("Webhook URL").fill("ftp://files.example/in")
    await page.get_by_role("button", name="Save").click()

    url = page.get_by_label("Webhook URL")
    await expect(url).to_have_value("ftp://files.example/in")
    await expect(url).to_have_attribute("aria-invalid", "true")
    await expect(url).to_have_accessible_description(re.compile("http"))
    assert (await stage.system.hook())["url"].endswith("/hook")


async def test_a_change_that_somebody_else_overtook_is_not_saved(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", "Acme")
    await page.goto(OUTBOUND)
    await stage.system.ask("PATCH", "/v1/workspaces/acme", {"name": "Acme & Sons"})

    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_role("alert")).to_contain_text("This could not be done.")
    assert (await stage.system.show())["name"] == "Acme & Sons"


async def test_a_test_request_is_answered_on_the_page(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    stage.receiver.statuses["/hook"] = 418
    stage.receiver.answer = '{"brewing": "tea"}'
    await page.goto(OUTBOUND)

    await page.get_by_role("button", name="Send a test request").click()

    answer = page.locator("#answer")
    await expect(answer).to_contain_text("The receiver answered with status 418")
    await expect(answer).to_contain_text('"brewing": "tea"')
    assert len(stage.receiver.bodies) == 1
    assert (await stage.system.hook())["consecutive_errors"] == 0


async def test_without_scripts_a_test_request_shows_on_its_own_page(
    stage: Stage, plain_page: Page
) -> None:
    await stage.workspace("acme")
    await plain_page.goto(OUTBOUND)

    await plain_page.get_by_role("button", name="Send a test request").click()

    await expect(plain_page.get_by_role("heading", level=2).first).to_contain_text("Request of")
    await expect(plain_page.get_by_label("Body of the response")).to_contain_text('"ok": true')
    await expect(plain_page.get_by_label("Body of the request")).to_contain_text("a test request")


async def test_a_new_signing_secret_is_shown_once_and_signs(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto(OUTBOUND)

    await page.get_by_text("Rotate the secret").click()
    await page.get_by_label("The old secret expires").select_option("now")
    await page.get_by_role("button", name="Make a new secret").click()
    await expect(page.get_by_text("The old secret expires now.")).to_be_visible()
    await page.get_by_role("button", name="Make a new secret").click()
    secret = await page.locator("#secret").inner_text()
    await page.reload()

    await expect(page.locator("#secret")).to_have_count(0)
    assert secret not in await page.content()
    kept = stage.system.daemon.partition.reads.workspace("acme").webhook.secrets
    assert [each.value for each in kept] == [secret]
    assert signing.secret_key(secret)


async def test_a_disabled_webhook_says_why_and_what_it_holds_and_goes_on(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="none")
    stage.receiver.statuses["/hook"] = 503
    await stage.system.accept("acme", *(talk(f"Order {n}", n) for n in range(3)))
    await stage.disabled("acme")
    await sign_in(page, await stage.token())  # the hours have ended the session
    await page.goto(OUTBOUND)

    alarm = page.get_by_role("region", name="The webhook was disabled after too many errors")
    await expect(alarm).to_contain_text("Since ")
    await expect(alarm).to_contain_text("status 503")
    await expect(alarm).to_contain_text("3 messages are held; nothing is lost.")
    await expect(page.get_by_text("11 of 11")).to_be_visible()
    stage.receiver.statuses.clear()
    await alarm.get_by_role("button", name="Enable").click()

    await expect(page.get_by_text("It goes on where it stopped.")).to_be_visible()
    await stage.until("acme", queued=0, enabled=True, consecutive_errors=0)


async def test_what_is_held_can_be_discarded(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="none")
    await stage.system.switch("acme", "disable")
    await stage.system.accept("acme", *(talk(f"Order {n}", n) for n in range(3)))
    await page.goto(OUTBOUND)

    await page.get_by_label("Discard them: 3 deliveries").check()
    await page.get_by_role("button", name="Enable").click()
    await page.get_by_role("button", name="Enable and discard").click()

    await expect(page.get_by_text("3 held deliveries were discarded.")).to_be_visible()
    await stage.until("acme", queued=0, enabled=True)
    assert stage.receiver.bodies == []


async def test_the_switch_disables_and_enables(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto(OUTBOUND)

    await page.get_by_role("switch", name="Webhook enabled").uncheck()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Nothing is sent until the webhook is enabled")).to_be_visible()
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_role("heading", name="The webhook is disabled")).to_be_visible()
    assert not (await stage.system.hook())["enabled"]
    await page.get_by_role("switch", name="Webhook enabled").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="The webhook is disabled")).to_have_count(0)
    assert (await stage.system.hook())["enabled"]


async def test_a_form_left_open_does_not_enable_again_what_was_disabled_meanwhile(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme")
    await page.goto(OUTBOUND)
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await stage.system.switch("acme", "disable")

    await expect(page.get_by_text("The webhook was switched meanwhile")).to_be_visible()
    await page.get_by_role("radio", name="Every 12 hours").check()
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_text("The settings are saved.")).to_be_visible()
    hook = await stage.system.hook()
    assert (hook["aggregation"], hook["enabled"]) == ("12h", False)


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_when_all_test_requests_of_the_hour_are_sent_the_page_says_when_one_is_possible(
    stage: Stage, page: Page, language: str
) -> None:
    await stage.workspace("acme")
    for _ in range(60):
        await stage.system.ask("POST", "/v1/workspaces/acme/webhook/test")
    await page.goto(f"/console/language/{language}?next={OUTBOUND}")

    await page.locator("form[action$='/webhook/test'] button").click()

    notice = page.get_by_role("alert").first
    words = "possible in 60 minutes" if language == "en" else "بعد 60 دقيقة"
    await expect(notice).to_contain_text(words)
