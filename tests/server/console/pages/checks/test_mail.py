"""The operator tries the mail server from a page, and reads what it said."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from hookbundle.tests.mail_server import PASSWORD, MailServer
from hookbundle.tests.server.console.browsing import faults, opened
from hookbundle.tests.server.console.plain import Seen, signed_in
from hookbundle.tests.server.console.stage import Stage, on_stage
from hookbundle.tests.server.console.test_arabic_errors import SPEAKS, english_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/console/mail"
STEP = re.compile(r"<dt>(.*?)</dt>")


def said(seen: Seen) -> str:
    (found,) = re.findall(r'role="status">(.*?)</p>', seen.text, re.DOTALL)
    return str(found)


async def test_each_step_is_shown_with_what_the_server_said(tmp_path: Path) -> None:
    async with (
        MailServer(tmp_path, security="starttls", login=True, refusals=1) as server,
        on_stage(tmp_path, smtp=server.config()) as stage,
        signed_in(stage) as operator,
    ):
        overview = await operator.get("/console/overview")
        ready = await operator.post(PATH, {"to": ""})
        refused = await operator.post(PATH, {"to": " owner@acme.example "})
        sent = await operator.post(PATH, {"to": "owner@acme.example"})
        arabic = await operator.post(PATH, {"to": "owner@acme.example"}, headers=SPEAKS)
        wrong = await operator.post(PATH, {"to": "nobody"})

    assert f'href="{PATH}"' in overview.text
    assert (said(ready), STEP.findall(ready.text)) == (
        "The server is ready. Nothing was sent.",
        ["Connection", "Encryption", "Login"],
    )
    assert said(refused).startswith("It failed at: The e-mail itself.")
    assert "451 come again later" in refused.text
    assert (said(sent), STEP.findall(sent.text)[3:]) == (
        "The e-mail was sent.",
        ["Sender", "Recipient", "The e-mail itself"],
    )
    assert not english_in(" ".join([said(arabic), *STEP.findall(arabic.text)]))
    assert (wrong.status, 'aria-invalid="true"' in wrong.text) == (422, True)
    assert len(server.tries) == 3
    assert all(PASSWORD not in each.text for each in (ready, refused, sent))


async def test_the_operator_sends_a_mail_from_the_page(tmp_path: Path, browser: Browser) -> None:
    async with (
        MailServer(tmp_path) as server,
        on_stage(tmp_path, smtp=server.config()) as stage,
        opened(browser, stage) as page,
    ):
        await page.goto("/console/overview")
        await page.get_by_role("link", name="Try the mail server").click()
        await page.get_by_label("Send a test e-mail to").fill("owner@acme.example")
        await page.get_by_role("button", name="Try it").click()

        await expect(page.get_by_role("heading", name="What it said")).to_be_focused()
        await expect(page.get_by_role("status")).to_have_text("The e-mail was sent.")
        assert await faults(page) == []
    assert (await server.next()).to == ("owner@acme.example",)


async def test_without_a_mail_server_the_page_says_what_to_set(stage: Stage) -> None:
    async with signed_in(stage) as operator:
        shown = await operator.get(PATH)
        tried = await operator.post(PATH, {"to": ""})

    assert "smtp.host" in shown.text
    assert "<form" not in shown.text.partition("<main")[2]
    assert (tried.status, tried.headers["location"]) == (303, PATH)


async def test_an_owner_of_a_workspace_has_no_mail_server(stage: Stage) -> None:
    await stage.workspace("acme")

    async with signed_in(stage, await stage.token("acme")) as owner:
        statuses = [(await owner.get(PATH)).status, (await owner.post(PATH, {"to": ""})).status]

    assert statuses == [404, 404]
