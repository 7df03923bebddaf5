"""What a tenant asks of its own past, again and again: histories, lost messages, replays."""

import asyncio
import json
from itertools import cycle

from hookbundle.tests.reliability.hostility.tenants.bodies import OneTenant
from hookbundle.tests.reliability.hostility.tenants.outbound import takes
from hookbundle.tests.reliability.hostility.tenants.town import Scenario, Town

READERS = 50
BUNDLE = 1_000  # messages; the window is sealed with the last of them


class LargeBundles(OneTenant):
    """A chat with bundles of a megabyte, which nobody takes."""

    path = ""

    async def prepare(self, town: Town) -> None:
        self.tenant = await town.tenant("hostile", enabled=False)
        await town.fill(self.tenant, town.sized(40) * BUNDLE, 1, text="x" * 600)

    async def attack(self, town: Town) -> None:
        ask = self.tenant.ask("GET", self.path)
        await town.flood(READERS, lambda: ask)


class LargeHistories(LargeBundles):
    name = "a chat's history of 40 MB, read on fifty connections"
    path = "/chats/c0/history?limit=1000"


class LostMessages(LargeBundles):
    name = "a message that never came, looked for in 40 MB on fifty connections"
    path = "/messages/never?chat=c0"


class Replays(OneTenant):
    """Each is cancelled as soon as it has begun."""

    name = "replays of 20,000 deliveries, begun and cancelled in a loop"

    async def prepare(self, town: Town) -> None:
        receiver = await town.receiver(takes)
        self.tenant = await town.tenant("hostile", receiver.url, aggregation="none")
        await town.fill(self.tenant, town.sized(20_000), 400)
        await town.until("hostile", lambda shown: not shown["counts"]["queued"])

    async def attack(self, town: Town) -> None:
        await asyncio.gather(*(self._begin_and_cancel(town) for _ in range(4)))

    async def _begin_and_cancel(self, town: Town) -> None:
        for states in cycle((["delivered"], ["dead_letter", "delivered"])):
            asked = {"states": states, "dry_run": False}
            began = await town.once(self.tenant.ask("POST", "/replay", asked))
            if began is not None and began.status == 202:
                job = json.loads(began.body)["job"]
                await town.once(self.tenant.ask("DELETE", f"/replay/{job}"))


SCENARIOS: tuple[type[Scenario], ...] = (LargeHistories, LostMessages, Replays)
