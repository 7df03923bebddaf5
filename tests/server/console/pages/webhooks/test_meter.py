"""Beside the rule of a window stands what it has made of the last days' messages."""

from pathlib import Path

import pytest

from hookbundle.tests.in_process import HOUR_MS, event
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import on_stage
from hookbundle.tests.server.console.test_arabic_errors import arabic, check


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "In the last 7 days: 1,240 messages in 2 requests."),
        ("ar", "خلال آخر 7 أيام: 1,240 رسالة (طلبان)."),
    ],
)
async def test_messages_and_requests_of_seven_days_are_shown(
    tmp_path: Path, language: str, words: str
) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        if language == "en":
            seen.session.headers["Accept-Language"] = "en"
        system = stage.system
        crm = {"id": "crm", "url": f"{stage.receiver.url}/crm", "aggregation": "1h"}
        await system.ask("POST", "/v1/workspaces/acme/webhooks", crm)
        before = await seen.get("/console/w/acme/webhooks/crm")
        await system.accept("acme", *(event(f"m{number}") for number in range(1_240)))
        system.clock.move(HOUR_MS)
        await system.facts.until("delivery.sealed", 2, webhook="crm")

        page = await seen.get("/console/w/acme/webhooks/crm")

    assert words in page.text
    assert words.partition(":")[0] not in before.text
    if language == "ar":
        check(page, 200)
