"""What can't be undone, or costs something, is asked first: what it comes to, and only that."""

import pytest
from playwright.async_api import Browser, Page, expect

from hookbundle.storage.transitions.switching import EnableWebhook
from hookbundle.tests.in_process import MINUTE_MS
from hookbundle.tests.server.console.browsing import faults, opened
from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTBOUND = "/console/w/acme/outbound"
ENABLE = "/console/w/acme/webhook/enable"


async def held(stage: Stage, chats: int = 3, each: int = 8) -> None:
    """The webhook of acme is disabled and holds the messages of some chats."""
    await stage.workspace("acme", aggregation="none")
    await stage.system.switch("acme", "disable")
    await stage.system.accept("acme", *lots(chats, each))


def lots(chats: int, each: int, first: int = 0) -> list[dict[str, object]]:
    return [talk("Hi", first + n, chat=f"c{chat}") for chat in range(chats) for n in range(each)]


async def test_discarding_says_how_many_messages_of_how_many_chats_are_lost(
    stage: Stage, plain_page: Page
) -> None:
    await held(stage)
    await plain_page.goto(OUTBOUND)
    await plain_page.get_by_label("Discard them").check()
    await plain_page.get_by_role("button", name="Enable").click()

    question = plain_page.get_by_role("region", name="discard what is held?")
    await expect(question).to_contain_text("24 messages are discarded for good")
    await expect(question).to_contain_text("3 chats are concerned")
    assert (await stage.system.show())["counts"]["held_messages"] == 24
    await question.get_by_role("link", name="Cancel").click()
    await expect(plain_page).to_have_url(f"{stage.url}{OUTBOUND}")
    shown = await stage.system.show()
    assert (shown["webhook"]["enabled"], shown["counts"]["held_messages"]) == (False, 24)


async def test_what_came_meanwhile_is_not_discarded_unseen(stage: Stage, page: Page) -> None:
    await held(stage, 1, 2)
    await page.goto(OUTBOUND)
    await page.get_by_label("Discard them").check()
    await page.get_by_role("button", name="Enable").click()
    await stage.system.accept("acme", talk("Wait", 99, chat="late"))

    await page.get_by_role("button", name="Enable and discard").click()

    await expect(page.get_by_role("alert")).to_contain_text("more meanwhile")
    await expect(page.get_by_text("3 messages are discarded for good")).to_be_visible()
    assert (await stage.system.show())["counts"]["held_messages"] == 3
    await stage.system.accept("acme", talk("And this", 100, chat="late"))
    await page.get_by_role("button", name="Enable and discard").click()
    await expect(page.get_by_text("4 held deliveries were discarded.")).to_be_visible()
    assert stage.receiver.bodies == []


async def test_what_came_between_the_count_and_the_commit_is_not_discarded_unseen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await held(stage, 1, 2)
    workspaces = stage.system.daemon.partition.store_queue
    do, late = workspaces.do, [talk("Wait", 99, chat="late")]

    async def after_another(transition: object, kind: object) -> object:
        if isinstance(transition, EnableWebhook) and late:
            await stage.system.accept("acme", late.pop())
        return await do(transition, kind)  # type: ignore[arg-type]

    monkeypatch.setattr(workspaces, "do", after_another)
    async with signed_in(stage) as owner:
        form = {"held": "discard", "agreed": "discarded:2,of_chats:0"}
        seen = await owner.post(ENABLE, form)

    assert seen.status == 200
    assert "It has become more meanwhile" in seen.text
    assert "3 messages are discarded for good" in seen.text
    shown = await stage.system.show()
    assert (shown["webhook"]["enabled"], shown["counts"]["held_messages"]) == (False, 3)


@pytest.mark.parametrize("answer", ["", "yes", "discarded:", "discarded:-9", "sealed:99", "any:9"])
async def test_an_answer_that_no_page_has_made_agrees_to_nothing(stage: Stage, answer: str) -> None:
    await held(stage, 1, 2)
    async with signed_in(stage) as owner:
        seen = await owner.post(ENABLE, {"held": "discard", "agreed": answer})

    assert "2 messages are discarded for good" in seen.text
    assert not (await stage.system.hook())["enabled"]


async def test_sending_all_now_says_how_many_requests_it_makes(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="6h")
    await stage.system.accept("acme", *lots(17, 1))
    await page.goto("/console/w/acme/windows")
    await page.get_by_role("button", name="Send all now").click()

    words = "17 chats stop collecting now, which is 17 requests to the receiver."
    await expect(page.get_by_text(words)).to_be_visible()
    assert (await stage.system.show())["counts"]["windows"] == 17
    await stage.system.accept("acme", talk("Hi", chat="another"))
    await page.get_by_role("button", name="Send all now").click()
    await expect(page.get_by_text("18 chats stop collecting now")).to_be_visible()
    assert (await stage.system.show())["counts"]["windows"] == 18
    await page.get_by_role("button", name="Send all now").click()
    await expect(page.get_by_text("18 bundles are being sent")).to_be_visible()


