"""A browser as our pages meet it: Debian's chromium, that reaches nothing but the loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from playwright.async_api import Browser, ConsoleMessage, Error, Page, ViewportSize, expect

from hookbundle.server.console.security import SESSION
from hookbundle.tests.server.console.stage import Stage

# The shell has no windows to draw, and takes half of the processor time.
SHELL, WHOLE = "/usr/bin/chromium-headless-shell", "/usr/bin/chromium"
CHROMIUM = SHELL if Path(SHELL).exists() else WHOLE
FLAGS = [
    # Without a limit it keeps a process ready for the next page: a tenth of the time of a test.
    "--renderer-process-limit=1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
VIEWPORT = ViewportSize(width=1280, height=720)  # of a page that was not told another
TIMEOUT_MS = 30_000  # a busy machine is slow; what does not come is a failure all the same
expect.set_options(timeout=TIMEOUT_MS)
AXE = (Path(__file__).parents[2] / "vendor" / "axe.min.js").read_text(encoding="utf-8")
# A page with a status of 400 or more; a request under way when its page is left.
EXPECTED = (
    "Failed to load resource",
    "htmx:sendError",
    "htmx:sendAbort",
    "htmx:afterRequest",
    "htmx:sseError",
)
SERIOUS = ("serious", "critical")
# Nothing happens there; it has the headers of a page, so that it is shown by the same process.
AT_REST = "/console/static/icon.svg"
FORGET = "localStorage.clear(); sessionStorage.clear()"
WANTED = ("landmark-unique",)  # moderate to axe; two parts of one name are one too many to hear


# Those that a test has used and left in order, with the options they were made with: a new one
# takes a process that starts, and what it has read for all pages it reads again.
_at_rest: WeakKeyDictionary[Browser, list[tuple[dict[str, Any], Page]]] = WeakKeyDictionary()


@asynccontextmanager
async def opened(
    browser: Browser, stage: Stage, token: str | None = None, **options: Any
) -> AsyncIterator[Page]:
    """A page, signed in; a script's error or a refusal by our policy fails the test.

    `token` None: a new one of the operator.
    """
    options = {"base_url": stage.url, "locale": "en", "reduced_motion": "reduce", **options}
    page = await _page(browser, options)
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            wrong.append(message.text)

    def failed(error: Error) -> None:
        wrong.append(str(error))

    page.on("console", heard)
    page.on("pageerror", failed)
    name = stage.system.daemon.sessions.begin(token or await stage.token())
    assert name is not None
    url = f"{stage.url}/console/"
    await page.context.add_cookies([{"name": SESSION, "value": name, "url": url}])
    try:
        yield page
    except BaseException:
        await page.context.close()
        raise
    page.remove_listener("console", heard)
    page.remove_listener("pageerror", failed)
    if await _is_put_to_rest(page, options):
        _at_rest.setdefault(browser, []).append((options, page))
    else:
        await page.context.close()
    assert not wrong, wrong


async def _page(browser: Browser, options: dict[str, Any]) -> Page:
    resting = _at_rest.setdefault(browser, [])
    for kept in resting:
        if kept[0] == options:
            resting.remove(kept)
            return kept[1]
    context = await browser.new_context(**options)
    context.set_default_timeout(TIMEOUT_MS)
    return await context.new_page()


async def _is_put_to_rest(page: Page, options: dict[str, Any]) -> bool:
    """It is as a new one is to the next test. False if it can't be, as without its daemon."""
    try:
        await page.goto(AT_REST)
        await page.evaluate(FORGET)
        await page.context.clear_cookies()
        await page.context.set_extra_http_headers({})
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size(options.get("viewport", VIEWPORT))
    except Error:
        return False
    return page.context.pages == [page]


async def sign_in(page: Page, token: str) -> None:
    """As a person does it; in whatever language."""
    await page.context.clear_cookies(name=SESSION)
    await page.goto("/console/sign-in")
    await page.locator("#token").fill(token)
    await page.locator("form[action='/console/sign-in'] button").click()
    await page.wait_for_url("**/console/w**")


async def faults(page: Page, *rules: str) -> list[str]:
    """What axe-core finds serious, critical or wanted, rule by rule, with the places."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = await page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS or violation["id"] in WANTED
    ]
