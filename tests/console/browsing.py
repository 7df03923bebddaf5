"""A browser as our pages meet it: Debian's chromium, that reaches nothing but the loopback."""

from playwright.async_api import Page

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


async def sign_in(page: Page, token: str) -> None:
    await page.goto("/console/sign-in")
    await page.locator("#token").fill(token)
    await page.locator("form[action='/console/sign-in'] button").click()
    await page.wait_for_url("**/console/w*")
