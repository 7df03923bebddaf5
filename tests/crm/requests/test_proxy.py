"""Requests through the operator's proxy, which is asked only for what the guard allows."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.outbound.proxy import Proxy
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.outcomes import (
    ErrorClass,
    Failed,
    NoResponse,
    Response,
    Unknown,
    judged,
)
from hookbundle.engine.delivery.success import SEED
from hookbundle.tests.actors.outbound.calling import BODY, LONG_LIMITS, LOOPBACK
from hookbundle.tests.actors.outbound.certificates import receiver_tls, trusting
from hookbundle.tests.crm.requests.proxy_server import ProxyServer, proxy_server
from hookbundle.tests.receivers import OK, FixedResolver, answering, receiving

HERE = FixedResolver(["127.0.0.1"])
NOBODY = FixedResolver([])
STRICT = AddressPolicy()


@asynccontextmanager
async def proxied(
    proxy: Proxy, policy: AddressPolicy = LOOPBACK, resolver: FixedResolver = HERE
) -> AsyncIterator[GuardedClient]:
    client = GuardedClient(
        policy, LONG_LIMITS, "hookbundle/test", resolver, tls=trusting(), proxy=proxy
    )
    await client.open()
    try:
        yield client
    finally:
        await client.close()


def at(server: ProxyServer, **given: str) -> Proxy:
    return Proxy("127.0.0.1", server.port, **given)  # type: ignore[arg-type]


async def test_https_goes_through_a_tunnel_and_the_certificate_is_the_receiver_s(
    tmp_path: Path,
) -> None:
    async with (
        receiving(answering(OK), receiver_tls(tmp_path)) as receiver,
        proxy_server() as server,
        proxied(at(server, login="hook:pass word")) as client,
    ):
        url = f"https://receiver.example:{receiver.port}/in"
        first, second = [await client.post(url, BODY, {}) for _ in range(2)]
        other = await client.post(f"https://other.example:{receiver.port}/in", BODY, {})

        head = server.heads[0]
        assert isinstance(first, Response)
        assert isinstance(second, Response)
        assert head.startswith(f"CONNECT receiver.example:{receiver.port} HTTP/1.1\r\n")
        assert "Proxy-Authorization: Basic aG9vazpwYXNzIHdvcmQ=\r\n" in head
        assert isinstance(other, NoResponse)
        assert other.error is ErrorClass.TLS


async def test_http_goes_with_the_whole_url_and_the_receiver_s_host() -> None:
    async with (
        receiving(answering(OK)) as receiver,
        proxy_server() as server,
        proxied(at(server)) as client,
    ):
        url = f"http://receiver.example:{receiver.port}/in?a=1"
        result = await client.post(url, BODY, {})

        assert isinstance(result, Response)
        assert server.heads[0].startswith(f"POST {url} HTTP/1.1\r\nHost: receiver.example:")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "inside.example"])
async def test_the_guard_judges_what_the_proxy_is_asked_for(scheme: str, host: str) -> None:
    async with proxy_server() as server, proxied(at(server), STRICT) as client:
        result = await client.post(f"{scheme}://{host}:8080/in", BODY, {})

        assert isinstance(result, NoResponse)
        assert result.error is ErrorClass.FORBIDDEN_ADDRESS
        assert server.heads == []


@pytest.mark.parametrize("host", ["127.0.0.1", "inside.example"])
async def test_one_port_that_is_allowed_opens_no_other_one_through_the_proxy(host: str) -> None:
    async with receiving(answering(OK)) as receiver, proxy_server() as server:
        policy = AddressPolicy.parse([f"127.0.0.1:{receiver.port}"])
        async with proxied(at(server), policy) as client:
            allowed = await client.post(f"http://{host}:{receiver.port}/in", BODY, {})
            other = await client.post(f"http://{host}:8080/in", BODY, {})

        assert isinstance(allowed, Response)
        assert isinstance(other, NoResponse)
        assert other.error is ErrorClass.FORBIDDEN_ADDRESS
        assert [head.split()[1] for head in server.heads] == [f"http://{host}:{receiver.port}/in"]


async def test_a_name_with_one_forbidden_address_is_refused_as_the_proxy_chooses_among_them() -> (
    None
):
    resolver = FixedResolver(["93.184.216.34", "10.0.0.1"])
    async with proxy_server() as server, proxied(at(server), STRICT, resolver) as client:
        result = await client.post("https://both.example/in", BODY, {})

        assert isinstance(result, NoResponse)
        assert (result.error, server.heads) == (ErrorClass.FORBIDDEN_ADDRESS, [])


async def test_a_name_that_is_not_known_here_goes_to_the_proxy_only_if_it_looks_names_up() -> None:
    async with receiving(answering(OK)) as receiver, proxy_server() as server:
        url = f"http://far.example:{receiver.port}/in"
        async with proxied(at(server), STRICT, NOBODY) as client:
            refused = await client.post(url, BODY, {})
        async with proxied(at(server, names="proxy"), STRICT, NOBODY) as client:
            passed = await client.post(url, BODY, {})
            local = await client.post(f"http://localhost:{receiver.port}/in", BODY, {})
            literal = await client.post(f"http://127.0.0.1:{receiver.port}/in", BODY, {})

    assert isinstance(refused, NoResponse)
    assert refused.error is ErrorClass.DNS
    assert isinstance(passed, Response)
    for each in (local, literal):
        assert isinstance(each, NoResponse)
        assert each.error is ErrorClass.FORBIDDEN_ADDRESS
    assert len(server.heads) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_login_is_our_fault(scheme: str) -> None:
    async with proxy_server(status=407) as server, proxied(at(server)) as client:
        result = await client.post(f"{scheme}://receiver.example:8080/in", BODY, {})

    assert isinstance(result, NoResponse)
    assert result.error is ErrorClass.PROXY
    assert isinstance(judged(result, SEED, 0), Unknown)


async def test_a_proxy_that_is_not_there_is_our_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with proxied(Proxy("127.0.0.1", port)) as client:
        result = await client.post("https://receiver.example/in", BODY, {})

    assert isinstance(result, NoResponse)
    assert result.error is ErrorClass.PROXY
    assert isinstance(judged(result, SEED, 0), Unknown)


async def test_a_proxy_that_can_not_reach_the_receiver_says_so_and_it_counts() -> None:
    async with proxy_server(status=502) as server, proxied(at(server)) as client:
        result = await client.post("https://receiver.example/in", BODY, {})

    assert isinstance(result, NoResponse)
    assert (result.error, "502" in result.detail) == (ErrorClass.PROXY_REFUSED, True)
    assert isinstance(judged(result, SEED, 0), Failed)
