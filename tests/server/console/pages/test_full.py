"""A full webhook on the pages, in both languages, and a delivery that is too large."""

from pathlib import Path

import pytest

from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import on_stage, talk
from hookbundle.tests.server.console.test_arabic_errors import arabic, check, english_in


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_pages_say_that_it_is_full_and_how_much_did_not_get_in(
    tmp_path: Path, language: str
) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        if language == "en":
            seen.session.headers["Accept-Language"] = "en"
        system = stage.system
        system.daemon.partition._chat_config.quota = Quota(messages_max=1)
        crm = {"id": "crm", "url": f"{stage.receiver.url}/crm"}
        await system.ask("POST", "/v1/workspaces/acme/webhooks", crm)
        await system.switch("acme", "disable")
        for number in range(3):
            await system.accept("acme", talk("hi", number))
        state = await seen.get("/console/w/acme/outbound")
        listed = await seen.get("/console/workspaces")
        activity = await seen.get("/console/w/acme/activity")

    words = ("Full", "Webhook full") if language == "en" else ("ممتلئ", "امتلأ الـ Webhook")
    for page in (state, listed):
        assert f'<span class="badge bad">{words[0]}</span>' in page.text
    assert words[1] in activity.text
    told = "2 messages did not get in" if language == "en" else "لم تصل إليه رسالتان"
    assert told in state.text
    if language == "ar":
        for page in (state, listed):
            check(page, 200)
        assert english_in(activity.text) == []


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_path_of_a_message_names_the_webhook_that_was_full(
    tmp_path: Path, language: str
) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        if language == "en":
            seen.session.headers["Accept-Language"] = "en"
        system = stage.system
        system.daemon.partition._chat_config.quota = Quota(messages_max=1)
        crm = {"id": "crm", "url": f"{stage.receiver.url}/crm"}
        await system.ask("POST", "/v1/workspaces/acme/webhooks", crm)
        await system.ask("POST", "/v1/workspaces/acme/webhooks/crm/disable")
        said = [talk("hi", number) for number in range(2)]
        for each in said:
            await system.accept("acme", each)
        chat_id = said[1]["chat"]["chat_id"]
        message_id = said[1]["message"]["message_id"]
        chat = await seen.get(f"/console/w/acme/chats/{chat_id}")
        message = await seen.get(f"/console/w/acme/messages/{message_id}?chat={chat_id}")

    told = "did not get it at" if language == "en" else "لم يستلمها الـ webhook"
    who = "Somebody had disabled it." if language == "en" else "وكان أحدهم قد عطّله"
    helps = ("Enable the webhook.", "Repair the receiver, send it a test request")
    for page in (chat, message):
        assert page.status == 200
        assert told in page.text
        assert who in page.text
        assert language == "ar" or [each in page.text for each in helps] == [True, False]
    assert 'href="/console/w/acme/webhooks/crm"' in chat.text  # what helps is done there
