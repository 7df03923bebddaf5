"""A guarded client for tests, and what the tests send with it."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver

from hookbundle.actors.outbound.client import (
    GuardedClient,
)
from hookbundle.actors.outbound.resolvers import BY_DNS, ResolverConfig
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits, NoResponse, Response
from hookbundle.tests.receivers import (
    OK,
    Script,
    answering,
    receiving,
)

LOOPBACK = AddressPolicy.parse(["127.0.0.0/8"])
LONG_LIMITS = AttemptLimits(connect_timeout_ms=2_000, total_timeout_ms=5_000)
SHORT_LIMITS = AttemptLimits(connect_timeout_ms=200, total_timeout_ms=200)
BODY = '{"text":"\N{SLIGHTLY SMILING FACE}"}'.encode()
HEAD = b"HTTP/1.1 200 OK\r\n"


class MovableTime:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@asynccontextmanager
async def calling(
    policy: AddressPolicy = LOOPBACK,
    limits: AttemptLimits = LONG_LIMITS,
    resolver: ResolverConfig | AbstractResolver = BY_DNS,
    now_s: Callable[[], float] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[GuardedClient]:
    client = GuardedClient(policy, limits, "hookbundle/test", resolver, now_s, tls)
    await client.open()
    try:
        yield client
    finally:
        await client.close()


async def result_of(script: Script, limits: AttemptLimits = LONG_LIMITS) -> Response | NoResponse:
    async with receiving(script) as receiver, calling(limits=limits) as client:
        return await client.post(receiver.url, BODY, {})


async def turn_the_loop(client: GuardedClient) -> None:
    """One exchange with another receiver: bytes that were on the wire before it have been read."""
    async with receiving(answering(OK)) as other:
        await client.post(other.url, b"", {})
