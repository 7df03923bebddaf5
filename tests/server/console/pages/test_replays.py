"""Sending once more: one delivery, or many by a filter. Asked with the count, seen, cancelled."""

import pytest
from playwright.async_api import Page, expect

from hookbundle.tests.in_process import MINUTE_MS
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

REPLAY = "/console/w/acme/replay"
DELIVERIES = "/console/w/acme/deliveries"


async def delivered(stage: Stage, count: int = 3) -> list[str]:
    """The ids of some deliveries of acme that were delivered, newest first."""
    await stage.workspace("acme", aggregation="none")
    await stage.system.accept("acme", *(talk("Hi", n, chat=f"c{n}") for n in range(count)))
    await stage.until("acme", queued=0)
    found = await stage.system.get("/v1/workspaces/acme/deliveries")
    return [each["id"] for each in found["deliveries"]]


async def test_a_delivered_one_is_sent_once_more_after_a_question(
    stage: Stage, plain_page: Page
) -> None:
    page, (newest, *_) = plain_page, await delivered(stage)
    await page.goto(f"{DELIVERIES}/{newest}")
    await page.get_by_role("button", name="Resend").click()

    question = page.get_by_role("region", name="Send the delivery once more?")
    await expect(question).to_contain_text("The receiver gets 1 message again")
    await expect(question).to_contain_text("drops what it has already")
    assert len(stage.receiver.bodies) == 3
    await question.get_by_role("button", name="Resend").click()

    await expect(page.get_by_text("The delivery is sent once more")).to_be_visible()
    (fact,) = await stage.system.facts.until("delivery.resent")
    assert fact["data"]["delivery"] == newest
    assert stage.receiver.bodies[3] == stage.receiver.bodies[2]
    await page.reload()
    await expect(page.locator(".timeline").first.locator("> li.good")).to_have_count(1)
    await expect(page.locator(".timeline").first).to_contain_text("2 \u00d7 Delivered")


async def test_a_resend_that_waits_says_so_and_is_ended_without_losing_anything(
    stage: Stage, page: Page
) -> None:
    newest, *_ = await delivered(stage)
    await stage.system.switch("acme", "disable")
    await page.goto(f"{DELIVERIES}/{newest}")
    await page.get_by_role("button", name="Resend").click()
    await page.get_by_role("button", name="Resend").click()
    await expect(page.locator("#live .badge").first).to_have_text("Delivered")
    await expect(page.get_by_text("Waits to be sent once more").first).to_be_visible()
    await expect(page.locator(".timeline > .next")).to_contain_text("The webhook is disabled")

    await page.get_by_label("Why?").fill("it was there after all")
    await page.get_by_role("button", name="End the resend").click()

    await expect(page.get_by_text("It is not sent once more. It stays delivered.")).to_be_visible()
    await expect(page.get_by_role("button", name="Resend")).to_be_visible()


async def test_a_resend_that_failed_stands_beside_what_was_delivered(stage: Stage) -> None:
    newest, *_ = await delivered(stage, 1)
    stage.receiver.statuses["/hook"] = 404
    async with visitor(stage.url) as operator:
        await operator.sign_in(await stage.token())
        await stage.system.ask("POST", f"/v1/workspaces/acme/deliveries/{newest}/resend")
        await stage.system.facts.until("delivery.failed")
        waits = await operator.get(f"{DELIVERIES}?state=resending")
        retry = f"/v1/workspaces/acme/deliveries/{newest}/retry"
        await stage.system.ask("POST", retry)
        await stage.system.facts.until("delivery.failed", 2)
        await stage.system.ask("POST", retry)
        await stage.system.facts.until("delivery.resend_failed")
        paths = (f"{DELIVERIES}?state=delivered", f"{DELIVERIES}/{newest}")
        pages = [await operator.get(path) for path in paths]
        gone = await operator.get(f"{DELIVERIES}?state=resending")

    assert f"deliveries/{newest}" in waits.text
    assert "Waits to be sent once more" in waits.text
    for page in pages:
        assert "Resend failed</span>" in page.text
        assert "Last error of the resend" in page.text
    assert "No delivery passes these filters." in gone.text


async def test_a_replay_that_a_disabled_webhook_holds_says_so(stage: Stage) -> None:
    await delivered(stage, 2)
    await stage.system.switch("acme", "disable")
    everything = {"states": ["delivered"], "dry_run": False}
    await stage.system.ask("POST", "/v1/workspaces/acme/replay", everything)
    await stage.system.facts.until("replay.queued")
    async with visitor(stage.url) as operator:
        await operator.sign_in(await stage.token())
        pages = [await operator.get(path) for path in (REPLAY, f"{REPLAY}/1")]

    for page in pages:
        assert '<span class="badge warn">Held</span>' in page.text
        assert "Being sent" not in page.text


