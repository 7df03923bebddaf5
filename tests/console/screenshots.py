"""`make screenshots`: each page of the console in both languages, with the sample conversation."""

import asyncio
import sys
import tempfile
from pathlib import Path

import structlog
from playwright.async_api import BrowserContext, Page, async_playwright

from hookbundle.commands import sample
from hookbundle.tests.console.browsing import CHROMIUM, FLAGS, sign_in
from hookbundle.tests.console.stage import Stage, on_stage, talk
from hookbundle.tests.house import MINUTE_MS

FOLDER = Path("docs/console")
WIDE = {"width": 1180, "height": 820}
NARROW = {"width": 320, "height": 720}


async def main(folder: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hookbundle-shots-") as scratch:
        async with on_stage(Path(scratch)) as stage, async_playwright() as playwright:
            paths = await fill(stage)
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for language in ("en", "ar"):
                for scheme, size in (("light", WIDE), ("dark", WIDE), ("light", NARROW)):
                    context = await browser.new_context(
                        viewport=size,
                        locale=language,
                        color_scheme="dark" if scheme == "dark" else "light",
                        base_url=stage.url,
                    )
                    mark = "" if scheme == "light" else "-dark"
                    mark += "-phone" if size is NARROW else ""
                    await shoot(stage, context, paths, folder, f"{language}{mark}")
                    await context.close()
            await browser.close()


async def fill(stage: Stage) -> dict[str, str]:
    """Something to see on each page; the pages by the names of their pictures."""
    house = stage.house
    await stage.workspace("acme", "Acme Ltd", aggregation="6h")
    await stage.workspace("nile", "متجر النيل", aggregation="1h", owner="layla@nile.example")
    await stage.workspace("globex", "Globex Corporation", aggregation="none", path="/broken")
    await stage.workspace("initech", "Initech", aggregation="24h", path="/rejecting")
    await stage.workspace("umbrella", "Umbrella", aggregation="12h", path="")
    stage.receiver.statuses = {"/broken": 500, "/rejecting": 410}
    await house.accept("globex", *(talk(f"Order {n} has arrived", n) for n in range(4)))
    await stage.disabled("globex")
    for number in range(2):
        await house.accept("initech", talk("Is anybody there?", number, chat=f"2002000{number}"))
    await house.ask("POST", "/v1/workspaces/initech/chats/flush")
    for errors in (1, 2, 3):
        await stage.until("initech", consecutive_errors=errors)
        house.clock.move(6 * MINUTE_MS)
    await stage.until("initech", parked=1)
    await bustle(stage)
    await house.accept("acme", *sample.CONVERSATION)
    await house.ask("POST", "/v1/workspaces/acme/chats/flush")
    await stage.until("acme", pending=0)
    await house.switch("acme", "test")
    house.clock.move(7 * MINUTE_MS)
    more = [
        talk("Good morning! Do you deliver on Sundays?", 1),
        talk(
            "We do, from 9 to 18 👋", 2, sender=sample.DANA, recipient=sample.JOHN, direction="sent"
        ),
        *(talk(f"Message {n}", n, chat=f"1001000{n}", name=name) for n, name in NAMES),
    ]
    await house.accept("acme", *more)
    deliveries = await house.get("/v1/workspaces/initech/deliveries")
    actions = house.daemon.reads.activity("acme")
    logged = next(action.logged - 1 for action in actions if action.messages > 1)
    return {
        "workspaces": "/console/workspaces",
        "new-workspace": "/console/workspaces/new",
        "outbound": "/console/w/acme/outbound",
        "disabled": "/console/w/globex/outbound",
        "request": f"/console/w/acme/requests/{logged}",
        "windows": "/console/w/acme/windows",
        "preview": "/console/w/acme/windows/10010001",
        "deliveries": "/console/w/initech/deliveries",
        "delivery": f"/console/w/initech/deliveries/{deliveries['deliveries'][0]['id']}",
        "overview": "/console/overview",
    }


NAMES = [(5, "Maria Rossi"), (6, "سامي حداد"), (7, "Küçük Kafe ☕"), (8, "Sales team")]


async def bustle(stage: Stage) -> None:
    """An hour and a half of life, for the plots."""
    samples, clock = stage.house.daemon.console.samples, stage.house.clock
    for step in range(90):
        amount = 6 + step // 6 + (step * 7919) % 11 + (12 if 50 < step < 60 else 0)
        events = [
            talk(f"Hello {step}.{n}", step * 100 + n, chat=f"30030{(step + n) % 90:03}")
            for n in range(amount)
        ]
        await stage.house.accept("nile", *events)
        await samples.take()
        clock.move(MINUTE_MS)
    await stage.until("nile", pending=0)


async def shoot(
    stage: Stage, context: BrowserContext, paths: dict[str, str], folder: Path, mark: str
) -> None:
    page = await context.new_page()
    await page.goto("/console/sign-in")
    await picture(page, folder / f"sign-in-{mark}.png")
    await sign_in(page, await stage.token())
    for name, path in paths.items():
        await page.goto(path)
        await picture(page, folder / f"{name}-{mark}.png")


async def picture(page: Page, path: Path) -> None:
    await page.screenshot(path=path, full_page=True, animations="disabled")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
