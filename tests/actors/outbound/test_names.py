"""Deliveries to receivers whose names are slow, wrong or gone: whose fault that is, and who pays.

The name server is a real one on loopback. Nothing sleeps: a look-up that hangs ends by its limit,
0.8 s here, or never as long as the test runs.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.abc import ResolveResult

from hookbundle.actors.outbound import resolvers
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.outbound.resolvers import (
    ADDRESSES_MAX,
    DnsResolver,
    ResolverConfig,
    few,
    reachable,
)
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, NoResponse, Response
from hookbundle.tests.actors.outbound.calling import BODY, calling
from hookbundle.tests.name_server import (
    AAAA,
    HANGS,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    Answer,
    NameServer,
)
from hookbundle.tests.receivers import OK, Receiver, answering, receiving

HERE = Answer(("127.0.0.1",))
# A look-up that hangs ends after 0.8 s; nobody waits for longer than that here.
LIMITS = AttemptLimits(connect_timeout_ms=1_000, total_timeout_ms=10_000)
CLOSED_PORT = 8_099  # of addresses where nothing listens at all
PATIENT = AttemptLimits(connect_timeout_ms=60_000, total_timeout_ms=60_000)


@asynccontextmanager
async def named(
    limits: AttemptLimits = LIMITS,
) -> AsyncIterator[tuple[NameServer, GuardedClient, Receiver]]:
    async with (
        NameServer() as names,
        receiving(answering(OK)) as receiver,
        calling(limits=limits, resolver=ResolverConfig("dns", names.servers)) as client,
    ):
        names["*.sound.example"] = HERE
        names["*.hangs.example"] = HANGS
        yield names, client, receiver


def hook(receiver: Receiver, host: str) -> str:
    return f"http://{host}:{receiver.port}/hook"


@pytest.mark.parametrize("hanging", [40, 200])
async def test_names_that_hang_cost_no_other_workspace_an_error(hanging: int) -> None:
    async with named(PATIENT) as (names, client, receiver):
        stuck = [
            asyncio.ensure_future(
                client.post(hook(receiver, f"h{n}.hangs.example"), BODY, {}, owner=n)
            )
            for n in range(hanging)
        ]
        await names.until_asked(hanging, ".hangs.example")

        results = [
            await client.post(hook(receiver, f"s{n}.sound.example"), BODY, {}, owner=1_000 + n)
            for n in range(20)
        ]

        assert {type(result) for result in results} == {Response}
        assert not any(task.done() for task in stuck)
        for task in stuck:
            task.cancel()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(rcode=NXDOMAIN), "not found"),
        (Answer(rcode=SERVFAIL), "name servers"),
        (Answer(rcode=REFUSED), "name servers"),
        (Answer(), "not found"),
        (Answer(alias="loop.example"), "not found"),
        (Answer(alias="gone.example"), "not found"),
        (Answer(raw=b"\x00"), "name servers"),
    ],
)
async def test_a_name_that_is_refused_is_an_error_of_the_receiver(
    answer: Answer, words: str
) -> None:
    async with named(PATIENT) as (names, client, receiver):
        names["loop.example"] = answer

        failed = await client.post(hook(receiver, "loop.example"), BODY, {})

        assert isinstance(failed, NoResponse)
        assert (failed.error, failed.sent) == (ErrorClass.DNS, False)
        assert words in failed.detail


@pytest.mark.parametrize(
    "answer",
    [
        HANGS,
        Answer(raw=b""),
        Answer(("127.0.0.1",), truncated=True, hangs=frozenset({"tcp"})),
    ],
)
async def test_a_name_that_is_never_answered_is_an_error_of_the_receiver(answer: Answer) -> None:
    async with named() as (names, client, receiver):
        names["loop.example"] = answer

        failed = await client.post(hook(receiver, "loop.example"), BODY, {})

        assert isinstance(failed, NoResponse)
        assert (failed.error, failed.sent) == (ErrorClass.TIMEOUT_CONNECT, False)
        assert "host name" in failed.detail


async def test_a_name_server_that_is_not_there_is_no_error_of_the_receiver() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:  # a port where nobody answers
        taken.bind(("127.0.0.1", 0))
        servers = (f"127.0.0.1:{taken.getsockname()[1]}",)
        taken.close()
        async with calling(resolver=ResolverConfig("dns", servers)) as client:
            failed = await client.post("http://receiver.example/", BODY, {})

    assert isinstance(failed, NoResponse)
    assert (failed.error, failed.sent) == (ErrorClass.LOCAL, False)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(("127.0.0.1",), hangs=frozenset({AAAA})),
        Answer(("127.0.0.1",), truncated=True),
        Answer(("127.0.0.1", "::1")),
        Answer(alias="a.sound.example"),
    ],
)
async def test_a_name_with_one_address_that_works_is_reached(answer: Answer) -> None:
    async with named(AttemptLimits(connect_timeout_ms=3_000)) as (names, client, receiver):
        names["receiver.example"] = answer

        result = await client.post(hook(receiver, "receiver.example"), BODY, {})

        assert isinstance(result, Response)


async def test_an_answer_that_is_no_answer_fails_no_other_look_up() -> None:
    async with named(PATIENT) as (names, client, receiver):
        going_on = asyncio.Event()
        names["slow.example"] = Answer(("127.0.0.1",), after=going_on)
        names["*.broken.example"] = Answer(raw=b"\x00")
        slow = asyncio.ensure_future(client.post(hook(receiver, "slow.example"), BODY, {}, owner=1))
        await names.until_asked(1, "slow.example")

        for n in range(4):
            await client.post(hook(receiver, f"b{n}.broken.example"), BODY, {}, owner=2)
        going_on.set()

        assert isinstance(await slow, Response)


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.1.2.3"])
async def test_an_inner_address_that_a_name_server_gives_is_not_called(ip: str) -> None:
    async with (
        NameServer() as names,
        receiving(answering(OK)) as canary,
        calling(AddressPolicy(), resolver=ResolverConfig("dns", names.servers)) as client,
    ):
        names["inside.example"] = Answer((ip,))

        failed = await client.post(hook(canary, "inside.example"), BODY, {})

        assert isinstance(failed, NoResponse)
        assert (failed.error, failed.sent) == (ErrorClass.FORBIDDEN_ADDRESS, False)
        assert ip not in failed.detail
        assert canary.connections == 0


async def test_the_hosts_file_is_read() -> None:
    async with named() as (names, client, receiver):
        result = await client.post(hook(receiver, "localhost"), BODY, {})

        assert isinstance(result, Response)
        assert names.asked == []


async def test_threads_of_the_system_s_resolver_are_shared_fairly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """40 names of one workspace hang, and another workspace's look-up has a thread at once."""
    system = socket.getaddrinfo
    loop = asyncio.get_running_loop()
    going_on = asyncio.Event()

    def hang(host: str, *more: object, **options: object) -> object:
        if not host.endswith(".hangs.example"):
            return system("127.0.0.1", 80, type=socket.SOCK_STREAM)
        return asyncio.run_coroutine_threadsafe(going_on.wait(), loop).result(20)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    async with (
        receiving(answering(OK)) as receiver,
        calling(limits=PATIENT, resolver=ResolverConfig("system")) as client,
    ):
        stuck = [
            asyncio.ensure_future(
                client.post(hook(receiver, f"h{n}.hangs.example"), BODY, {}, owner=1)
            )
            for n in range(40)
        ]
        result = await client.post(hook(receiver, "a.sound.example"), BODY, {}, owner=2)

        assert isinstance(result, Response)
        held = client.look_ups_limit.held(1)
        refused = [task.result() for task in stuck if task.done()]
        assert resolvers.SYSTEM_THREADS // 3 < held < resolvers.SYSTEM_THREADS
        assert len(refused) == 40 - held
        assert {one.error for one in refused if isinstance(one, NoResponse)} == {ErrorClass.DNS}
        for task in stuck:
            task.cancel()
        going_on.set()