async def test_resending_all_dead_letters_is_asked(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", aggregation="none", path="/gone")
    stage.receiver.statuses["/gone"] = 410
    await stage.system.accept("acme", talk("Is anybody there?"))
    for errors in (1, 2, 3):
        await stage.until("acme", consecutive_errors=errors)
        stage.system.clock.move(3 * MINUTE_MS)
    await stage.until("acme", dead_letters=1)
    await page.goto("/console/w/acme/deliveries")
    stage.receiver.statuses.clear()

    await page.get_by_role("button", name="Retry all dead letters").click()
    await expect(page.get_by_text("1 dead letter is sent before everything else.")).to_be_visible()
    await page.get_by_role("button", name="Retry all dead letters").click()

    await expect(page.get_by_text("1 dead letter is back in the queue.")).to_be_visible()
    await stage.until("acme", dead_letters=0, queued=0)


async def test_settings_that_send_what_waits_are_asked_and_keep_what_was_filled_in(
    stage: Stage, page: Page
) -> None:
    await held(stage, 2, 1)
    await stage.system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "6h"}})
    await stage.system.accept("acme", *lots(3, 1, first=50))
    await page.goto(OUTBOUND)
    await page.get_by_role("radio", name="Don't aggregate").check()
    await page.get_by_label("Webhook URL").fill(f"{stage.receiver.url}/elsewhere")
    await page.get_by_text("More settings").click()
    await page.get_by_label("Name of the workspace").fill("Acme <& Sons>")
    await page.get_by_role("button", name="Save").click()

    question = page.get_by_role("region", name="Save the settings?")
    await expect(question).to_contain_text("2 deliveries that wait")
    await expect(question).to_contain_text("/elsewhere")
    await expect(question).to_contain_text("3 chats stop collecting now")
    assert (await stage.system.show())["name"] == ""
    await question.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("The settings are saved.")).to_be_visible()
    shown = await stage.system.show()
    assert (shown["name"], shown["webhook"]["aggregation"]) == ("Acme <& Sons>", "none")
    assert shown["webhook"]["url"].endswith("/elsewhere")


async def test_a_shorter_window_counts_only_those_that_are_overdue_by_then(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="24h")
    await stage.system.accept("acme", *lots(2, 1))
    stage.system.clock.move(100 * MINUTE_MS)
    await stage.system.accept("acme", talk("New", chat="new"))
    await page.goto(OUTBOUND)

    await page.get_by_role("radio", name="Every hour").check()
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_text("2 chats stop collecting now")).to_be_visible()


@pytest.mark.parametrize(
    "wrong", [{"url": "ftp://files.example/in"}, {"aggregation": "soon"}, {"time_zone": "Cairo"}]
)
async def test_what_would_be_refused_is_not_asked(stage: Stage, wrong: dict[str, str]) -> None:
    await held(stage, 2, 1)
    await stage.system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "6h"}})
    await stage.system.accept("acme", *lots(3, 1, first=50))
    async with signed_in(stage) as owner:
        seen = await owner.post(OUTBOUND, {"url": "", "aggregation": "none", **wrong})

    assert seen.status == 422
    assert "Save the settings?" not in seen.text


async def test_settings_that_do_nothing_of_that_are_saved_without_a_question(
    stage: Stage, page: Page
) -> None:
    await stage.workspace("acme", aggregation="1h")
    await stage.system.accept("acme", *lots(2, 1))
    await page.goto(OUTBOUND)
    await page.get_by_role("radio", name="Every 6 hours").check()

    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_text("The settings are saved.")).to_be_visible()


async def test_a_workspace_is_deleted_by_typing_its_id(stage: Stage, plain_page: Page) -> None:
    page = plain_page
    await held(stage, 1, 2)
    await page.goto(OUTBOUND)
    await page.get_by_role("link", name="Delete the workspace").click()
    await expect(page.get_by_text("2 messages that were not sent yet")).to_be_visible()

    await page.get_by_label("Type the id of the workspace").fill("acne")
    await page.get_by_role("button", name="Delete the workspace").click()
    await expect(page.get_by_role("alert")).to_have_text("This is not its id.")
    assert (await stage.system.show())["id"] == "acme"
    await page.get_by_label("Type the id of the workspace").fill("acme")
    await page.get_by_role("button", name="Delete the workspace").click()

    await expect(page.get_by_text("The workspace acme is deleted.")).to_be_visible()
    assert (await stage.system.ask("GET", "/v1/workspaces/acme")).status == 404


async def test_an_owner_can_not_delete_the_workspace(stage: Stage) -> None:
    await stage.workspace("acme")
    async with signed_in(stage, await stage.token("acme")) as owner:
        assert "/console/w/acme/delete" not in (await owner.get(OUTBOUND)).text
        assert (await owner.get("/console/w/acme/delete")).status == 404
        assert (await owner.post("/console/w/acme/delete", {"id": "acme"})).status == 404

    assert (await stage.system.show())["id"] == "acme"


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_questions_are_accessible(stage: Stage, browser: Browser, language: str) -> None:
    await held(stage)
    async with opened(browser, stage, locale=language) as page:
        await page.goto(OUTBOUND)
        await page.locator("input[value=discard]").check()
        await page.locator(f"form[action='{ENABLE}'] button").click()
        await expect(page.locator("#question")).to_be_focused()
        found = await faults(page)
        await page.goto("/console/w/acme/delete")
        found += await faults(page)

    assert found == []
