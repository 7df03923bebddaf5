"""A webhook's request through a whole daemon: what leaves, and that no secret is told anywhere."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.tests.crm.requests.oauth_server import SECRET, oauth_server
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import System, daemon_in, event

HOOK = "/v1/workspaces/acme/webhooks/outbound"
HEADER = "header-canary/value 1"
TOKEN = "bearer-canary.token=="
PASSWORD = 'basic-canary "word"&'
HEADERS = {"X-Tenant": HEADER, "Accept": "application/vnd.crm+json"}


@pytest.fixture
async def receiver() -> AsyncIterator[HookReceiver]:
    async with HookReceiver() as opened:
        yield opened


async def patch(system: System, **request: Any) -> Any:
    answer = await system.ask("PATCH", HOOK, {"request": request})
    assert answer.status == 200, answer
    return answer.document


async def test_method_headers_and_credentials_leave_and_what_was_read_may_be_sent_back(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        auth = {"type": "bearer", "token": TOKEN}
        made = await patch(system, method="PUT", headers=HEADERS, auth=auth)
        assert made["request"] == {
            "method": "PUT",
            "headers": {"X-Tenant": {"set": True}, "Accept": {"set": True}},
            "auth": {"type": "bearer", "set": True},
        }
        await patch(system, **made["request"])

        await system.accept("acme", event("m1"))
        (post,) = await receiver.until(1)

        assert post.method == "PUT"
        assert post.headers["x-tenant"] == HEADER
        assert post.headers["accept"] == HEADERS["Accept"]
        assert post.headers["authorization"] == f"Bearer {TOKEN}"
        tested = await system.switch("acme", "test")
        assert tested["request"]["method"] == "PUT"
        assert receiver.posts[1].headers["authorization"] == f"Bearer {TOKEN}"


async def test_another_origin_drops_them_and_all_who_change_it_are_told(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        url = receiver.url().replace("127.0.0.1", "127.0.0.2")
        for path, change in (
            (HOOK, {"url": url}),
            ("/v1/workspaces/acme", {"webhook": {"url": receiver.url()}}),
        ):
            await patch(system, headers=HEADERS, auth={"type": "bearer", "token": TOKEN})
            answer = (await system.ask("PATCH", path, change)).document
            hook = answer.get("webhook", answer)

            assert hook["dropped"] == ["headers", "auth"]
            assert hook["request"] == {"method": "POST", "headers": {}, "auth": {"type": "none"}}
        (told,) = await system.facts.until("workspace.changed", 1)
        fact = system.facts.known("webhook.changed")[0]
        assert fact["data"]["changes"]["request"] == "POST + X-Tenant + Accept + auth bearer"
        assert told["data"]["changes"]["dropped"] == "headers + auth"
        lines = await system.get("/v1/workspaces/acme/activity")
        assert any("dropped headers + auth" in str(line) for line in lines), lines
        assert "dropped" not in await system.hook()


async def test_put_without_a_request_is_the_default_and_a_fault_names_its_path(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await patch(system, method="PATCH", headers=HEADERS)
        every = {"If-Match": "*"}
        kept = {"url": receiver.url(), "request": {"headers": {"X-Tenant": {"set": True}}}}
        put = (await system.ask("PUT", HOOK, kept, headers=every)).document
        assert put["request"] == {
            "method": "POST",
            "headers": {"X-Tenant": {"set": True}},
            "auth": {"type": "none"},
        }
        gone = (await system.ask("PUT", HOOK, {"url": receiver.url()}, headers=every)).document
        assert gone["request"]["headers"] == {}

        wrong = {"webhook": {"request": {"headers": {"Host": "x", "X-Kept": {"set": True}}}}}
        refused = await system.ask("PATCH", "/v1/workspaces/acme", wrong)
        assert refused.status == 422
        assert [each["path"] for each in refused.document["errors"]] == [
            "webhook.request.headers.Host"
        ]
        del wrong["webhook"]["request"]["headers"]["Host"]
        refused = await system.ask("PATCH", "/v1/workspaces/acme", wrong)
        assert [(each["path"], each["code"]) for each in refused.document["errors"]] == [
            ("webhook.request.headers.X-Kept", "nothing_set")
        ]


async def test_a_token_endpoint_that_fails_is_the_attempt_s_reason(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    async with daemon_in(tmp_path) as system, oauth_server() as endpoint:
        await system.make("acme", receiver)
        await patch(system, auth=endpoint.auth())
        endpoint.status = 503
        await system.accept("acme", event("m1"))
        (failed,) = await system.facts.until("delivery.failed", 1)
        assert failed["data"]["error"] == "auth: the token endpoint answered 503"
        assert receiver.posts == []

        endpoint.status = 200
        system.clock.move(60_000)
        (post,) = await receiver.until(1)
        assert post.headers["authorization"] == "Bearer access-canary-1"


def echoing(*secrets: str) -> Answer:
    """A receiver that repeats what it got, in many forms."""
    forms = [*secrets, *(base64.b64encode(each.encode()).decode() for each in secrets)]
    body = msgspec.json.encode({"you sent": forms})
    headers = tuple((f"X-Echo-{n}", each) for n, each in enumerate(forms))
    return Answer(500, headers, body)


async def test_no_secret_is_in_any_log_fact_page_or_export(
    tmp_path: Path, receiver: HookReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    user_pass = base64.b64encode(f"hooks:{PASSWORD}".encode()).decode()
    canaries = [HEADER, TOKEN, PASSWORD, user_pass, SECRET, "access-canary-1", "key-canary"]
    told = b""
    async with daemon_in(tmp_path) as system, oauth_server() as endpoint:
        await system.make("acme", receiver)
        for number, (auth, in_use) in enumerate(
            (
                ({"type": "bearer", "token": TOKEN}, [TOKEN]),
                (
                    {"type": "basic", "username": "hooks", "password": PASSWORD},
                    [PASSWORD, user_pass],
                ),
                ({"type": "header", "name": "X-Key", "value": "key-canary"}, ["key-canary"]),
                (endpoint.auth(), [SECRET, "access-canary-1"]),
            )
        ):
            await patch(system, headers=HEADERS, auth=auth)
            receiver.answers(echoing(HEADER, *in_use), 200)
            await system.accept("acme", event(f"m{number}"))
            await receiver.until(2 * number + 1)
            await system.facts.until("delivery.failed", number + 1)
            system.clock.move(60_000)
            await receiver.until(2 * number + 2)
            await system.facts.until("delivery.delivered", number + 1)
        await system.ask("PATCH", HOOK, {"url": "https://elsewhere.example/"})
        for path in (
            *("", "/activity", "/log", "/webhooks", "/deliveries"),
            "/webhooks/outbound",
        ):
            answer = await system.ask("GET", f"/v1/workspaces/acme{path}")
            assert answer.status == 200, path
            told += answer.body
        listed = await system.get("/v1/workspaces/acme/deliveries?state=delivered")
        for each in listed["deliveries"]:
            told += (await system.ask("GET", f"/v1/deliveries/{each['id']}")).body
        told += msgspec.json.encode(system.facts.seen)
        await asyncio.sleep(0)
    captured = capfd.readouterr()
    told += (captured.out + captured.err).encode()

    assert b"[hidden]" in told
    assert b"you sent" in told
    for canary in canaries:
        plain, quoted = canary.encode(), msgspec.json.encode(canary)[1:-1]
        assert plain not in told, canary
        assert quoted not in told, canary
        assert base64.b64encode(plain) not in told, canary