async def test_of_a_name_with_thousands_of_addresses_a_few_are_tried() -> None:
    """Each costs a socket and a millisecond, and the name server decides how many."""
    async with named(PATIENT) as (names, client, _):
        many = [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(2_000)]
        names["many.example"] = Answer((*many, "127.0.0.1"), truncated=True)

        found = await DnsResolver(names.servers, lambda: 60.0).resolve("many.example")
        failed = await client.post(f"http://many.example:{CLOSED_PORT}/", BODY, {})

    assert len(found) == ADDRESSES_MAX
    assert isinstance(failed, NoResponse)
    assert failed.error == ErrorClass.CONNECT_REFUSED


def test_of_each_family_some_are_kept() -> None:
    addresses = [(socket.AF_INET, n) for n in range(50)] + [(socket.AF_INET6, 1)]

    kept = few(addresses, lambda one: one[0])

    assert kept == [*addresses[:ADDRESSES_MAX], (socket.AF_INET6, 1)]


def test_addresses_without_a_route_are_left_out_if_others_have_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    four, six = (
        ResolveResult(hostname="a", host=ip, port=80, family=family, proto=6, flags=0)
        for ip, family in (("127.0.0.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
    )
    monkeypatch.setattr(resolvers, "_has_route", lambda one: one["family"] == socket.AF_INET)

    assert reachable([six, four]) == [four]
    assert reachable([six]) == [six]
