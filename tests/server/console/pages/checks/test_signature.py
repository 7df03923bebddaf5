"""A request that was pasted is checked by the webhook's secrets, which are not shown."""

import re
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, expect

from hookbundle.engine.delivery import signing
from hookbundle.tests.server.console.browsing import faults
from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage
from hookbundle.tests.server.console.test_arabic_errors import SPEAKS, english_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/console/w/acme/webhooks/outbound/signature"
BODY = '{"text": "Grüße 👋\\nنعم"}'
VERDICT = re.compile(r'data-code="(\w+)"')


async def secret_of(stage: Stage) -> str:
    renewed = await stage.system.ask("POST", "/v1/workspaces/acme/webhook/rotate-secret")
    secret: str = renewed.document["secret"]
    return secret


def request(stage: Stage, secret: str, age_s: int = 0, at: str = "") -> dict[str, str]:
    """The form for a request that was signed so long ago. `at`: another time in its header."""
    at_s = stage.system.clock.wall_ms() // 1_000 - age_s
    headers = signing.sign("dlv_1", at_s, BODY.encode(), [secret])
    headers[signing.HEADER_TIMESTAMP] = at or str(at_s)
    lines = [f"{name.title()}:  {value}" for name, value in headers.items()]
    return {"headers": "\r\n".join(["POST / HTTP/1.1", "Host: a.example", *lines]), "body": BODY}


async def test_who_pastes_a_request_is_told_that_it_is_ours(stage: Stage, page: Page) -> None:
    await stage.workspace("acme", "Acme Ltd")
    form = request(stage, await secret_of(stage), age_s=120)
    await page.goto("/console/w/acme/outbound")
    await page.get_by_role("link", name="Check a signature").click()

    await page.get_by_label("Headers").fill(form["headers"])
    await page.get_by_label("Body").fill(form["body"])
    await page.get_by_role("button", name="Check it").click()

    verdict = page.get_by_role("status").filter(has_text="The signature is right")
    await expect(verdict).to_contain_text("2 minutes ago")
    await expect(page.get_by_label("Body")).to_have_value(BODY)
    assert await faults(page) == []


async def test_what_is_wrong_is_said_in_both_languages(stage: Stage) -> None:
    await stage.workspace("acme")
    secret = await secret_of(stage)
    cases: dict[str, dict[str, Any]] = {
        "authentic": request(stage, secret),
        "header_missing": {"headers": "webhook-id: dlv_1", "body": BODY},
        "timestamp_malformed": request(stage, secret, at="today"),
        "signature_mismatch": {**request(stage, secret), "body": f"{BODY} "},
        "outside_tolerance": request(stage, secret, age_s=3_600),
    }
    to_come = request(stage, secret, age_s=-3_600)

    async with signed_in(stage) as owner:
        seen = {code: await owner.post(PATH, form) for code, form in cases.items()}
        arabic = [await owner.post(PATH, form, headers=SPEAKS) for form in cases.values()]
        early = await owner.post(PATH, to_come)

    assert {code: VERDICT.findall(each.text) for code, each in seen.items()} == {
        code: [code] for code in cases
    }
    assert "1 hour ago" not in early.text
    assert "one of the two clocks is wrong" in early.text
    assert all(secret not in each.text for each in (*seen.values(), *arabic))
    for each in arabic:
        said = re.findall(r'id="verdict".*?>(.*?)</p>', each.text, re.DOTALL)
        assert not english_in(said[0]), said


async def test_a_body_of_several_lines_is_checked_as_it_was_sent(stage: Stage) -> None:
    """A form makes CR LF of each end of a line."""
    await stage.workspace("acme")
    body, at_s = '{\n"a": 1}\n', stage.system.clock.wall_ms() // 1_000
    signed = signing.sign("dlv_1", at_s, body.encode(), [await secret_of(stage)])
    headers = "\r\n".join(f"{name}: {value}" for name, value in signed.items())

    async with signed_in(stage) as owner:
        seen = await owner.post(PATH, {"headers": headers, "body": body.replace("\n", "\r\n")})

    assert VERDICT.findall(seen.text) == ["authentic"]


async def test_an_owner_checks_only_requests_of_the_own_workspace(stage: Stage) -> None:
    await stage.workspace("acme")
    await stage.workspace("globex")

    async with signed_in(stage, await stage.token("globex")) as owner:
        refused = await owner.post(PATH, {"headers": "", "body": ""})
        own = await owner.get(PATH.replace("acme", "globex"))

    assert (refused.status, own.status) == (404, 200)


async def test_what_was_pasted_is_no_part_of_the_page(stage: Stage) -> None:
    await stage.workspace("acme")
    hostile = "</textarea><script>alert(1)</script>"

    async with signed_in(stage) as owner:
        seen = await owner.post(PATH, {"headers": hostile, "body": hostile})

    assert "<script>alert" not in seen.text
    assert msgspec.json.encode(hostile) not in seen.text.encode()
