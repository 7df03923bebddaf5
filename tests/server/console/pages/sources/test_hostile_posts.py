"""What another system posts is shown as text, whatever it would like to be."""

import pytest
from playwright.async_api import Page

from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage
from hookbundle.tests.server.console.test_arabic_errors import SPEAKS, english_in
from hookbundle.tests.server.console.test_hostile_texts import CORPUS, TURNED, show
from hookbundle.tests.server.http.resources.sources.posting import make, waha

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONE = "/console/w/acme/sources/waha-1"


async def test_hostile_requests_are_shown_as_they_are(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="6h")
    other = await make(stage.system, account={"full_name": CORPUS[1]})
    await stage.system.ask("PATCH", "/v1/workspaces/acme/sources/waha-1", {"name": CORPUS[0]})
    texts = [*CORPUS, TURNED]
    faulty = {**waha("AAA"), "texts": texts, "payload": {"id": CORPUS[3], "body": 1}}
    await other.post(faulty, "/%3Cscript%3E", **{"user-agent": CORPUS[0]})
    await other.shown()
    await other.post({"event": CORPUS[0], "texts": texts})
    await other.shown()
    await other.post(CORPUS[0].encode())

    shown = await show(page, ONE)
    unknown = await page.locator("#live pre").first.text_content() or ""
    of_all = await show(page, "/console/w/acme/sources")
    settings = await show(page, f"{ONE}/settings")
    requests = [await show(page, f"{ONE}/requests/{number}") for number in (1, 2, 3)]

    assert CORPUS[0] in shown
    assert CORPUS[0] in of_all
    assert "userU+202Egnp.exe" in requests[0]
    assert "waha-1" in settings
    for text in CORPUS:
        as_json = text.replace('"', '\\"')
        assert as_json in requests[0], text
        assert as_json in unknown, text
    assert CORPUS[0] in requests[2]
    assert "<script>" in requests[0]
    assert "\u202e" not in shown + of_all + "".join(requests) + unknown + await page.title()


async def test_bytes_that_are_no_text_are_shown_by_what_can_be(stage: Stage) -> None:
    await stage.workspace("acme")
    other = await make(stage.system)
    deep = b'{"a":' * 5_000
    for body in (b"\xff\xfe\x00{", deep, b"\x1b[31m" + b"\x00" * 3_000):
        await other.post(body)
        await other.shown()

    async with signed_in(stage) as owner:
        answers = [await owner.get(f"{ONE}/requests/{number}") for number in (1, 2, 3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert "\x1b" not in answers[2].text
    policy = answers[0].headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")


async def test_pages_of_sources_are_arabic_with_all_that_is_on_them(stage: Stage) -> None:
    await stage.workspace("acme")
    other = await make(stage.system, hmac_key="secret")
    await other.post(waha())  # not signed
    bad = await make(stage.system)
    faulty = waha("BBB")
    faulty["payload"]["id"] = "none"
    await bad.post(faulty)
    paths = [f"sources/new?kind={kind}" for kind in ("meta", "chatwoot", "twilio", "generic")]
    paths += ["sources", "sources/new", "sources/waha-1", "sources/waha-1/settings"]
    paths += ["sources/waha-1/requests/1", "sources/waha-2/requests/1", "outbound"]

    async with signed_in(stage) as owner:
        owner.session.headers.update(SPEAKS)
        found = {path: await owner.get(f"/console/w/acme/{path}") for path in paths}

    for path, page in found.items():
        assert page.status == 200, path
        assert english_in(without_bodies(page.text)) == [], path
    assert "مرفوض: التوقيع مفقود" in found["sources/waha-1/requests/1"].text
    given = "ليست بالصيغة المطلوبة؛ القيمة المرسلة <bdi>&#39;none&#39;</bdi>"  # the value is in it
    assert given in found["sources/waha-2/requests/1"].text


def without_bodies(page: str) -> str:
    """Bodies, headers and what a form holds are of others, in whatever language."""
    begin, end = page.find('<table class="headers"'), page.rfind("</pre>")
    rest = page[:begin] + page[end:] if 0 <= begin < end else page
    first, last = rest.find("<textarea"), rest.rfind("</textarea>")
    return rest[:first] + rest[last:] if 0 <= first < last else rest
