"""Deliveries of every state: searched, looked at in full, sent again, discarded."""

import pytest
from playwright.async_api import Page, expect

from hookbundle.server.console.pages import deliveries
from hookbundle.tests.in_process import MINUTE_MS
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

DELIVERIES = "/console/w/acme/deliveries"


async def dead_letters(stage: Stage) -> None:
    """The workspace acme has a dead letter."""
    await stage.workspace("acme", aggregation="none", path="/gone")
    stage.receiver.statuses["/gone"] = 410
    await stage.system.accept("acme", talk("Is anybody there?"))
    for errors in (1, 2, 3):
        await stage.until("acme", consecutive_errors=errors)
        stage.system.clock.move(3 * MINUTE_MS)
    await stage.until("acme", dead_letters=1)


async def test_a_dead_letter_is_sent_again(stage: Stage, page: Page) -> None:
    await dead_letters(stage)
    await page.goto(DELIVERIES)
    row = page.locator("tbody tr")
    await expect(row).to_contain_text("Dead letter")
    await expect(row).to_contain_text("status 410")
    stage.receiver.statuses.clear()

    await row.get_by_role("button", name="Retry dlv_").click()

    await expect(page.get_by_text("The delivery is sent next.")).to_be_visible()
    await stage.until("acme", dead_letters=0, queued=0)
    await page.reload()
    await expect(page.get_by_role("region", name="Message of John Doe")).to_contain_text(
        "Delivered"
    )


@pytest.mark.parametrize("state", ["dead_letter", "parked"])
async def test_a_link_to_a_state_may_have_its_former_name(
    stage: Stage, page: Page, state: str
) -> None:
    await stage.workspace("acme")
    await page.goto(f"{DELIVERIES}?state={state}")

    chosen = page.get_by_label("Filter by state").locator("[aria-current=page]")
    await expect(chosen).to_contain_text("Dead letters")


async def test_a_delivery_is_looked_at_and_discarded_with_a_reason(
    stage: Stage, page: Page
) -> None:
    await dead_letters(stage)
    await page.goto(f"{DELIVERIES}?state=dead_letter")

    await page.get_by_role("link", name="Message of John Doe").click()
    await expect(page.locator(".chat .text")).to_have_text("Is anybody there?")
    await page.get_by_label("Why?").fill("sold out")
    await page.get_by_role("button", name="Discard", exact=True).click()
    await page.get_by_role("button", name="Discard", exact=True).click()

    await expect(page.get_by_text("The delivery was discarded, with 1 message.")).to_be_visible()
    await stage.until("acme", dead_letters=0, queued=0)
    (newest, *_) = await stage.system.get("/v1/workspaces/acme/activity")
    assert "sold out" in newest["detail"]
    assert "in the console" in newest["detail"]


async def test_what_can_not_be_done_is_said_where_it_was_asked_for(
    stage: Stage, plain_page: Page
) -> None:
    await stage.workspace("acme", aggregation="none")
    stage.receiver.statuses["/hook"] = 500
    await stage.system.accept("acme", talk("Hi"))
    await stage.until("acme", consecutive_errors=1)
    await plain_page.goto(DELIVERIES)
    await stage.system.switch("acme", "disable")

    await plain_page.get_by_role("button", name="Retry now dlv_").click()

    await expect(plain_page.get_by_role("alert")).to_contain_text("is disabled")
    await expect(
        plain_page.get_by_role("heading", level=2, name="Message of John Doe")
    ).to_be_visible()


async def different(stage: Stage) -> None:
    """One delivered, one a dead letter, one that fails, one behind it; of different chats."""
    await stage.workspace("acme", aggregation="none")
    await stage.system.accept("acme", talk("Hi", chat="c1", name="Maria Rossi"))
    await stage.until("acme", queued=0)
    stage.receiver.statuses["/hook"] = 410
    await stage.system.accept("acme", talk("Hi", chat="c2", name="سامي حداد"))
    for errors in (1, 2, 3):
        await stage.until("acme", consecutive_errors=errors)
        stage.system.clock.move(3 * MINUTE_MS)
    await stage.until("acme", dead_letters=1)
    stage.receiver.statuses["/hook"] = 500
    await stage.system.accept("acme", talk("Hi", chat="c3", name="Zoe"))
    await stage.until("acme", consecutive_errors=4)
    await stage.system.accept("acme", talk("Hi", chat="c4", name="Adam"))


async def names(page: Page) -> list[str]:
    return [
        text.removeprefix("Message of ")
        for text in await page.locator("tbody td.first > a").all_inner_texts()
    ]


async def test_all_states_are_listed_newest_first_and_filtered(stage: Stage, page: Page) -> None:
    await different(stage)
    await page.goto(DELIVERIES)

    assert await names(page) == ["Adam", "Zoe", "سامي حداد", "Maria Rossi"]
    await expect(page.locator("tbody .badge")).to_have_text(
        ["Queued", "Queued", "Dead letter", "Delivered"]
    )
    await page.get_by_text("Filter", exact=True).click()
    await page.get_by_label("State", exact=True).select_option("delivered")
    await page.get_by_role("button", name="Show").click()
    assert await names(page) == ["Maria Rossi"]
    for label, text, wanted in (
        ("Name", "ROSSI", ["Maria Rossi"]),
        ("Last status", "5xx", ["Zoe"]),
        ("Id of the chat", "c4", ["Adam"]),
        ("Phone", "+972 54 000 0000", ["Adam", "Zoe", "سامي حداد", "Maria Rossi"]),
    ):
        await page.goto(f"{DELIVERIES}?q=")
        await page.get_by_text("Filter", exact=True).click()
        await page.get_by_label(label, exact=True).fill(text)
        await page.get_by_role("button", name="Show").click()
        assert await names(page) == wanted, label
    await page.goto(DELIVERIES)
    await page.get_by_role("link", name="Queued, in order").click()
    assert await names(page) == ["Zoe", "Adam"]


