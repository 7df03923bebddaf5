"""A webhook's filter: built from chips, judged on the last messages, and only then saved."""

from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from hookbundle.tests.server.console.browsing import opened
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILTER = "/console/w/acme/webhooks/outbound/filter"
API = "/v1/workspaces/acme/webhooks/outbound"


async def shop(stage: Stage) -> None:
    """The workspace acme has collected three messages of two chats."""
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept(
        "acme",
        talk("An invoice, please", 1, chat="c1", name="Maria Rossi"),
        talk("Good morning", 2, chat="c2", name="سامي حداد"),
        talk("Any news?", 3, chat="c2", name="سامي حداد"),
    )


def field(page: Page, place: str) -> Locator:
    return page.locator(f"[id='f-{place}']")


async def add(page: Page, place: str, text: str) -> None:
    await field(page, place).fill(text)
    await page.locator(f".adding:has([id='f-{place}']) button").click()


async def press(page: Page, what: str) -> None:
    await page.locator(f"button[name=do][value='{what}']").click()


async def saved(stage: Stage) -> Any:
    return (await stage.system.get(API))["filter"]


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("script", [True, False])
async def test_chips_make_a_filter_and_a_filter_makes_chips(
    stage: Stage, browser: Browser, language: str, script: bool
) -> None:
    await shop(stage)
    async with opened(browser, stage, locale=language, java_script_enabled=script) as page:
        await page.goto(FILTER)
        await field(page, "all.direction").select_option("received")
        await add(page, "all.labels.any", "VIP, عميل مميز ،new")
        await expect(page.locator(".chips li")).to_have_count(3)
        await press(page, "group")
        await add(page, "any0.text_contains", "invoice")
        await press(page, "group")
        await field(page, "any1.is_new_chat").select_option("true")
        await press(page, "drop:all:labels.any:2")
        await press(page, "save")
        await page.wait_for_url("**/outbound")
        await page.goto(FILTER)
        await expect(page.locator(".chips li > bdi")).to_have_text(["VIP", "عميل مميز", "invoice"])
        await expect(field(page, "any1.is_new_chat")).to_have_value("true")

    assert await saved(stage) == {
        "direction": "received",
        "labels": {"any": ["VIP", "عميل مميز"]},
        "any": [{"text_contains": ["invoice"]}, {"is_new_chat": True}],
    }


@pytest.mark.parametrize("script", [True, False])
async def test_who_adds_and_removes_stays_at_the_row(
    stage: Stage, browser: Browser, script: bool
) -> None:
    await shop(stage)
    await stage.system.ask("PATCH", API, {"filter": {"any": [{"kind": "group"}]}})
    async with opened(browser, stage, java_script_enabled=script) as page:
        await page.goto(FILTER)
        if script:
            await field(page, "any0.text_lacks").fill("spam")
            await page.keyboard.press("Enter")
        else:
            await add(page, "any0.text_lacks", "spam")
        await expect(page.locator(".chips li")).to_have_count(1)
        await expect(field(page, "any0.text_lacks")).to_be_in_viewport()
        await press(page, "drop:any0:text_lacks:0")
        await expect(page.locator(".chips li")).to_have_count(0)
        await expect(field(page, "any0.text_lacks")).to_be_in_viewport()
        await press(page, "group")
        await expect(field(page, "any1.direction")).to_be_in_viewport()
        await press(page, "try")
        await expect(page.locator(".answer-line")).to_be_in_viewport()


