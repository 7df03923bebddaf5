"""The pages for a webhook's request and its format: fit for a phone, and for who can't see."""

import pytest
from playwright.async_api import Browser

from hookbundle.tests.server.console.browsing import faults, opened
from hookbundle.tests.server.console.stage import Stage
from hookbundle.tests.server.console.test_every_page import OF_PHONES, OVERFLOW

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT = "/console/w/acme/webhooks/outbound"
PATHS = (
    f"{AT}/request",
    *(f"{AT}/format?format={name}" for name in ("template", "salesforce-task")),
)
AUTH = {"type": "oauth2", "token_url": "https://id.example.com/token", "client_id": "hooks"}


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_pages_are_accessible_and_fit_a_phone(
    stage: Stage, browser: Browser, language: str
) -> None:
    await stage.workspace("acme")
    request = {"headers": {"X-Tenant": "acme"}, "auth": AUTH | {"client_secret": "s"}}
    await stage.system.ask("PATCH", "/v1/workspaces/acme/webhooks/outbound", {"request": request})
    found: dict[str, object] = {}

    async with opened(browser, stage, locale=language) as page:
        for path in PATHS:
            await page.goto(path)
            if "format" in path:
                seen = "See the request" if language == "en" else "عرض الطلب"
                await page.get_by_role("button", name=seen).click()
                await page.wait_for_load_state()
            found[path] = await faults(page)
            await page.set_viewport_size({"width": 320, "height": 640})
            found[f"{path} on a phone"] = await faults(page, *OF_PHONES)
            found[f"{path} overflow"] = await page.evaluate(OVERFLOW)
            await page.set_viewport_size({"width": 1180, "height": 820})

    assert {path: what for path, what in found.items() if what} == {}


async def test_without_a_script_a_token_is_set(stage: Stage, browser: Browser) -> None:
    await stage.workspace("acme")

    async with opened(browser, stage, java_script_enabled=False) as page:
        await page.goto(f"{AT}/request")
        await page.get_by_label("A token (bearer)").check()
        await page.get_by_label("Token", exact=True).fill("t-1")
        await page.get_by_role("button", name="Save").click()
        assert "The settings are saved." in await page.locator("main").inner_text()

    hook = await stage.system.hook()
    assert hook["request"]["auth"] == {"type": "bearer", "set": True}
