"""Look-ups of host names: whose fault a failure is, and who may have how many.

The name server is a real one on loopback. Nothing sleeps: a look-up that hangs ends by its limit,
a fifth of a second here, or because the test sets an event.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest
from aiohttp.abc import ResolveResult

from hookbundle.actors.outbound import look_ups, resolvers
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.outbound.connector import PROGRESS, RequestProgress
from hookbundle.actors.outbound.errors import LookUpError, LookUpTimeoutError
from hookbundle.actors.outbound.look_ups import LookUps
from hookbundle.actors.outbound.resolvers import DnsResolver, ResolverConfig, reachable
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, NoResponse, Response
from hookbundle.engine.fair_limit import FairLimit
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
from hookbundle.tests.receivers import OK, FixedResolver, Receiver, answering, receiving

HERE = Answer(("127.0.0.1",))
# A look-up that hangs ends after 0.8 s; nobody waits for longer than that here.
LIMITS = AttemptLimits(connect_timeout_ms=1_000, total_timeout_ms=10_000)
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
    ("answer", "error", "words"),
    [
        (Answer(rcode=NXDOMAIN), ErrorClass.DNS, "not found"),
        (Answer(rcode=SERVFAIL), ErrorClass.DNS, "name servers"),
        (Answer(rcode=REFUSED), ErrorClass.DNS, "name servers"),
        (Answer(), ErrorClass.DNS, "not found"),
        (Answer(alias="loop.example"), ErrorClass.DNS, "not found"),
        (Answer(alias="gone.example"), ErrorClass.DNS, "not found"),
        (HANGS, ErrorClass.TIMEOUT_CONNECT, "host name"),
        (Answer(raw=b"\x00"), ErrorClass.DNS, "name servers"),
        (Answer(raw=b""), ErrorClass.TIMEOUT_CONNECT, "host name"),
        (
            Answer(("127.0.0.1",), truncated=True, hangs=frozenset({"tcp"})),
            ErrorClass.TIMEOUT_CONNECT,
            "host name",
        ),
    ],
)
async def test_a_name_that_fails_is_an_error_of_the_receiver(
    answer: Answer, error: ErrorClass, words: str
) -> None:
    async with named() as (names, client, receiver):
        names["loop.example"] = answer

        failed = await client.post(hook(receiver, "loop.example"), BODY, {})

        assert isinstance(failed, NoResponse)
        assert (failed.error, failed.sent) == (error, False)
        assert words in failed.detail


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


async def test_the_hosts_file_is_read() -> None:
    async with named() as (names, client, receiver):
        result = await client.post(hook(receiver, "localhost"), BODY, {})

        assert isinstance(result, Response)
        assert names.asked == []


class MovableTime:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@asynccontextmanager
async def looking_up(
    names: NameServer, time: MovableTime, limit: int = 10
) -> AsyncIterator[LookUps]:
    resolver = DnsResolver(names.servers, lambda: 0.8)
    found = LookUps(resolver, FairLimit("look_ups", "look-ups", limit), lambda: 0.8, time)
    try:
        yield found
    finally:
        await found.close()


def addresses(found: list[ResolveResult]) -> set[str]:
    return {one["host"] for one in found}


async def by(owner: int, wanted: Awaitable[list[ResolveResult]]) -> list[ResolveResult]:
    PROGRESS.set(RequestProgress(owner))
    return await wanted


@pytest.mark.parametrize("failure", [Answer(rcode=NXDOMAIN), Answer(), Answer(rcode=SERVFAIL)])
async def test_a_name_that_failed_is_asked_for_again(failure: Answer) -> None:
    time = MovableTime()
    async with NameServer() as names, looking_up(names, time) as found:
        names["a.example"] = failure
        with pytest.raises(LookUpError):
            await by(1, found.resolve("a.example", 80))
        names["a.example"] = HERE

        assert addresses(await by(1, found.resolve("a.example", 80))) == {"127.0.0.1"}


async def test_a_name_that_moved_is_followed_as_soon_as_it_is_forgotten() -> None:
    time = MovableTime()
    async with NameServer() as names, looking_up(names, time) as found:
        names["a.example"] = HERE
        await by(1, found.resolve("a.example", 80))
        names["a.example"] = Answer(("127.0.0.9",))

        kept = await by(1, found.resolve("a.example", 81))
        time.now_s += look_ups.REMEMBERED_S
        moved = await by(1, found.resolve("a.example", 80))

        assert (addresses(kept), addresses(moved)) == ({"127.0.0.1"}, {"127.0.0.9"})
        assert kept[0]["port"] == 81


async def test_the_addresses_of_a_name_take_turns() -> None:
    time = MovableTime()
    found = LookUps(
        FixedResolver(["127.0.0.1", "127.0.0.2"]), FairLimit("l", "l", 9), lambda: 1.0, time
    )

    firsts = [(await by(1, found.resolve("a.example", 80)))[0]["host"] for _ in range(3)]

    assert firsts == ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
    await found.close()


class Told(FixedResolver):
    """Each look-up waits for its own future."""

    def __init__(self) -> None:
        super().__init__([])
        self.calls: list[asyncio.Future[None]] = []
        self.begun = asyncio.Condition()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.calls.append(mine)
        async with self.begun:
            self.begun.notify_all()
        await mine
        return await FixedResolver(["127.0.0.1"]).resolve(host, port)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20), self.begun:
            await self.begun.wait_for(lambda: len(self.calls) >= count)


@asynccontextmanager
async def told(limit: int = 10) -> AsyncIterator[tuple[LookUps, Told]]:
    resolver = Told()
    found = LookUps(resolver, FairLimit("l", "look-ups", limit), lambda: 20.0, MovableTime())
    try:
        yield found, resolver
    finally:
        await found.close()


def asking(found: LookUps, host: str, owner: int) -> "asyncio.Task[list[ResolveResult]]":
    return asyncio.ensure_future(by(owner, found.resolve(host, 80)))


async def test_whoever_asks_first_may_give_up_without_harm_to_the_others() -> None:
    async with told() as (found, resolver):
        first, second = asking(found, "a.example", 1), asking(found, "a.example", 2)
        await resolver.until(1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first

        resolver.calls[0].set_result(None)

        assert addresses(await second) == {"127.0.0.1"}
        assert len(resolver.calls) == 1


async def test_a_look_up_whose_time_was_up_does_not_end_that_of_a_later_asker() -> None:
    async with told() as (found, resolver):
        early = asking(found, "a.example", 1)
        await resolver.until(1)
        late = asking(found, "a.example", 2)
        await asyncio.sleep(0)

        resolver.calls[0].set_exception(LookUpTimeoutError())
        await resolver.until(2)
        resolver.calls[1].set_result(None)

        with pytest.raises(LookUpTimeoutError):
            await early
        assert addresses(await late) == {"127.0.0.1"}


async def test_a_workspace_with_its_share_is_refused_and_costs_others_nothing() -> None:
    async with told(limit=8) as (found, resolver):
        greedy = [asking(found, f"{n}.example", 1) for n in range(20)]
        await resolver.until(4)

        others = [asking(found, f"other{n}.example", 2 + n) for n in range(3)]
        await resolver.until(7)

        refused = [task for task in greedy if task.done()]
        assert len(refused) == 16
        for task in refused:
            error = task.exception()
            assert isinstance(error, LookUpError)
            assert (error.error, "workspace" in error.detail) == (ErrorClass.LOCAL, True)
        for call in resolver.calls:
            call.set_result(None)
        for task in others:
            assert addresses(await task) == {"127.0.0.1"}


async def test_one_who_is_refused_does_not_fail_another_who_asks_for_the_same_name() -> None:
    async with told(limit=2) as (found, resolver):
        asking(found, "slow.example", 1)
        await resolver.until(1)
        with pytest.raises(LookUpError):
            await by(1, found.resolve("common.example", 80))

        other = asking(found, "common.example", 2)
        await resolver.until(2)
        resolver.calls[1].set_result(None)

        assert addresses(await other) == {"127.0.0.1"}


async def test_a_look_up_that_nobody_waits_for_holds_its_share_until_it_has_ended() -> None:
    limit: FairLimit[int] = FairLimit("l", "look-ups", 1)
    resolver = Told()
    found = LookUps(resolver, limit, lambda: 0.0, MovableTime())
    with pytest.raises(LookUpTimeoutError):
        await by(1, found.resolve("a.example", 80))
    await resolver.until(1)
    with pytest.raises(LookUpError, match="this machine") as refused:
        await by(2, found.resolve("b.example", 80))

    resolver.calls[0].set_result(None)
    await asyncio.gather(*found._under_way.values())

    assert (refused.value.error, limit.used) == (ErrorClass.LOCAL, 0)
    await found.close()


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
        assert {one.error for one in refused if isinstance(one, NoResponse)} == {ErrorClass.LOCAL}
        for task in stuck:
            task.cancel()
        going_on.set()


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
