"""A webhook whose windows end by a rule: its page can be saved, and the rule stays."""

import pytest
from playwright.async_api import Page, expect

from hookbundle.tests.server.console.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTBOUND = "/v1/workspaces/acme/webhooks/outbound"
RULE = {"quiet": "10m", "max": "6h"}


async def test_saving_something_else_keeps_the_rule(stage: Stage, plain_page: Page) -> None:
    await stage.workspace("acme")
    await stage.system.ask("PATCH", OUTBOUND, {"window": RULE})
    await plain_page.goto("/console/w/acme/outbound")
    await expect(plain_page.get_by_label("By a rule")).to_be_checked()

    await plain_page.get_by_label("URL").fill("https://hooks.example/new")
    await plain_page.get_by_role("button", name="Save").first.click()

    await expect(plain_page.get_by_label("URL")).to_have_value("https://hooks.example/new")
    shown = await stage.system.get(OUTBOUND)
    assert (shown["url"], shown["window"]) == ("https://hooks.example/new", RULE)


async def test_a_length_that_is_chosen_replaces_the_rule(stage: Stage, plain_page: Page) -> None:
    await stage.workspace("acme")
    await stage.system.ask("PATCH", OUTBOUND, {"window": RULE})
    await plain_page.goto("/console/w/acme/outbound")

    await plain_page.get_by_label("Every 6 hours").check()
    await plain_page.get_by_role("button", name="Save").first.click()

    await expect(plain_page.get_by_label("By a rule")).to_have_count(0)
    assert (await stage.system.get(OUTBOUND))["window"] == {"every": "6h"}