async def test_the_times_of_the_filter_are_those_of_the_workspace(stage: Stage, page: Page) -> None:
    await different(stage)
    await stage.system.ask("PATCH", "/v1/workspaces/acme", {"time_zone": "Asia/Kolkata"})
    await page.goto(DELIVERIES)
    newest = await page.locator("tbody tr").first.locator("time").inner_text()
    minute = newest[:16].replace(" ", "T")

    await page.get_by_text("Filter", exact=True).click()
    await page.get_by_label("Sealed from").fill(minute)
    await page.get_by_role("button", name="Show").click()
    assert (await names(page))[0] == "Adam"
    await expect(page.get_by_label("Sealed from")).to_have_value(minute)
    await page.get_by_label("Sealed from").fill("")
    await page.get_by_label("Sealed before").fill(minute)
    await page.get_by_role("button", name="Show").click()
    assert "Adam" not in await names(page)


async def test_a_filter_that_is_none_is_told_at_its_field(stage: Stage, page: Page) -> None:
    await stage.workspace("acme")
    await page.goto(f"{DELIVERIES}?http_status=77&phone=none")

    for label in ("Last status", "Phone"):
        field = page.get_by_label(label, exact=True)
        await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#f-http_status-fault")).to_contain_text("must be a status")


async def test_pages_stay_right_while_deliveries_move(
    stage: Stage, plain_page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "PAGE_MAX", 2)
    await different(stage)
    await plain_page.goto(DELIVERIES)
    found = await names(plain_page)
    await stage.system.accept("acme", talk("Hi", chat="c5", name="Later"))
    stage.receiver.statuses.clear()
    await stage.system.ask("POST", "/v1/workspaces/acme/deliveries/retry")
    await stage.until("acme", queued=0, dead_letters=0)

    await plain_page.get_by_role("link", name="Next page").click()

    assert found + await names(plain_page) == ["Adam", "Zoe", "سامي حداد", "Maria Rossi"]


async def test_a_short_page_says_how_far_it_looked_and_goes_on(
    stage: Stage, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    await different(stage)
    monkeypatch.setattr("hookbundle.server.http.lists.ROWS_MOST", 1)
    monkeypatch.setattr("hookbundle.storage.reads.searching.search.ROWS_MOST", 1)
    monkeypatch.setitem(
        __import__(
            "hookbundle.storage.reads.searching.search", fromlist=["Search"]
        ).Search.__init__.__kwdefaults__,
        "rows_most",
        1,
    )
    await page.goto(f"{DELIVERIES}?q=rossi")

    found: list[str] = []
    while not (found := await names(page)):
        await expect(page.get_by_text("Searched back to")).to_be_visible()
        await page.get_by_role("link", name="Search further").click()

    assert found == ["Maria Rossi"]


async def test_a_delivery_shows_its_attempts_as_a_timeline_with_their_answers(
    stage: Stage, page: Page
) -> None:
    stage.receiver.answer = '{"error": "no such contact"}'
    await different(stage)
    await page.goto(DELIVERIES)

    await page.get_by_role("link", name="Message of سامي حداد").click()

    steps = page.locator(".timeline").first.locator("> li")
    await expect(steps).to_have_count(3)
    await expect(steps.nth(0)).to_contain_text("Accepted and queued.")
    await expect(steps.nth(1)).to_contain_text("3 \u00d7 Rejected status 410")
    await expect(steps.nth(2)).to_contain_text("it waits for your decision")
    await steps.nth(1).get_by_text("Each of them").click()
    each = steps.nth(1).locator("li")
    await expect(each).to_have_count(3)
    await each.first.get_by_text("Request and answer").click()
    body = each.first.get_by_label("Body of the response").last
    await expect(body).to_contain_text('"error": "no such contact"')
    await expect(each.first.get_by_role("table", name="Headers of the request")).to_be_visible()


async def test_identical_retries_are_one_line_of_the_activity(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="none")
    stage.receiver.statuses["/hook"] = 500
    await stage.system.accept("acme", talk("Hi"))
    for errors in (1, 2, 3):
        await stage.until("acme", consecutive_errors=errors)
        stage.system.clock.move(6 * MINUTE_MS)
    await stage.until("acme", consecutive_errors=4)
    stage.receiver.statuses.clear()
    stage.system.clock.move(6 * MINUTE_MS)
    await stage.until("acme", queued=0)
    await page.goto("/console/w/acme/outbound")

    rows = page.locator("#activity tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(0)).to_contain_text("Delivered")
    await expect(rows.nth(1)).to_contain_text("4 \u00d7 status 500")
    times = await rows.nth(1).locator(".sub time").all_inner_texts()
    assert len([text for text in times if ":" in text]) >= 2


async def test_what_moves_shows_without_loading_the_page_again(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="none")
    stage.receiver.statuses["/hook"] = 500
    await stage.system.accept("acme", talk("Hi"))
    await stage.until("acme", consecutive_errors=1)
    await page.goto(DELIVERIES)
    await page.get_by_role("link", name="Message of John Doe").click()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await expect(page.get_by_text("The webhook waits after an error.")).to_be_visible()

    stage.receiver.statuses.clear()
    stage.system.clock.move(MINUTE_MS)
    await stage.until("acme", queued=0)

    await expect(page.locator("#live")).to_contain_text("The receiver answered with status 200.")
    await expect(page.locator("#live .badge").first).to_have_text("Delivered")
