"""The page of the cluster in a browser, in both languages; and a browser that changes nodes."""

import os
from pathlib import Path

from playwright.async_api import async_playwright, expect

from hookbundle.engine.replication.cluster import NodeRecord
from hookbundle.server.console.security import SESSION
from hookbundle.storage.database.records import SCHEMA
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.commanding.test_checking import (
    env_of,
    follower_of,
    without_usages,
)
from hookbundle.tests.server.cluster.two_nodes import Two, two
from hookbundle.tests.server.console.browsing import CHROMIUM, FLAGS, faults

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PICTURES = os.environ.get("HOOKBUNDLE_PICTURES", "")


async def needing_a_person(at: Two) -> None:
    """A copy that differs was found, a node does not run, and the schema can be raised."""
    without_usages(env_of(follower_of(at, 1), 1))
    await at.apis[0].ask("POST", "/v1/cluster/check/all", {})
    await until(lambda: not at.nodes[0].serving.commanding.works().check.doing)  # type: ignore[union-attr]
    for name in ("a", "b", "gone"):
        at.cluster.known[name] = NodeRecord(name, "1", SCHEMA + 1, 0)


async def test_the_page_of_the_cluster_is_fit_for_a_phone_and_for_who_can_not_see(
    tmp_path: Path,
) -> None:
    found: dict[str, object] = {}
    async with two(tmp_path) as at, async_playwright() as playwright:
        await at.made()
        await at.sign_in()
        await needing_a_person(at)
        cookie = next(each.value for each in at.jar if each.key == SESSION)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language, direction in (("en", "ltr"), ("ar", "rtl")):
            context = await browser.new_context(locale=language, reduced_motion="reduce")
            page = await context.new_page()
            for visitor in at.visitors:
                url = f"{visitor.url}/console/"
                await context.add_cookies([{"name": SESSION, "value": cookie, "url": url}])
                await page.goto(f"{visitor.url}/console/cluster")
                await expect(page.locator("html")).to_have_attribute("dir", direction)
                await expect(page.locator("tbody tr")).to_have_count(2 + 3)
            found[language] = await faults(page)
            if PICTURES:
                await page.screenshot(path=f"{PICTURES}/cluster-{language}.png", full_page=True)
            await page.set_viewport_size({"width": 320, "height": 640})
            found[f"{language} overflow"] = await page.evaluate(OVERFLOW)
            if PICTURES:
                await page.screenshot(
                    path=f"{PICTURES}/cluster-{language}-phone.png", full_page=True
                )
            await context.close()
        await browser.close()

    assert {what: wrong for what, wrong in found.items() if wrong} == {}
