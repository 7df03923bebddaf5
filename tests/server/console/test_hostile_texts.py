"""Names, texts and answers that would like to be more than text: all of them stay what they are."""

from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from hookbundle.tests.reliability.harness.battery import part
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

CORPUS = (
    "<script>window.canary=1</script>",
    "<img src=x onerror=window.canary=1>",
    "</script><script>window.canary=1</script>",
    '"><svg/onload=window.canary=1>',
    "' onfocus=window.canary=1 autofocus x='",
    '" onmouseover="window.canary=1" style="position:fixed;inset:0',
    "javascript:window.canary=1",
    "<a href=javascript:window.canary=1>x</a>",
    "</textarea></title></style><script>window.canary=1</script>",
    "<iframe srcdoc='<script>parent.canary=1</script>'>",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example/><input name=form_token>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<div hx-get=/console/sign-out hx-trigger=load>x</div>",
    "<b data-hx-post=/console/sign-out data-hx-trigger=load>x</b>",
    "{{7*7}}{% raw %}${7*7}#{7*7}",
    "%(num)s %s {0}",
    "&lt;b&gt; &amp;amp; &#60;",
    "<!-- --><![CDATA[x]]>",
    "شركة <b>النور</b> abc",
    "a" * 300,
)
TURNED = "user\u202egnp.exe"


async def show(page: Page, path: str) -> str:
    await page.goto(path)
    # What listens for its being loaded or seen has had its chance.
    await page.evaluate("() => new Promise(requestAnimationFrame)")
    assert await page.evaluate("window.canary") is None, path
    assert await page.evaluate("document.querySelectorAll('iframe, base, b').length") == 0
    assert page.url.startswith("http://127.0.0.1")
    return await page.locator("main").inner_text()


async def show_chat(page: Page, number: int, text: str) -> None:
    assert text in await show(page, f"/console/w/acme/chats/{quoted(text[:190])}")


async def show_message(page: Page, number: int, text: str) -> None:
    message = f"wamid.{text[:190]}.{number}"
    path = f"messages/{quoted(message)}?chat={quoted(text[:190])}"
    assert message in await show(page, f"/console/w/acme/{path}")


async def show_found(page: Page, number: int, text: str) -> None:
    shown = await show(page, f"/console/w/acme/find?q={quoted(text)}")
    assert text in shown or page.url.endswith(quoted(text[:190]))


async def show_replay(page: Page, number: int, text: str) -> None:
    await show(page, f"/console/w/acme/replay?chat={quoted(text[:190])}")


async def show_search(page: Page, number: int, text: str) -> None:
    await show(page, f"/console/w/acme/deliveries?q={quoted(text)}")


BY_NAME = (show_chat, show_message, show_found, show_replay, show_search)


def quoted(text: str) -> str:
    return quote(text, safe="")


async def test_hostile_names_and_texts_are_shown_as_they_are(stage: Stage, page: Page) -> None:
    stage.receiver.answer = "\n".join(CORPUS)
    for number, text in enumerate(CORPUS):
        await stage.workspace(f"ws-{number}", text)
    await stage.workspace("acme", CORPUS[0], aggregation="6h")
    events = [
        talk(text, number, chat=text[:190], name=text, sender={"full_name": text, "phone": None})
        for number, text in enumerate(CORPUS)
    ]
    await stage.system.accept("acme", *events)
    await stage.system.accept("acme", *(talk(text, n, chat="all") for n, text in enumerate(CORPUS)))

    workspaces = await show(page, "/console/workspaces")
    windows = await show(page, "/console/w/acme/windows")
    preview = await show(page, "/console/w/acme/windows/all")
    texts = await page.locator(".chat .text").all_inner_texts()
    await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")
    await stage.until("acme", windows=0, queued=0)
    activity = await show(page, "/console/w/acme/outbound")
    requests = [
        await show(page, f"/console/w/acme/requests/{number}")
        for number in part(range(len(CORPUS) + 1), 4)
    ]

    deliveries = await show(page, "/console/w/acme/deliveries")
    found = await stage.system.get("/v1/workspaces/acme/deliveries?chat=all")
    delivery = await show(page, f"/console/w/acme/deliveries/{found['deliveries'][0]['id']}")
    said = await page.locator(".chat .text").all_inner_texts()
    for number, text in enumerate(CORPUS):
        for show_by_name in part(BY_NAME, len(BY_NAME), number):
            await show_by_name(page, number, text)

    assert texts == said == list(CORPUS)
    assert CORPUS[0] in delivery
    for text in CORPUS:
        assert text in deliveries
        assert text in workspaces
        assert text in windows
        assert text in preview.replace("\n", " ") or text in texts
        assert all(text in request for request in requests)
    assert CORPUS[0] in activity


async def test_hostile_words_in_addresses_and_forms_are_shown_as_they_are(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme")
    for text in CORPUS[:6]:
        await page.goto("/console/workspaces")
        await page.get_by_label("Search").fill(text)
        await page.get_by_role("button", name="Search").click()
        await expect(page.get_by_label("Search")).to_have_value(text[:100])
        assert await page.evaluate("window.canary") is None
    await page.goto("/console/w/acme/outbound")
    await page.get_by_text("More settings").click()
    await page.get_by_label("Name of the workspace").fill(CORPUS[3])
    await page.get_by_label("Webhook URL").fill("http://x.example/<script>")
    await page.get_by_label("Owner's e-mail").evaluate("input => input.type = 'text'")
    await page.get_by_label("Owner's e-mail").fill(CORPUS[1])
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Owner's e-mail")).to_have_value(CORPUS[1])
    assert await page.evaluate("window.canary") is None


async def test_a_name_that_turns_the_direction_turns_nothing_else(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", TURNED, aggregation="6h")
    await stage.system.accept("acme", talk(TURNED, name=TURNED))

    windows = await show(page, "/console/w/acme/windows")
    preview = await show(page, "/console/w/acme/windows/10010001")

    await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")
    await stage.until("acme", windows=0, queued=0)
    for path in ("deliveries", "chats/10010001", "outbound", "find?q=user"):
        shown = await show(page, f"/console/w/acme/{path}")
        assert "userU+202Egnp.exe" in shown
        assert "\u202e" not in shown + await page.title()
    assert "userU+202Egnp.exe" in windows
    assert "userU+202Egnp.exe" in preview
    assert "\u202e" not in windows + preview
    await expect(page.locator("h1 > bdi")).to_have_count(1)


async def test_texts_of_messages_are_on_the_pages_that_show_them_and_on_no_other(
    stage: Stage,
) -> None:
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept("acme", talk("the secret recipe"))
    await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")
    await stage.until("acme", queued=0, windows=0)
    await stage.system.accept("acme", talk("the secret recipe", 1))
    other = (
        *("workspaces", "overview", "w/acme/outbound", "w/acme/windows", "w/acme/deliveries"),
        *("w/acme/chats/10010001", "w/acme/messages/wamid.10010001.0?chat=10010001"),
        *("w/acme/find?q=rec", "w/acme/replay"),
    )

    async with visitor(stage.url) as operator:
        await operator.sign_in(await stage.token())
        for path in other:
            assert "recipe" not in (await operator.get(f"/console/{path}")).text, path
        for path in ("w/acme/requests/0", "w/acme/windows/10010001"):
            assert "recipe" in (await operator.get(f"/console/{path}")).text, path
