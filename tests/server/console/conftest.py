"""One browser for all tests of the console; a daemon, a stage and a page of its own for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from hookbundle.tests.server.console.browsing import CHROMIUM, FLAGS, opened
from hookbundle.tests.server.console.stage import Stage, on_stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with on_stage(tmp_path) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="session")
async def page(stage: Stage, browser: Browser) -> AsyncIterator[Page]:
    """Signed in as the operator; at the end nothing may have gone wrong in the browser."""
    async with opened(browser, stage) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def plain_page(stage: Stage, browser: Browser) -> AsyncIterator[Page]:
    """As `page`, in a browser that runs no script."""
    async with opened(browser, stage, java_script_enabled=False) as page:
        yield page
