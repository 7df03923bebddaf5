"""Access tokens: fetched once, kept until a minute before their end, fetched anew after a 401."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.engine.delivery.outcomes import (
    AttemptLimits,
    ErrorClass,
    HttpResult,
    NoResponse,
    Response,
    Unknown,
    judged,
    was_late,
)
from hookbundle.engine.delivery.success import SEED
from hookbundle.engine.requests.request import OAuth2, Request
from hookbundle.tests.actors.outbound.calling import (
    BODY,
    LONG_LIMITS,
    SHORT_LIMITS,
    MovableTime,
    calling,
)
from hookbundle.tests.crm.requests.oauth_server import BODY_CANARY, OAuthServer, oauth_server
from hookbundle.tests.receivers import Wire, receiving

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NO = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"


class Calls:
    """A receiver that takes only the tokens it knows, or all; a client; and the endpoint."""

    def __init__(self, client: GuardedClient, endpoint: OAuthServer, now: MovableTime) -> None:
        self.client, self.endpoint, self.now = client, endpoint, now
        self.url = ""
        self.seen: list[str] = []
        self.refused: set[str] = set()

    async def serve(self, wire: Wire) -> None:
        while request := await wire.request():
            token = request.headers["authorization"].removeprefix("Bearer ")
            self.seen.append(token)
            await wire.send(NO if token in self.refused else OK)

    async def call(self, *, once: bool = False, webhook: int = 7, **changes: Any) -> HttpResult:
        auth = msgspec.convert(self.endpoint.auth(**changes), OAuth2)
        request = Request(auth=auth)
        return await self.client.post(
            self.url, BODY, {}, once=once, request=request, webhook=webhook
        )


@asynccontextmanager
async def calls(limits: AttemptLimits = LONG_LIMITS) -> AsyncIterator[Calls]:
    now = MovableTime()
    async with oauth_server() as endpoint, calling(limits=limits, now_s=now) as client:
        found = Calls(client, endpoint, now)
        async with receiving(found.serve) as receiver:
            found.url = receiver.url
            yield found


@pytest.mark.parametrize("style", ["basic", "body"])
async def test_the_client_proves_itself_in_its_style(style: str) -> None:
    async with calls() as it:
        result = await it.call(style=style, scope="notes write")

        assert isinstance(result, Response)
        assert it.seen == ["access-canary-1"]
        (asked,) = it.endpoint.asked
        assert asked == {
            "grant_type": "client_credentials",
            "scope": "notes write",
            "client_id": "hooks",
            "client_secret": it.endpoint.secret,
            "style": style,
        }


@pytest.mark.parametrize(
    ("lasts", "for_s"), [(3_600, 3_540), ("3600", 3_540), (None, 300), (10**9, 86_340), (30, 0)]
)
async def test_a_token_is_kept_until_a_minute_before_its_end(lasts: Any, for_s: int) -> None:
    async with calls() as it:
        it.endpoint.lasts_s = lasts
        await it.call()
        it.now.now_s += max(for_s - 1, 0)
        await it.call()
        before = len(it.endpoint.asked)
        it.now.now_s += 2

        await it.call()

        assert before == (1 if for_s else 2)
        assert len(it.endpoint.asked) == before + 1


async def test_a_401_fetches_anew_once_and_both_requests_are_counted() -> None:
    async with calls() as it:
        await it.call()
        it.refused = {"access-canary-1"}
        passed = await it.call()
        it.refused = {f"access-canary-{number}" for number in range(9)}
        failed = await it.call()

        assert isinstance(passed, Response)
        assert (passed.status, passed.requests) == (200, 2)
        assert isinstance(failed, Response)
        assert (failed.status, failed.requests) == (401, 2)
        assert len(it.endpoint.asked) == 3


async def test_a_401_is_the_end_where_the_request_may_go_out_once() -> None:
    async with calls() as it:
        it.refused = {"access-canary-1"}
        result = await it.call(once=True)

        assert isinstance(result, Response)
        assert (result.status, result.requests, len(it.seen)) == (401, 1, 1)


async def test_changed_credentials_never_get_the_old_token() -> None:
    async with calls() as it:
        await it.call()
        await it.call(scope="other")
        it.endpoint.client_id = "others"
        await it.call()

        assert it.seen == ["access-canary-1", "access-canary-2", "access-canary-3"]


async def test_webhooks_have_tokens_of_their_own_and_each_is_fetched_once_at_a_time() -> None:
    async with calls() as it:
        it.endpoint.after = asyncio.Event()
        waiting = [asyncio.create_task(it.call(webhook=number)) for number in (1, 1, 2)]
        async with asyncio.timeout(10):
            while len(it.endpoint.asked) < 2:
                await asyncio.sleep(0)
        it.endpoint.after.set()
        await asyncio.gather(*waiting)

        assert len(it.endpoint.asked) == 2
        assert sorted(it.seen)[0] != sorted(it.seen)[-1]


@pytest.mark.parametrize(
    "trouble",
    [
        {"secret": "wrong"},
        {"status": 500},
        {"fields": {"access_token": None}},
        {"fields": {"access_token": "two words"}},
        {"fields": {"token_type": "mac"}},
        {"fields": {"padding": "x" * 20_000}},
    ],
)
async def test_a_failing_endpoint_is_an_attempt_that_failed_with_auth(
    trouble: dict[str, Any],
) -> None:
    async with calls() as it:
        secret = it.endpoint.secret
        for name, value in trouble.items():
            setattr(it.endpoint, name, value)
        result = await it.call(client_secret=secret)

        assert isinstance(result, NoResponse)
        assert result.error is ErrorClass.AUTH
        assert BODY_CANARY not in result.detail
        assert secret not in result.detail
        assert it.seen == []


async def test_a_slow_endpoint_ends_within_the_limit_of_the_attempt() -> None:
    async with calls(SHORT_LIMITS) as it:
        it.endpoint.after = asyncio.Event()
        result = await it.call()

        assert isinstance(result, NoResponse)
        assert (result.error, was_late(result, SEED)) == (ErrorClass.AUTH, True)
        assert isinstance(judged(result, SEED, 0, stood_still=True), Unknown)


async def test_the_token_url_is_behind_the_same_guard_and_not_redirected() -> None:
    async with calls() as it:
        inside = await it.call(token_url="http://10.0.0.1/token")
        it.endpoint.status = 302
        moved = await it.call()

        for result in (inside, moved):
            assert isinstance(result, NoResponse)
            assert result.error is ErrorClass.AUTH
        assert isinstance(inside, NoResponse)
        assert "private" in inside.detail


async def test_without_its_secret_nothing_is_asked() -> None:
    async with calls() as it:
        result = await it.call(client_secret="")

        assert isinstance(result, NoResponse)
        assert (result.error, it.endpoint.asked) == (ErrorClass.AUTH, [])
