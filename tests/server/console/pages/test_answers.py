"""Why is the note of yesterday 15:00 for this customer missing? Three steps, for each reason.

The workspace has some 5,000 deliveries of three days. A step is a page that is asked for: by the
search box, a filter, a link. One daemon and one database for all; nothing here changes anything.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from hookbundle.engine.messages.became import BecameCode
from hookbundle.tests.past.cases import Case, Past
from hookbundle.tests.past.once import copy_of_three_days
from hookbundle.tests.reliability.harness.battery import part
from hookbundle.tests.server.console.browsing import faults, opened
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import Stage, on_stage
from hookbundle.tests.server.console.test_arabic_errors import SPEAKS, english_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHERS = re.compile(r"<(pre|bdi)\b.*?</\1>", re.DOTALL)  # what receivers and people have said
SENTENCES = {
    BecameCode.COLLECTING: "It is in an open window, which closes at",
    BecameCode.DISABLED_BY_ERRORS: "the webhook was disabled at",
    BecameCode.DISABLED_BY_A_PERSON: "somebody disabled the webhook at",
    BecameCode.NO_URL: "the webhook has no URL",
    BecameCode.BACKING_OFF: "It waits after an error (1 in a row); the next attempt is at",
    BecameCode.DELIVERED: "the receiver answered 200",
    BecameCode.REJECTED: "the receiver rejected it 3 times. The last answer: status 404",
    BecameCode.RECEIVER_FAILS: "the receiver fails over it, and takes what comes after it",
    BecameCode.DISCARDED: "by ann: the customer has it already",
    BecameCode.ATTACHMENT: "it has an attachment, and only texts are sent",
    BecameCode.NO_TEXT: "it has no text",
    BecameCode.TRIMMED: "its delivery is too old, and is not kept any more",
    BecameCode.DELETED: "The chat was deleted at",
    BecameCode.NEVER_CAME: "It never came: nothing is known of it.",
}
LOOKED_INTO = part(list(SENTENCES), 4)  # the page is made of the same parts for all of them
# Of these the chat has nothing at that time: the message's id is asked for.
BY_ID = (BecameCode.TRIMMED, BecameCode.DELETED, BecameCode.NEVER_CAME)
AGAIN = {
    BecameCode.DUPLICATE: "it was known, and nothing more is sent for it",
    BecameCode.DIFFERS: "with another text; the first text stays",
}


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    return copy_of_three_days(tmp_path_factory, tmp_path_factory.mktemp("past") / "data")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(past: Past) -> AsyncIterator[Stage]:
    async with on_stage(past.path.parent) as stage:
        yield stage


def minute(case: Case, minutes: int = 0) -> str:
    """As somebody fills it in; the workspace's time is UTC."""
    at = datetime.fromtimestamp(case.arrived_ms / 1_000 + minutes * 60, UTC)
    return at.strftime("%Y-%m-%dT%H:%M")


async def look_for(page: Page, text: str) -> None:
    """One step: the box in the header of every page."""
    await page.get_by_label("Find a delivery, a chat, a phone, a name or a message").fill(text)
    await page.keyboard.press("Enter")


async def at_that_time(page: Page, case: Case) -> None:
    """One step: the chat's messages that arrived then."""
    await page.get_by_label("Arrived from").fill(minute(case, -1))
    await page.get_by_label("Arrived before").fill(minute(case, 2))
    await page.get_by_role("button", name="Show", exact=True).click()


async def open_message(page: Page, case: Case) -> None:
    """One step: the message in the list."""
    link = page.locator(f'.groups a[title="{case.message_id}"]').first
    if not await link.is_visible():
        await page.locator("summary").filter(has=link).first.click()
    await link.click()


@pytest.mark.parametrize("code", [code for code in SENTENCES if code not in BY_ID])
async def test_three_steps_answer_why_it_is_missing(
    stage: Stage, browser: Browser, past: Past, code: BecameCode
) -> None:
    case = past.cases[code]
    async with opened(browser, stage) as page:
        await page.goto(f"/console/w/{case.workspace}/outbound")

        await look_for(page, case.phone)
        await at_that_time(page, case)
        await expect(page.locator(".groups")).to_contain_text(SENTENCES[code])  # already here
        await open_message(page, case)

        await expect(page.locator(".answer-line strong")).to_contain_text(SENTENCES[code])
        if code in LOOKED_INTO:
            assert await faults(page) == []


@pytest.mark.parametrize("code", BY_ID)
async def test_of_what_is_not_there_the_id_is_asked(
    stage: Stage, browser: Browser, past: Past, code: BecameCode
) -> None:
    case = past.cases[code]
    async with opened(browser, stage) as page:
        await page.goto(f"/console/w/{case.workspace}/outbound")

        await look_for(page, case.message_id)
        await page.get_by_label("Its chat: name, phone or id").fill(case.chat_id)
        await page.get_by_role("button", name="Show the message").click()

        await expect(page.locator(".answer-line strong")).to_contain_text(SENTENCES[code])
        await expect(page.get_by_text("Deliveries are known since")).to_be_visible()


@pytest.mark.parametrize("code", AGAIN)
async def test_a_message_that_came_again_says_so_beside_what_became_of_it(
    stage: Stage, browser: Browser, past: Past, code: BecameCode
) -> None:
    case = past.cases[code]
    async with opened(browser, stage) as page:
        await page.goto(f"/console/w/{case.workspace}/outbound")

        await look_for(page, case.name)
        await at_that_time(page, case)
        await expect(page.locator(".groups")).to_contain_text(AGAIN[code])
        await open_message(page, case)

        await expect(page.locator(".timeline")).to_contain_text(AGAIN[code])
        await expect(page.locator(".answer-line strong")).to_contain_text("It was delivered at")


async def test_the_receivers_answers_are_one_step_further(
    stage: Stage, browser: Browser, past: Past
) -> None:
    case = past.cases[BecameCode.REJECTED]
    async with opened(browser, stage) as page:
        await page.goto(f"/console/w/acme/messages/{case.message_id}?chat={case.chat_id}")
        await expect(page.locator(".timeline > li.bad").first).to_contain_text("status 404")

        await page.locator("dd a").filter(has_text="dlv_").click()

        await expect(page.locator(".badge").first).to_have_text("Dead letter")
        await page.get_by_text("Each of them").click()
        await page.get_by_text("Request and answer").first.click()
        answer = page.get_by_label("Body of the response").first
        await expect(answer).to_have_text("no such contact")


async def test_every_answer_is_told_in_arabic(stage: Stage, past: Past) -> None:
    async with visitor(stage.url) as seen:
        seen.session.headers.update(SPEAKS)
        await seen.sign_in(await stage.token())
        for code in (*SENTENCES, *AGAIN):
            case = past.cases[code]
            one = f"/console/w/{case.workspace}"
            for path in (
                f"{one}/messages/{case.message_id}?chat={case.chat_id}",
                f"{one}/chats/{case.chat_id}?since={minute(case, -1)}&until={minute(case, 2)}",
                f"{one}/find?q={case.message_id}",
                f"{one}/deliveries?chat={case.chat_id}",
            ):
                shown = await seen.get(path)
                assert shown.status == 200, path
                assert 'dir="rtl"' in shown.text
                assert english_in(OTHERS.sub("|", shown.text)) == [], (code, path)
