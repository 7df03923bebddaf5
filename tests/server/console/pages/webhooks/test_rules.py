"""A webhook whose windows end by a rule: chosen in its form, tried, saved, and read back."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from hookbundle.tests.in_process import MINUTE_MS
from hookbundle.tests.server.console.browsing import faults, opened
from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

API = "/v1/workspaces/acme/webhooks/outbound"
OUTBOUND = "/console/w/acme/outbound"
RULE = {"quiet": "10m", "max": "6h"}
EVENING = {
    "at": ["12:00", "18:00"],
    "days": "sun-thu",
    "zone": "Asia/Jerusalem",
    "first": "now",
    "hours": {"days": "mon,wed", "from": "22:00", "to": "06:00", "zone": "Africa/Cairo"},
}
RULES = {
    "rules": [{"match": {"labels": {"any": ["vip"]}}, "window": "none"}],
    "else": {"quiet": "10m"},
}
NINE_MINUTES = {"aggregation": "quiet", "quiet_count": "9", "quiet_unit": "m"}
QUIET_WORDS = "When the conversation has been quiet for 10 minutes, at the latest after 6 hours"


async def with_rule(stage: Stage, window: Any) -> None:
    await stage.workspace("acme", aggregation="1h")
    assert (await stage.system.ask("PATCH", API, {"window": window})).status == 200


async def save(page: Page) -> None:
    await page.get_by_role("button", name="Save").first.click()
    await expect(page.get_by_text("The settings are saved.")).to_be_visible()


async def window(stage: Stage) -> Any:
    return (await stage.system.get(API))["window"]


@pytest.mark.parametrize("script", [True, False])
async def test_a_rule_is_chosen_tried_saved_and_read_back(
    stage: Stage, browser: Browser, script: bool
) -> None:
    await stage.workspace("acme", aggregation="1h")
    for number in range(4):
        await stage.system.accept("acme", talk("Hi", number))
        stage.system.clock.move(35 * MINUTE_MS)
    async with opened(browser, stage, java_script_enabled=script) as page:
        await page.goto(OUTBOUND)
        await expect(page.get_by_label("Quiet for", exact=True)).to_be_hidden()
        await page.get_by_label("Until the conversation is quiet").check()
        await page.get_by_label("Quiet for", exact=True).fill("40")
        await page.get_by_label("At the latest after", exact=True).fill("6")
        await page.get_by_role("button", name="Try it").click()
        tried = page.locator("#tried")
        await expect(tried).to_contain_text("4 messages in 1 request; by the rule of now: 2")
        await expect(tried).to_contain_text("1 request is saved.")
        await expect(tried).to_contain_text("has been quiet for 40 minutes")
        assert await window(stage) == {"every": "1h"}
        if script:
            assert await faults(page) == []
        await page.get_by_label("Quiet for", exact=True).fill("10")
        await page.get_by_role("button", name="Save").click()
        if await page.get_by_text("Save the settings?").count():
            await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("The settings are saved.")).to_be_visible()
        await expect(page.locator("p.rule")).to_have_text(QUIET_WORDS)

    assert await window(stage) == RULE


async def test_the_whole_way_in_arabic(stage: Stage, browser: Browser) -> None:
    await with_rule(stage, RULES)
    async with opened(browser, stage, locale="ar") as page:
        await page.goto(OUTBOUND)
        await expect(page.locator("ol.rule li")).to_have_text(
            [
                "الوسوم: أحدها: vip ← كل رسالة فورًا",
                "كل ما عدا ذلك ← عندما تهدأ المحادثة لمدة 10 دقائق، وبعد ساعة واحدة على الأكثر",
            ]
        )
        await page.locator("input[value=at]").check()
        assert await faults(page) == []
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) == 0
        await page.locator("#at_times").fill("18:00، 7")
        await page.locator("#try").click()
        await expect(page.locator("#at_times")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#at_times-fault")).to_be_visible()
        await page.locator("#at_times").fill("18:00")
        await page.locator(".settings button.main").click()
        await expect(page.locator("p.rule")).to_have_text("كل يوم عند 18:00 (UTC)")

    assert await window(stage) == {"at": ["18:00"]}


@pytest.mark.parametrize("rule", [RULE, EVENING, RULES, {"every": "6h", "first": "now"}])
async def test_saving_something_else_keeps_the_rule(
    stage: Stage, plain_page: Page, rule: dict[str, Any]
) -> None:
    await with_rule(stage, rule)
    before = await stage.system.get(API)
    await plain_page.goto(OUTBOUND)

    await plain_page.get_by_label("Webhook URL").fill("https://hooks.example/new")
    await plain_page.get_by_label("Webhook URL").press("Enter")

    await expect(plain_page.get_by_text("The settings are saved.")).to_be_visible()
    shown = await stage.system.get(API)
    assert (shown["url"], shown["window"]) == ("https://hooks.example/new", before["window"])
    activity = (await stage.system.get("/v1/workspaces/acme/activity"))[0]
    assert "window" not in activity["detail"]


async def test_what_the_fields_show_makes_the_same_rule(stage: Stage, plain_page: Page) -> None:
    await with_rule(stage, EVENING)
    await plain_page.goto(OUTBOUND)

    await plain_page.get_by_label("Times", exact=True).fill("18:00")
    await save(plain_page)

    assert await window(stage) == {**EVENING, "at": ["18:00"]}


async def test_a_length_that_is_chosen_replaces_the_rule(stage: Stage, plain_page: Page) -> None:
    await with_rule(stage, RULE)
    await plain_page.goto(OUTBOUND)

    await plain_page.get_by_label("Every 6 hours").check()
    await save(plain_page)

    await expect(plain_page.locator(".rule")).to_have_count(0)
    assert await window(stage) == {"every": "6h"}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"aggregation": "soon"}, "aggregation"),
        ({"aggregation": "quiet", "quiet_count": "ten", "quiet_unit": "m"}, "quiet_count"),
        ({"aggregation": "quiet", "quiet_count": "", "quiet_unit": "m"}, "quiet_count"),
        ({**NINE_MINUTES, "max_count": "5", "max_unit": "s"}, "max_count"),
        ({"aggregation": "at", "at_times": "18:00, 7pm", "at_mon": "on"}, "at_times"),
        ({"aggregation": "at", "at_times": "", "at_mon": "on"}, "at_times"),
        ({"aggregation": "at", "at_times": "18:00"}, "at_days"),
        ({"aggregation": "at", "at_times": "18:00", "at_zone": "Cairo"}, "at_zone"),
        (
            {"aggregation": "1h", "hours": "on", "hours_from": "9", "hours_to": "18:00"},
            "hours_from",
        ),
        ({"aggregation": "1h", "hours": "on", "hours_from": "09:00", "hours_to": ""}, "hours_to"),
        ({"aggregation": "custom", "window_json": '{"quite": "10m"}'}, "window_json"),
        ({"aggregation": "custom", "window_json": "{"}, "window_json"),
        ({"aggregation": "custom", "window_json": " "}, "window_json"),
        ({"aggregation": "custom", "window_json": "[" * 500 + "]" * 500}, "window_json"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    stage: Stage, form: dict[str, str], field: str
) -> None:
    await stage.workspace("acme", aggregation="1h")
    async with signed_in(stage) as owner:
        for act in ({}, {"do": "try"}):
            seen = await owner.post(OUTBOUND, {"url": "", **form, **act})
            assert seen.status == 422
            assert f'id="{field}-fault"' in seen.text
            for name, value in form.items():
                if name in ("quiet_count", "at_times", "hours_from", "at_zone"):
                    assert f'name="{name}" ' in seen.text
                    assert f'value="{value}"' in seen.text

    assert await window(stage) == {"every": "1h"}


async def test_a_rule_too_long_for_the_form_stays_until_another_is_written(stage: Stage) -> None:
    match = {"labels": [f"ملصق {number:03} " + "x" * 80 for number in range(99)]}
    rules = [{"match": {**match, "kind": kind}, "window": "none"} for kind in ("direct", "group")]
    await with_rule(stage, {"rules": rules, "else": RULE})
    before = await window(stage)
    async with signed_in(stage) as owner:
        seen = await owner.get(OUTBOUND)
        assert 'name="unshown" value="on"' in seen.text
        kept = {"aggregation": "custom", "window_json": "", "unshown": "on"}
        assert (await owner.post(OUTBOUND, {"url": "https://a.example/", **kept})).status == 303
        assert await window(stage) == before
        written = {**kept, "window_json": '{"quiet": "1h"}'}
        assert (await owner.post(OUTBOUND, {"url": "https://a.example/", **written})).status == 303

    assert await window(stage) == {"quiet": "1h"}


async def test_a_new_webhook_is_made_with_a_rule(stage: Stage, plain_page: Page) -> None:
    await stage.workspace("acme", aggregation="1h")
    await plain_page.goto("/console/w/acme/webhooks/new")
    await plain_page.get_by_label("Id", exact=True).fill("crm")
    await plain_page.get_by_label("Webhook URL").fill(f"{stage.receiver.url}/crm")
    await plain_page.get_by_label("At times of the day").check()
    for day in ("Fri", "Sat"):
        await plain_page.get_by_role("group", name="Days").first.get_by_label(day).uncheck()
    await plain_page.get_by_role("button", name="Create").click()
    await expect(plain_page.locator("p.rule")).to_have_text("On Sun\u2013Thu at 18:00 (UTC)")
    await plain_page.get_by_role("link", name="All webhooks").click()
    await expect(plain_page.locator("tbody .rule")).to_have_text("On Sun\u2013Thu at 18:00 (UTC)")

    made = await stage.system.get("/v1/workspaces/acme/webhooks/crm")
    assert made["window"] == {"at": ["18:00"], "days": "sun-thu"}


async def test_the_question_counts_what_ends_now_and_what_ends_at_another_time(
    stage: Stage,
) -> None:
    await stage.workspace("acme", aggregation="24h")
    vip = talk("Hi", 1, chat="vip")
    vip["chat"]["labels"] = ["vip"]
    await stage.system.accept("acme", vip, talk("Hi", 1, chat="old"), talk("Hi", 1, chat="busy"))
    stage.system.clock.move(100 * MINUTE_MS)
    await stage.system.accept("acme", talk("Hi", 2, chat="busy"), talk("Hi", 1, chat="new"))
    quiet = {"aggregation": "quiet", "quiet_count": "1", "quiet_unit": "h", "max_count": ""}
    rules = '{"rules": [{"match": {"labels": "vip"}, "window": "none"}], "else": {"every": "23h"}}'
    async with signed_in(stage) as owner:
        seen = await owner.post(OUTBOUND, {"url": f"{stage.receiver.url}/hook", **quiet})
        assert "2 chats stop collecting now" in seen.text
        assert "2 chats go on collecting, and end at another time" in seen.text
        by_rules = {"aggregation": "custom", "window_json": rules}
        form = {"url": f"{stage.receiver.url}/hook", **by_rules}
        seen = await owner.post(OUTBOUND, form)
        assert "1 chat stops collecting now" in seen.text
        assert "3 chats go on collecting, and end at another time" in seen.text
        assert (await stage.system.show())["counts"]["windows"] == 4
        assert (await owner.post(OUTBOUND, {**form, "agreed": "sealed:1,moved:0"})).status == 303

    await stage.until("acme", windows=3)


async def test_another_time_zone_of_the_workspace_is_asked_where_windows_end_by_its_clock(
    stage: Stage,
) -> None:
    await stage.workspace("acme", aggregation="1h")
    soon = (stage.system.clock.now_ms() // MINUTE_MS + 150) % 1_440
    rule = {"at": [f"{soon // 60:02}:{soon % 60:02}"]}  # half an hour after what follows
    await stage.system.ask("PATCH", API, {"window": rule})
    await stage.system.accept("acme", talk("Hi"))
    stage.system.clock.move(120 * MINUTE_MS)
    ahead = {"time_zone": "Etc/GMT-1"}  # there it was half an hour ago
    async with signed_in(stage) as owner:
        asked = await owner.post(OUTBOUND, {"url": f"{stage.receiver.url}/hook", **ahead})
        apart = await owner.post("/console/w/acme/settings", ahead)
        assert "1 chat stops collecting now" in asked.text
        assert "1 chat stops collecting now" in apart.text
        assert (await stage.system.show())["counts"]["windows"] == 1
        done = await owner.post("/console/w/acme/settings", {**ahead, "agreed": "sealed:1"})

    assert done.status == 303
    await stage.until("acme", windows=0)
