"""Look-ups of host names: what is remembered, what is shared, and who may have how many."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest
from aiohttp.abc import ResolveResult

from hookbundle.actors.outbound import look_ups
from hookbundle.actors.outbound.connector import PROGRESS, RequestProgress
from hookbundle.actors.outbound.errors import LookUpError, LookUpTimeoutError
from hookbundle.actors.outbound.look_ups import LookUps
from hookbundle.actors.outbound.resolvers import DnsResolver
from hookbundle.engine.delivery.outcomes import ErrorClass
from hookbundle.engine.error_codes import Term
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.tests.actors.outbound.calling import MovableTime
from hookbundle.tests.name_server import NXDOMAIN, SERVFAIL, Answer, NameServer
from hookbundle.tests.receivers import FixedResolver

HERE = Answer(("127.0.0.1",))


@asynccontextmanager
async def looking_up(
    names: NameServer, time: MovableTime, limit: int = 10
) -> AsyncIterator[LookUps]:
    resolver = DnsResolver(names.servers, lambda: 0.8)
    found = LookUps(resolver, FairLimit("look_ups", Term.CONNECTIONS, limit), lambda: 0.8, time)
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
        FixedResolver(["127.0.0.1", "127.0.0.2"]),
        FairLimit("l", Term.CONNECTIONS, 9),
        lambda: 1.0,
        time,
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
    found = LookUps(resolver, FairLimit("l", Term.CONNECTIONS, limit), lambda: 20.0, MovableTime())
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
            assert (error.error, "workspace" in error.detail) == (ErrorClass.DNS, True)
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
    limit: FairLimit[int] = FairLimit("l", Term.CONNECTIONS, 1)
    resolver = Told()
    found = LookUps(resolver, limit, lambda: 0.0, MovableTime())
    with pytest.raises(LookUpTimeoutError):
        await by(1, found.resolve("a.example", 80))
    await resolver.until(1)
    with pytest.raises(LookUpError, match="this machine") as refused:
        await by(2, found.resolve("b.example", 80))

    resolver.calls[0].set_result(None)
    await asyncio.gather(*found._under_way.values())

    assert (refused.value.error, limit.used) == (ErrorClass.LOOK_UPS_FULL, 0)
    await found.close()
