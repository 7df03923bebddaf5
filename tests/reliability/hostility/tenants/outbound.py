"""Receivers, mail servers and names that take as long as they are let."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial

from hookbundle.tests.receivers import OK, Receiver, Script, Wire, receiving
from hookbundle.tests.reliability.hostility.tenants.town import Scenario, Tenant, Town

FEW_SLOTS = {"DELIVERY__IN_FLIGHT_MAX": "20", "DELIVERY__BACKOFF": "1s"}
AT_ONCE_FAILING = {"DELIVERY__BACKOFF": "1ms"}
REFUSAL = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"


async def never_answers(wire: Wire) -> None:
    await wire.until_closed()


def answers_after(seconds: float) -> Script:
    async def answers(wire: Wire) -> None:
        while await wire.request() is not None:
            await asyncio.sleep(seconds)
            await wire.send(OK)

    return answers


async def says_that_it_works_on_it(wire: Wire) -> None:
    await wire.request()
    while True:
        await wire.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(1)


async def drips(wire: Wire) -> None:
    """A head that goes on, a byte a second."""
    await wire.request()
    await wire.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await asyncio.sleep(1)
        await wire.send(b"x")


async def drips_a_body(wire: Wire) -> None:
    """The status at once, the rest never: it may only end by the limit of the attempt."""
    await wire.request()
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        await asyncio.sleep(1)
        await wire.send(b"x")


async def refuses(wire: Wire) -> None:
    while await wire.request() is not None:
        await wire.send(REFUSAL)


async def takes(wire: Wire) -> None:
    while await wire.request() is not None:
        await wire.send(OK)


def named(number: int) -> list[str]:
    return [f"hostile{one}" for one in range(number)]


class SilentMailServer(Scenario):
    name = "1,100 mails due, and a mail server that says nothing"
    settings = AT_ONCE_FAILING
    failing: Receiver

    async def open(self, peers: AsyncExitStack) -> Mapping[str, str]:
        silent = await peers.enter_async_context(receiving(never_answers))
        return {
            "SMTP__HOST": "127.0.0.1",
            "SMTP__PORT": str(silent.port),
            "SMTP__SECURITY": "none",
        }

    async def prepare(self, town: Town) -> None:
        receiver = await town.receiver(refuses)
        names = named(town.sized(1_100))
        await town.workspaces(names, lambda name: receiver.url)
        await town.deliver_for(names)
        while (await town.ask("GET", "/v1/status"))["mails"] < len(names):
            await asyncio.sleep(0.2)

    async def attack(self, town: Town) -> None:
        town.begun.set()
        await asyncio.Event().wait()


class HangingNames(Scenario):
    """The healthy webhook has a name too, which the same name server answers at once."""

    name = "200 webhooks whose name server never answers"
    settings: Mapping[str, str] = {"DELIVERY__BACKOFF": "1s"}
    needs_names = True
    number = 200

    async def attack(self, town: Town) -> None:
        names = named(town.sized(self.number))
        await town.workspaces(names, lambda name: f"http://{name}.hangs.test/hook")
        await town.deliver_for(names)
        town.begun.set()
        await asyncio.Event().wait()


class FewHangingNames(HangingNames):
    name = "40 webhooks whose name server never answers"
    number = 40


class HangingNamesOfOne(Scenario):
    """Not one webhook after another, but look-ups that a tenant asks for by itself."""

    name = "test requests to names that never answer, by one tenant"
    settings: Mapping[str, str] = {"DELIVERY__BACKOFF": "1s"}
    needs_names = True
    tenant: Tenant

    async def prepare(self, town: Town) -> None:
        self.tenant = await town.tenant("hostile", url="http://here.hangs.test/hook")

    async def attack(self, town: Town) -> None:
        ask = self.tenant.ask("POST", "/webhook/test")
        town.begun.set()
        await town.flood(100, lambda: ask, 0.1)


class HeldSlots(Scenario):
    """`behave` is how the receivers of 60 tenants behave, with 20 slots."""

    name = "all slots held by receivers that never answer"
    settings = FEW_SLOTS
    behave: Callable[[Wire], Awaitable[None]] = staticmethod(never_answers)

    async def attack(self, town: Town) -> None:
        receiver = await town.receiver(self.behave)
        names = named(town.sized(60))
        await town.workspaces(names, lambda name: receiver.url)
        await town.deliver_for(names, 20)
        town.begun.set()
        await asyncio.Event().wait()


class SlowAnswers(HeldSlots):
    """None of them is an error, so nobody is told, and nothing ends."""

    name = "all slots held by receivers that answer 200 after 14 s"
    behave = staticmethod(answers_after(14))


class LateAnswers(HeldSlots):
    """Each too short to be slow, and together for as long as the slots can be held."""

    name = "all slots held by receivers that answer 200 after 2.9 s"
    behave = staticmethod(answers_after(2.9))


class InterimAnswers(HeldSlots):
    name = "all slots held by a 102 a second, without end"
    behave = staticmethod(says_that_it_works_on_it)


class DrippingHeads(HeldSlots):
    name = "all slots held by answers of a byte a second"
    behave = staticmethod(drips)


class DrippingBodies(HeldSlots):
    name = "all slots held by a 200 whose body never ends"
    behave = staticmethod(drips_a_body)


class QuickFailures(Scenario):
    """Each is enabled again by its owner as soon as it is disabled."""

    name = "30 webhooks that fail at once, enabled again and again"
    settings = AT_ONCE_FAILING
    tenants: list[Tenant]

    async def prepare(self, town: Town) -> None:
        receiver = await town.receiver(refuses)
        self.tenants = [
            await town.tenant(one, receiver.url, aggregation="none")
            for one in named(town.sized(30))
        ]
        await town.deliver_for([tenant.name for tenant in self.tenants], 20)

    async def attack(self, town: Town) -> None:
        asks = [tenant.ask("POST", "/webhook/enable") for tenant in self.tenants]
        await asyncio.gather(*(town.flood(1, partial(bytes, ask), 0.2) for ask in asks))


SCENARIOS: tuple[type[Scenario], ...] = (
    SilentMailServer,
    HangingNames,
    FewHangingNames,
    HangingNamesOfOne,
    HeldSlots,
    SlowAnswers,
    LateAnswers,
    InterimAnswers,
    DrippingHeads,
    DrippingBodies,
    QuickFailures,
)
