"""What came from a source: seen as it arrives, in words, and each request in full."""

from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, expect

from hookbundle.engine.sources.authentication import Reason as RefusedFor
from hookbundle.engine.sources.outcomes import Reason
from hookbundle.server.console.pages.sources import outcomes
from hookbundle.server.http.resources.sources.entering import OF_INTAKE
from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage
from hookbundle.tests.server.http.resources.sources.posting import ACK, OtherSystem, make, waha

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCES = "/console/w/acme/sources"
ONE = f"{SOURCES}/waha-1"
API = "/v1/workspaces/acme/sources"
UNKNOWN = {"event": "moon.phase", "session": "default", "payload": {"phase": "<b>full</b>"}}


async def test_the_first_event_is_seen_as_it_arrives(stage: Stage, page: Page) -> None:
    other = await source(stage)
    await page.goto(ONE)
    await expect(page.locator("#live")).to_contain_text("Nothing has come yet.")

    await other.post(ACK)  # of which no fact tells

    await expect(page.locator("#live")).to_contain_text("a receipt: sent, delivered, read")
    await other.post(waha(text="hello"))
    await expect(page.locator("#live")).to_contain_text("taken as a message")


async def test_what_came_of_each_request_is_told_in_words(stage: Stage, plain_page: Page) -> None:
    page, other = plain_page, await source(stage)
    bad = waha("BBB")
    bad["payload"]["id"] = "no id at all"
    for body in (waha(), waha(), waha("CCC", hasMedia=True), ACK, bad):
        assert (await other.post(body)).status == 200
    assert (await other.post(b"no JSON", tail="/tail")).status == 400
    assert (await other.post(UNKNOWN)).status == 200  # the last: of such one a second is kept

    await page.goto(SOURCES)
    row = page.locator("tbody tr").first
    for words in ("WAHA", "Messages 1", "Repeats 1", "Ignored", "By the address alone"):
        await expect(row).to_contain_text(words)
    await row.get_by_role("link").click()
    shown = page.locator("#live")
    for words in (
        "a message that had come already",
        "a message with an attachment, which is not carried",
        "an event that is not known here",
        "an event that says it is a message and can't be one: see its faults",
    ):
        await expect(shown).to_contain_text(words)
    await expect(shown.locator("code").filter(has_text="ignored.ack")).to_be_visible()

    await page.locator("summary").first.click()
    await expect(shown.locator("pre")).to_contain_text("<b>full</b>")


async def test_a_request_is_shown_in_full_with_its_faults_and_no_secret(
    stage: Stage, plain_page: Page
) -> None:
    page, other = plain_page, await source(stage, header={"name": "x-key", "value": "our secret"})
    bad = {**waha("BBB"), "token": "theirs"}
    bad["payload"]["id"] = "no id at all"
    headers = {"x-key": "our secret", "user-agent": "WAHA/2025"}
    assert (await other.post(bad, "/tail", **headers)).status == 200

    await page.goto(ONE)
    await page.locator("#live td a").first.click()

    main = page.locator("main")
    await expect(main).to_contain_text("payload.id")
    await expect(main).to_contain_text("POST /v1/sources/…/tail")
    await expect(main).to_contain_text("WAHA/2025")
    await expect(main.locator("pre")).to_contain_text("no id at all")
    seen = await page.content()
    assert not [secret for secret in ("our secret", "theirs", other.token) if secret in seen]


async def test_a_request_of_a_deleted_chat_is_on_no_page(stage: Stage) -> None:
    other = await source(stage)
    await other.post(waha(text="the secret recipe"))
    async with signed_in(stage) as owner:
        assert "taken as a message" in (await owner.get(ONE)).text
        request = await owner.get(f"{ONE}/requests/1")
        await stage.system.ask("DELETE", "/v1/workspaces/acme/chats/447911111111")
        gone = await owner.get(f"{ONE}/requests/1")

    assert "the secret recipe" in request.text
    assert gone.status == 404


async def test_another_address_is_asked_for_and_shown_once(stage: Stage, plain_page: Page) -> None:
    page, other = plain_page, await source(stage)
    await page.goto(ONE)
    await page.get_by_text("Make a new address").first.click()
    await page.get_by_label("The old address expires").select_option("0s")
    await page.get_by_role("button", name="Make a new address").click()
    await expect(page.locator("main")).to_contain_text("The old address expires now.")
    assert (await other.post(ACK)).status == 200

    await page.get_by_role("button", name="Make a new address").click()

    url = await page.locator(".notice code").inner_text()
    assert (await other.post(ACK)).status == 404
    moved = OtherSystem(stage.system, "waha-1", url.rpartition("/")[2])
    assert (await moved.post(ACK)).status == 200
    await page.reload()
    assert "src_" not in await page.content()


