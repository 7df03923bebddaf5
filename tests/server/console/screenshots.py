"""`make screenshots`: each page of the console in both languages, with the sample conversation."""

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import structlog
from playwright.async_api import Page, ViewportSize, async_playwright

from hookbundle.tests.server.console.browsing import CHROMIUM, FLAGS, opened
from hookbundle.tests.server.console.scenes import bustle, fill
from hookbundle.tests.server.console.stage import on_stage

FOLDER = Path("docs/console")
DESK: ViewportSize = {"width": 1100, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 780}
SHORT_MAX = 1_700  # of a page shown as a whole; of a longer one its beginning is shown
LANGUAGES = ("en", "ar")


async def main(folder: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hookbundle-shots-") as scratch:
        async with on_stage(Path(scratch)) as stage, async_playwright() as playwright:
            paths = {"sign-in": "/console/sign-in", **await fill(stage)}
            await bustle(stage)
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for language in LANGUAGES:
                async with opened(browser, stage, locale=language, viewport=DESK) as page:
                    for name, path in paths.items():
                        await shoot(page, path, folder / f"{name}-{language}.png")
                    await page.emulate_media(color_scheme="dark")
                    await shoot(page, paths["overview"], folder / f"dark-{language}.png")
                    await page.emulate_media(color_scheme="light")
                    await page.set_viewport_size(PHONE)
                    await shoot(page, paths["windows"], folder / f"phone-{language}.png")
            await browser.close()


async def shoot(page: Page, path: str, to: Path) -> None:
    kept = await page.context.cookies()
    if path == "/console/sign-in":
        await page.context.clear_cookies()
    await page.goto(path)
    await page.context.add_cookies(kept)  # type: ignore[arg-type]
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.screenshot(path=to, full_page=height <= SHORT_MAX, animations="disabled")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