async def test_a_replay_is_held_by_its_own_webhook_alone(stage: Stage) -> None:
    await stage.workspace("acme", aggregation="none")
    url, ask = f"{stage.receiver.url}/crm", stage.system.ask
    hook = {"id": "crm", "url": url, "aggregation": "none"}
    assert (await ask("POST", "/v1/workspaces/acme/webhooks", hook)).status == 201
    await stage.system.accept("acme", talk("Hi", 1, chat="c1"))
    await stage.system.facts.until("delivery.delivered", 2)
    assert (await ask("POST", "/v1/workspaces/acme/webhooks/crm/disable")).status == 200
    everything = {"states": ["delivered"], "dry_run": False, "webhook": "crm"}
    assert (await ask("POST", "/v1/workspaces/acme/replay", everything)).status == 202
    await stage.system.facts.until("replay.queued")
    async with visitor(stage.url) as operator:
        await operator.sign_in(await stage.token())
        pages = [await operator.get(path) for path in (REPLAY, f"{REPLAY}/1")]

    for page in pages:
        assert '<span class="badge warn">Held</span>' in page.text
    assert "The webhook is disabled" in pages[1].text


async def test_the_page_of_a_resend_tells_when_it_goes_and_follows_it(
    stage: Stage, page: Page
) -> None:
    newest, *_ = await delivered(stage, 1)
    stage.receiver.statuses["/hook"] = 500
    await page.goto(f"{DELIVERIES}/{newest}")
    await page.get_by_role("button", name="Resend").click()
    await page.get_by_role("button", name="Resend").click()
    next_step = page.locator(".timeline > .next")
    await expect(next_step).to_contain_text("The webhook waits after an error.")

    stage.receiver.statuses.clear()
    stage.system.clock.move(MINUTE_MS)

    await expect(next_step).to_have_count(0)
    await expect(page.locator("#live .badge", has_text="Waits to be sent")).to_have_count(0)


async def test_many_are_counted_first_and_only_then_sent(stage: Stage, plain_page: Page) -> None:
    page = plain_page
    await delivered(stage, 5)
    await page.goto(REPLAY)
    await page.get_by_label("Which ones").select_option("delivered")
    await page.get_by_role("button", name="Count them").click()

    question = page.get_by_role("region", name="Send all of these once more?")
    await expect(question).to_contain_text("5 deliveries are sent before everything younger")
    await expect(question).to_contain_text("5 messages are in them")
    assert len(stage.receiver.bodies) == 5
    await question.get_by_role("button", name="Send all of them once more").click()

    await expect(page.get_by_role("heading", name="Replay 1")).to_be_visible()
    await stage.system.facts.until("replay.ended")
    await page.reload()
    await expect(page.locator("main .badge").first).to_have_text("Done")
    assert stage.receiver.bodies[5:] == stage.receiver.bodies[:5]
    await page.get_by_role("link", name="To all replays").click()
    await expect(page.locator("tbody tr")).to_contain_text(["Delivered ones"])


async def test_what_has_grown_meanwhile_is_asked_again(stage: Stage) -> None:
    await delivered(stage, 2)
    async with visitor(stage.url) as operator:
        await operator.sign_in(await stage.token())
        form = {"states": "delivered", "agreed": "replayed:1"}
        seen = await operator.post(REPLAY, form)

    assert "2 deliveries are sent before everything younger" in seen.text
    assert "It has become more meanwhile" in seen.text
    assert (await stage.system.get("/v1/workspaces/acme/replay"))["replays"] == []


async def test_a_replay_is_seen_as_it_goes_and_cancelled(stage: Stage, page: Page) -> None:
    await delivered(stage, 4)
    stage.receiver.statuses["/hook"] = 500
    await stage.system.accept("acme", talk("Hi", 9, chat="c9"))
    await stage.until("acme", consecutive_errors=1)
    await page.goto(REPLAY)
    await page.get_by_label("Which ones").select_option("delivered")
    await page.get_by_role("button", name="Count them").click()
    await page.get_by_role("button", name="Send all of them once more").click()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()

    await page.get_by_role("button", name="Cancel the replay").click()

    await expect(page.get_by_text("what was not sent yet is taken back").first).to_be_visible()
    await stage.system.facts.until("replay.ended", outcome="cancelled")
    stage.system.clock.move(MINUTE_MS)
    await expect(page.locator("#live .badge, main .badge").first).to_have_text("Cancelled")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"http_status": "7x"}, "http_status"),
        ({"http_status": "42"}, "http_status"),
        ({"since": "2026-11-28T10:00", "until": "2026-11-28T09:00"}, "until"),
        ({"chat": "c" * 300}, "chat"),
        ({"states": "queued"}, "states"),
    ],
)
async def test_a_wrong_filter_is_told_at_its_field_and_sends_nothing(
    stage: Stage, form: dict[str, str], field: str
) -> None:
    await delivered(stage, 1)
    async with visitor(stage.url) as operator:
        await operator.sign_in(await stage.token())
        seen = await operator.post(REPLAY, form)

    assert seen.status == 422
    assert f'id="{field}-fault"' in seen.text


async def test_a_filter_that_means_nothing_says_so(stage: Stage, page: Page) -> None:
    await delivered(stage, 1)
    await page.goto(f"{REPLAY}?chat=c0")
    await expect(page.get_by_label("Id of the chat")).to_have_value("c0")

    await page.get_by_role("button", name="Count them").click()

    await expect(page.get_by_role("alert")).to_have_text("No delivery passes these filters.")