async def test_it_is_deleted_once_that_is_agreed_to(stage: Stage, plain_page: Page) -> None:
    page, other = plain_page, await source(stage)
    await page.goto(ONE)
    await page.get_by_role("button", name="Delete the source").click()
    await expect(page.locator("main")).to_contain_text("is unknown at once")
    assert (await other.post(ACK)).status == 200

    await page.get_by_role("button", name="Delete the source").click()

    await expect(page.locator(".notice")).to_contain_text("The source waha-1 is deleted.")
    assert (await other.post(ACK)).status == 404
    assert (await stage.system.get(API))["sources"] == []


async def test_keeping_chats_apart_is_offered_when_a_second_number_shows_up(
    stage: Stage, plain_page: Page
) -> None:
    page, other, offer = plain_page, await source(stage), "Keep their chats apart"
    await other.post(waha("AAA"))
    await page.goto(ONE)
    assert await page.get_by_role("button", name=offer).count() == 0
    await other.post(of_number("4915700000000", "BBB"))
    await page.reload()
    await expect(page.locator("main")).to_contain_text("447900000000, 4915700000000")
    await page.get_by_role("button", name=offer).click()
    await expect(page.locator("main")).to_contain_text("to your receiver they are new ones")
    assert "chat_id" not in (await other.shown())["settings"]

    await page.get_by_role("button", name=offer).click()

    await expect(page.locator(".notice")).to_contain_text("The settings are saved.")
    assert (await other.shown())["settings"]["chat_id"] == "{account}-{chat}"
    assert await page.get_by_role("button", name=offer).count() == 0


async def test_a_page_that_is_shown_already_gets_what_is_new_and_no_offer(stage: Stage) -> None:
    other = await source(stage)
    await other.post(waha("AAA"))
    await other.post(of_number("4915700000000", "BBB"))
    await other.post(UNKNOWN)
    async with signed_in(stage) as owner:
        whole = (await owner.get(ONE)).text
        again = (await owner.get(ONE, headers={"HX-Request": "true"})).text

    assert "Keep their chats apart" in whole
    assert "Keep their chats apart" not in again
    for text in (whole, again):
        links = [text.count(f"{ONE}/requests/{number}") for number in (1, 2, 3)]
        assert sorted(links) == [1, 1, 2]  # twice where the body is shown as well
        assert "moon.phase" in text


async def test_it_is_offered_for_two_sources_with_a_number_each(stage: Stage) -> None:
    first = await source(stage)
    second = await make(stage.system, "evolution", account={"phone": "+4915700000000"})
    await first.post(waha())
    async with signed_in(stage) as owner:
        before = (await owner.get(ONE)).text
        event = {"key": {"remoteJid": "447911111111@s.whatsapp.net", "fromMe": False, "id": "X"}}
        data = {**event, "message": {"conversation": "hello"}, "messageTimestamp": 1_764_300_000}
        await second.post({"event": "messages.upsert", "instance": "i", "data": data})
        after = (await owner.get(ONE)).text

    assert "Keep their chats apart" not in before
    assert "447900000000, 4915700000000" in after


async def test_an_owner_sees_the_sources_of_no_other_workspace(stage: Stage) -> None:
    await source(stage)
    await stage.workspace("blue")
    async with signed_in(stage, await stage.token("blue")) as owner:
        paths = (SOURCES, ONE, f"{ONE}/settings", f"{SOURCES}/new", f"{ONE}/requests/1")
        statuses = {path: (await owner.get(path)).status for path in paths}
        own = await owner.get("/console/w/blue/sources/waha-1")
        assert (await owner.post(f"{ONE}/delete", {"agreed": "any"})).status == 404

    assert statuses == dict.fromkeys(paths, 404)
    assert own.status == 404
    assert len((await stage.system.get(API))["sources"]) == 1


async def test_every_outcome_has_words() -> None:
    known = {
        *(f"ignored.{reason}" for reason in Reason),
        *(f"refused.{reason}" for reason in RefusedFor),
        *OF_INTAKE,
        *("skipped.attachment", "skipped.no_text", "invalid", "unreadable", "handshake"),
    }

    assert set(outcomes.OUTCOMES) == known
    assert outcomes.words("not_taken.503") == outcomes.NOT_TAKEN
    assert {outcomes.group_of(each) for each in known} == set(outcomes.GROUPS)


async def source(stage: Stage, **settings: Any) -> OtherSystem:
    await stage.workspace("acme", aggregation="6h")
    return await make(stage.system, **settings)


def of_number(digits: str, message_id: str) -> dict[str, Any]:
    """A message to another number of the owner, by the same address."""
    body = waha(message_id)
    body["me"] = {"id": f"{digits}@c.us", "pushName": "Us too"}
    body["payload"]["to"] = f"{digits}@c.us"
    copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return copied
