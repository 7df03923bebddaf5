"""Work that grows with what a tenant has: deletions, discards, flushes, large windows."""

import asyncio
from collections.abc import Iterator
from itertools import cycle

from hookbundle.tests.reliability.hostility.tenants.bodies import OneTenant, Repeated
from hookbundle.tests.reliability.hostility.tenants.outbound import takes
from hookbundle.tests.reliability.hostility.tenants.town import Scenario, Tenant, Town
from hookbundle.tests.reliability.hostility.tenants.wire import array, path_of


class Held(OneTenant):
    """A tenant whose webhook is disabled, with so many deliveries in so many chats."""

    deliveries = 20_000
    chats = 400

    async def prepare(self, town: Town) -> None:
        self.tenant = await town.tenant("hostile", aggregation="none", enabled=False)
        await town.fill(self.tenant, town.sized(self.deliveries), self.chats)


class DeletedChats(Held):
    name = "400 chats deleted with 20,000 deliveries held"

    async def attack(self, town: Town) -> None:
        deletions = [self.tenant.ask("DELETE", f"/chats/c{one}") for one in range(self.chats)]
        await asyncio.gather(*map(town.once, deletions))


class DiscardedQueue(Held):
    name = "enabled with discard, 100,000 deliveries held"
    deliveries = 99_000

    async def attack(self, town: Town) -> None:
        await town.once(self.tenant.ask("POST", "/webhook/enable", {"discard": True}))


class DeletedWorkspace(Held):
    name = "a workspace deleted with 100,000 deliveries held"
    deliveries = 99_000

    async def attack(self, town: Town) -> None:
        """By the operator: a tenant may not."""
        deletion = town.ask("DELETE", path_of(self.tenant.name))
        town.begun.set()
        await deletion
        town.answers["200"] += 1


class SwitchedOnAndOff(Held):
    name = "a webhook enabled and disabled in a loop, 20,000 deliveries held"

    async def attack(self, town: Town) -> None:
        switches = cycle(self.tenant.ask("POST", f"/webhook/{way}") for way in SWITCH)
        await town.flood(4, lambda: next(switches))


class ManyIds(OneTenant):
    name = "one chat that has seen 100,000 ids, and gets more"

    async def prepare(self, town: Town) -> None:
        self.tenant = await town.tenant("hostile", aggregation="24h")
        await town.fill(self.tenant, town.sized(100_000), 1)

    async def attack(self, town: Town) -> None:
        await town.flood(8, lambda: self.tenant.post(town.fresh("c0")))


class Windows(OneTenant):
    """100,000 open windows of a day."""

    number = 100_000

    async def prepare(self, town: Town) -> None:
        receiver = await town.receiver(takes)
        self.tenant = await town.tenant("hostile", receiver.url)
        number = town.sized(self.number)
        await town.fill(self.tenant, number, number)


class AllWindowsFlushed(Windows):
    name = "100,000 windows of one tenant flushed at once"

    async def attack(self, town: Town) -> None:
        await town.once(self.tenant.ask("POST", "/chats/flush"))


class AllWindowsDue(Windows):
    name = "100,000 windows of one tenant sealed by a change of its settings"

    async def attack(self, town: Town) -> None:
        await town.once(self.tenant.ask("PATCH", "", {"webhook": {"aggregation": "none"}}))


class ShortWindows(Repeated):
    name = "windows of a second by the thousand"
    workers = 2

    async def prepare(self, town: Town) -> None:
        receiver = await town.receiver(takes)
        self.tenant = await town.tenant("hostile", receiver.url, aggregation="1s")
        self.requests = (
            self.tenant.post(array([town.fresh(f"n{turn}-{one}") for one in range(500)]))
            for turn, _ in enumerate(cycle("x"))
        )

    async def attack(self, town: Town) -> None:
        await town.flood(self.workers, lambda: next(self.requests), 0.2)


class ManyRequests(Scenario):
    """All that a tenant may ask for with its own token, on 16 connections."""

    name = "deletions, retries, flushes and changes by a tenant, without end"
    asks: Iterator[bytes]

    async def prepare(self, town: Town) -> None:
        receiver = await town.receiver(takes)
        tenant = await town.tenant("hostile", receiver.url)
        await town.fill(tenant, town.sized(5_000), 500)
        self.asks = cycle(
            (
                tenant.ask("DELETE", "/chats/c1"),
                tenant.ask("POST", "/deliveries/retry"),
                tenant.ask("POST", "/chats/flush"),
                tenant.ask("PATCH", "", {"name": "Other"}),
                tenant.post(town.fresh("c1")),
                tenant.ask("POST", "/webhook/rotate-secret"),
            )
        )

    async def attack(self, town: Town) -> None:
        await town.flood(16, lambda: next(self.asks))


class NewChats(Scenario):
    """Each message wakes a chat that nobody has heard of, and that nobody will hear of again."""

    name = "single messages of new chats, as fast as four connections send them"
    tenant: Tenant

    async def prepare(self, town: Town) -> None:
        self.tenant = await town.tenant("hostile")

    async def attack(self, town: Town) -> None:
        await town.flood(4, lambda: self.tenant.post(town.fresh(f"n{next(town.numbers)}")))


SWITCH = ("enable", "disable")

SCENARIOS: tuple[type[Scenario], ...] = (
    DeletedChats,
    DiscardedQueue,
    DeletedWorkspace,
    SwitchedOnAndOff,
    ManyIds,
    AllWindowsFlushed,
    AllWindowsDue,
    ShortWindows,
    ManyRequests,
    NewChats,
)
