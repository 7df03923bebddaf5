"""What holds for every page, in both languages: fit for a phone, and for who can't see or point."""

import pytest
from playwright.async_api import Browser, Page, expect

from hookbundle.tests.reliability.harness.battery import part
from hookbundle.tests.server.console.browsing import faults, opened, sign_in
from hookbundle.tests.server.console.scenes import fill
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

DESK = {"width": 1180, "height": 820}
OF_PHONES = ("scrollable-region-focusable", "aria-hidden-focus", "table-fake-caption")
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])
async def test_pages_are_accessible_and_fit_a_phone(
    stage: Stage, browser: Browser, language: str, direction: str
) -> None:
    paths = ["/console/nothing", *(await fill(stage)).values()]
    looked_into = part(paths, 2, ["en", "ar"].index(language))  # the others in the other language
    found: dict[str, object] = {}

    async with opened(browser, stage, locale=language, viewport=DESK) as page:
        for path in paths:
            await page.goto(path)
            html = page.locator("html")
            await expect(html).to_have_attribute("lang", language)
            await expect(html).to_have_attribute("dir", direction)
            if path in looked_into:
                found[path] = await faults(page)
                await page.emulate_media(color_scheme="dark")
                found[f"{path} dark"] = await faults(page, "color-contrast")
            await page.set_viewport_size({"width": 320, "height": 640})
            if path in looked_into:
                found[f"{path} on a phone"] = await faults(page, *OF_PHONES)
            found[f"{path} overflow"] = await page.evaluate(OVERFLOW)
            await page.emulate_media(color_scheme="light")
            await page.set_viewport_size({"width": 1180, "height": 820})
        await page.context.clear_cookies()
        await page.goto("/console/sign-in")
        found["sign-in"] = await faults(page)

    assert {path: what for path, what in found.items() if what} == {}


async def test_the_language_is_chosen_and_kept(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", "Acme Ltd")
    await page.goto("/console/w/acme/outbound")

    await page.get_by_role("link", name="العربية").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Acme Ltd")
    await expect(page.get_by_role("button", name="حفظ")).to_be_visible()
    await page.goto("/console/workspaces")
    await expect(page.get_by_role("heading", level=1)).to_have_text("مساحات العمل")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Workspaces")


async def test_the_keyboard_is_enough(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="1h")
    await stage.system.accept("acme", talk("Good morning"))
    await sign_in_by_keyboard(page, await stage.token())

    await tab_to(page, "acme")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/outbound")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await tab_to(page, "Every hour")
    await page.keyboard.press("ArrowRight")
    await tab_to(page, "More rules")
    await tab_to(page, "Try it")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Webhook URL")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await tab_to(page, "Save")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Save the settings?")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    saved = page.locator(".notice").filter(has_text="The settings are saved.")
    await expect(saved).to_be_focused()
    hook = await stage.system.hook()
    assert (hook["aggregation"], hook["enabled"]) == ("6h", False)


async def test_a_screen_reader_finds_its_way(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto("/console/w/acme/outbound")

    for landmark in ("banner", "main", "contentinfo"):
        await expect(page.get_by_role(landmark)).to_have_count(1)
    await expect(page.get_by_role("navigation", name="Webhooks")).to_be_visible()
    current = page.locator('nav[aria-label="Webhooks"] [aria-current="page"]')
    await expect(current).to_have_text("Outbound")
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    await expect(page.locator("#answer")).to_have_attribute("aria-live", "polite")


async def test_a_phone_shows_lists_as_cards_with_labels(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", "Acme Ltd")
    await page.set_viewport_size({"width": 320, "height": 640})
    await page.goto("/console/workspaces")

    cell = page.get_by_role("cell").filter(has_text="Every hour")

    label = await cell.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert label == '"Aggregation"'
    await expect(page.get_by_role("row").filter(has_text="Acme Ltd")).to_be_visible()


async def sign_in_by_keyboard(page: Page, token: str) -> None:
    await page.context.clear_cookies()
    await page.goto("/console/sign-in")
    await expect(page.get_by_label("Access token")).to_be_focused()
    await page.keyboard.type(token)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/workspaces")


async def tab_to(page: Page, name: str) -> None:
    """The focus goes on until it is on what bears the name."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        text = await page.evaluate(
            "(document.activeElement.innerText || document.activeElement.parentElement.innerText)"
        )
        if text.strip() == name:
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")


async def test_a_wrong_token_is_told_at_the_field(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.context.clear_cookies()
    await page.goto("/console/sign-in?next=/console/w/acme/windows")

    await page.get_by_label("Access token").fill("guessed")
    await page.get_by_role("button", name="Sign in").click()

    await expect(page.get_by_role("alert")).to_have_text(
        "The token is wrong, or it does not give access to the console."
    )
    await expect(page.get_by_label("Access token")).to_be_focused()
    await page.get_by_label("Access token").fill(await stage.token("acme"))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{stage.url}/console/w/acme/windows")
    await page.get_by_role("button", name="Sign out").click()
    await sign_in(page, await stage.token("acme"))
    await expect(page.get_by_role("link", name="Workspaces").first).to_be_visible()
    await expect(page.get_by_role("link", name="Overview")).to_have_count(0)