async def test_nothing_is_saved_that_was_not_judged_on_a_page_before(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await shop(stage)
    await page.goto(FILTER)
    await expect(page.locator(".answer-line")).to_contain_text("3 are kept")

    await field(page, "all.text_contains").fill("invoice")
    await press(page, "save")

    await expect(page.get_by_text("It is not saved yet.")).to_be_visible()
    verdict = "Of the last 3 messages: 1 is kept, 2 are dropped."
    await expect(page.locator(".answer-line")).to_have_text(verdict)
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("سامي حداد")
    await expect(rows.first).to_contain_text("none of the words of which the filter wants one")
    assert await saved(stage) == {}
    await press(page, "save")
    await expect(page.get_by_text("The settings are saved.")).to_be_visible()
    await expect(page.locator("main")).to_contain_text("The text has one of: invoice")
    assert await saved(stage) == {"text_contains": ["invoice"]}


async def test_a_fault_stands_beside_its_row_and_what_was_typed_stays(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await shop(stage)
    await page.goto(FILTER)
    await field(page, "all.labels.none").fill("spam")

    await add(page, "all.responsible", "nobody at all")

    wrong = field(page, "all.responsible")
    await expect(wrong).to_have_value("nobody at all")
    await expect(wrong).to_have_attribute("aria-describedby", "f-all.responsible-fault")
    await expect(page.locator("[id='f-all.responsible-fault']")).to_be_visible()
    await expect(page.locator(".chips li > bdi")).to_have_text(["spam"])
    await press(page, "save")
    assert await saved(stage) == {}


@pytest.mark.parametrize(
    "text", ['{"directoin": "sent"}', "{", "[1]", '{"any": {}}', '{"kind": "direct", "kind": 1}']
)
async def test_json_that_is_no_filter_is_refused_and_kept(
    stage: Stage, plain_page: Page, text: str
) -> None:
    page = plain_page
    await shop(stage)
    await page.goto(FILTER)
    await page.get_by_text("As JSON", exact=True).click()
    await field(page, "all.labels.any").fill("VIP")
    await field(page, "filter").fill(text)

    await press(page, "save")

    await expect(page.locator("[id='f-filter-fault']")).to_be_visible()
    kept = await field(page, "filter").input_value()
    assert text in kept or "directoin" in kept
    assert "VIP" in kept + await field(page, "all.labels.any").input_value()
    assert await saved(stage) == {}


async def test_what_is_written_as_json_is_shown_as_chips(stage: Stage, plain_page: Page) -> None:
    page = plain_page
    await shop(stage)
    await page.goto(FILTER)
    await page.get_by_text("As JSON", exact=True).click()
    await field(page, "filter").fill('{"direction": "sent", "labels": "VIP"}')

    await press(page, "try")

    await expect(field(page, "all.direction")).to_have_value("sent")
    await expect(page.locator(".chips li > bdi")).to_have_text(["VIP"])


async def test_a_filter_changed_meanwhile_is_not_overwritten(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await shop(stage)
    await page.goto(FILTER)
    await add(page, "all.labels.any", "VIP")
    theirs = {"filter": {"kind": "group"}}
    await stage.system.ask("PATCH", API, theirs)

    await press(page, "save")

    await expect(page.locator(".notice")).to_contain_text("This could not be done.")
    await expect(page.locator(".chips li > bdi")).to_have_text(["VIP"])
    assert await saved(stage) == {"kind": ["group"]} or await saved(stage) == {"kind": "group"}


async def test_ten_alternatives_fit_into_one_form(stage: Stage, plain_page: Page) -> None:
    page = plain_page
    await shop(stage)
    groups = [{"labels": {"all": [f"label {number}"]}} for number in range(10)]
    await stage.system.ask("PATCH", API, {"filter": {"any": groups}})
    await page.goto(FILTER)
    await expect(page.locator(".chips li")).to_have_count(10)
    await expect(page.locator("button[value=group]")).to_have_count(0)

    await add(page, "all.labels.any", "VIP")
    await press(page, "ungroup:9")
    await press(page, "save")

    await page.wait_for_url("**/outbound")
    assert await saved(stage) == {"labels": {"any": ["VIP"]}, "any": groups[:9]}


NONSENSE: list[dict[str, str]] = [
    {"do": "drop:all:labels.any:99999999999999999999"},
    {"do": "drop:any7:nothing:x"},
    {"do": "ungroup:-1"},
    {"filter": '{"any": [1]}', "do": "ungroup:0"},
    {"filter": '{"labels": {"any": [{"a": 1}, null]}, "direction": []}'},
    {"filter": '{"labels": 7, "account": {"x": 1}}', "do": "save"},
    {"filter": '{"kind": "direct"}', "tried": "x", "was": "&&=%", "do": "save"},
    {"filter": "[" * 5000},
]


@pytest.mark.parametrize("made", NONSENSE)
async def test_a_form_that_no_page_has_made_changes_nothing(
    stage: Stage, made: dict[str, str]
) -> None:
    await shop(stage)
    async with visitor(stage.url) as seen:
        await seen.sign_in(await stage.token())
        answer = await seen.post(FILTER, made)

        assert answer.status in (200, 422)
    assert await saved(stage) == {}
