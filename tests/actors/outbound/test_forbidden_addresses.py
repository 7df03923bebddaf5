"""The guarded client never connects to an address that the policy forbids."""

import pytest

from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, NoResponse, Response
from hookbundle.engine.errors import ConfigError
from hookbundle.tests.actors.outbound.calling import BODY, HEAD, LOOPBACK, calling
from hookbundle.tests.receivers import (
    OK,
    FixedResolver,
    answering,
    closing_after,
    receiving,
)

FORBIDDEN_HOSTS = [
    "127.0.0.1",
    "0.0.0.0",
    "localhost",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::1]",
    "[::]",
]
MISSPELT_HOSTS = [
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.0.0.1",
    "127\u30020\u30020\u30021",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0",
    "127.0.0.1.",
    "me@127.0.0.1",
    "[::1%25lo]",
]


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
async def test_by_default_nothing_inside_is_ever_connected_to(host: str) -> None:
    async with receiving(answering(OK)) as canary, calling(policy=AddressPolicy()) as client:
        failed = await client.post(f"http://{host}:{canary.port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.FORBIDDEN_ADDRESS, False)
    assert canary.connections == 0


@pytest.mark.parametrize("host", MISSPELT_HOSTS)
@pytest.mark.parametrize("policy", [AddressPolicy(), LOOPBACK])
async def test_an_address_in_disguise_is_an_invalid_url_even_where_it_is_allowed(
    host: str, policy: AddressPolicy
) -> None:
    async with receiving(answering(OK)) as canary, calling(policy=policy) as client:
        failed = await client.post(f"http://{host}:{canary.port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.INVALID_URL, False)
    assert canary.connections == 0


async def test_a_name_with_one_allowed_answer_never_reaches_the_others() -> None:
    resolver = FixedResolver(["127.0.0.2", "127.0.0.1"])
    policy = AddressPolicy.parse(["127.0.0.1/32"])

    async with receiving(answering(OK)) as receiver, calling(policy, resolver=resolver) as client:
        response = await client.post(f"http://mixed.example:{receiver.port}/", BODY, {})

    assert isinstance(response, Response)


async def test_a_forbidden_answer_beside_a_dead_one_is_not_dialled() -> None:
    # 127.0.0.2 is allowed and refuses, because the canary listens on 127.0.0.1 only.
    resolver = FixedResolver(["127.0.0.2", "127.0.0.1"])
    policy = AddressPolicy.parse(["127.0.0.2/32"])

    async with receiving(answering(OK)) as canary, calling(policy, resolver=resolver) as client:
        failed = await client.post(f"http://mixed.example:{canary.port}/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert failed.error in (ErrorClass.CONNECT, ErrorClass.CONNECT_REFUSED)
    assert canary.connections == 0


async def test_a_name_with_a_new_address_is_checked_again() -> None:
    resolver = FixedResolver(["127.0.0.2"], ["127.0.0.1"])
    policy = AddressPolicy.parse(["127.0.0.2/32"])
    script = closing_after(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    async with receiving(script) as canary, calling(policy, resolver=resolver) as client:
        outside = await client.post(f"http://a.example:{canary.port}/", BODY, {})
        inside = await client.post(f"http://b.example:{canary.port}/", BODY, {})

    assert isinstance(outside, NoResponse)
    assert isinstance(inside, NoResponse)
    assert (outside.error, inside.error) == (
        ErrorClass.CONNECT_REFUSED,
        ErrorClass.FORBIDDEN_ADDRESS,
    )
    assert "127.0.0" not in inside.detail
    assert canary.connections == 0


async def test_a_look_up_is_cached_for_some_seconds() -> None:
    resolver = FixedResolver(["127.0.0.1"])
    script = closing_after(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    async with receiving(script) as receiver, calling(resolver=resolver) as client:
        for _ in range(3):
            await client.post(f"http://name.example:{receiver.port}/", BODY, {})

    assert (receiver.connections, resolver.asked) == (3, 1)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1:22/", "http://a@b/", "", "http://[::1"]
)
async def test_a_url_that_got_past_the_settings_is_still_not_called(url: str) -> None:
    async with calling() as client:
        failed = await client.post(url, BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.INVALID_URL, False)


def test_a_connect_limit_beyond_the_total_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"delivery\.connect_timeout"):
        AttemptLimits(connect_timeout_ms=2, total_timeout_ms=1)
