"""Webhooks that cost as much as they may: twenty of one workspace with filters of many words and
receivers of every bad sort; formats that take all there is, of time and of memory. All change."""

import asyncio
from collections.abc import Mapping
from functools import partial
from itertools import count, cycle
from typing import Any

from hookbundle.engine import limits
from hookbundle.tests.receivers import Wire
from hookbundle.tests.reliability.hostility.tenants.bodies import OneTenant
from hookbundle.tests.reliability.hostility.tenants.outbound import (
    named,
    never_answers,
    refuses,
    takes,
)
from hookbundle.tests.reliability.hostility.tenants.town import Scenario, Tenant, Town
from hookbundle.tests.reliability.hostility.tenants.wire import Line, array

WORDS = [f"word{number:03}" for number in range(limits.FILTER_WORDS_MAX)]
TEXT = "word what about Thursday " * 80 + WORDS[-1]  # 2 KiB, in which the last word is found last
TOO_LARGE = b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"
BATCH = 500
HELD = 20_000
WINDOWS = ("none", "1s", "24h")

LONG = "<&>" * 20_000
ESCAPED = "{{ m.text | html | escape | size }}"
# Each message of 60,000 letters: 400 times takes seconds, 8 times some tens of milliseconds.
TAKING_TIME = {"$each": "messages", "as": "m", "do": [ESCAPED] * 400}
TAKING_MEMORY = [[["{{ messages | json | json | json | json }}"]] * 100]
ALLOWED_BUT_SLOW = {"$each": "messages", "as": "m", "do": [ESCAPED] * 8}
PAUSE_S = 0.2


async def finds_it_too_large(wire: Wire) -> None:
    while await wire.request() is not None:
        await wire.send(TOO_LARGE)


class TwentyWebhooks(OneTenant):
    """A third of them sends each message alone, a third has windows of a second."""

    name = "20 webhooks of one tenant: floods, filters, hanging receivers, changes of all in loops"
    settings: Mapping[str, str] = {"DELIVERY__BACKOFF": "1s"}

    async def prepare(self, town: Town) -> None:
        urls = [
            (await town.receiver(script)).url
            for script in (never_answers, refuses, finds_it_too_large, takes)
        ]
        self.tenant = await town.tenant("hostile", urls[0])
        self.ids = [f"w{number}" for number in range(1, limits.WEBHOOKS_MAX - 2)]
        for number, webhook_id in enumerate(self.ids):
            settings = {
                "id": webhook_id,
                "url": urls[number % len(urls)],
                "aggregation": WINDOWS[number % len(WINDOWS)],
                "filter": {"text_contains": WORDS},
            }
            await town.ask("POST", "/v1/workspaces/hostile/webhooks", settings)
        self.last = {"id": "last", "url": urls[0], "aggregation": "none"}
        # What is merged, replayed and discarded meanwhile.
        held = {"id": "held", "url": urls[3], "aggregation": "24h", "enabled": False}
        await town.ask("POST", "/v1/workspaces/hostile/webhooks", held)
        await town.fill(self.tenant, town.sized(HELD), 40)

    async def attack(self, town: Town) -> None:
        await asyncio.gather(
            town.flood(4, lambda: self.tenant.post(town.fresh("single", TEXT))),
            town.flood(2, partial(self._batch, town, 1)),
            town.flood(2, partial(self._batch, town, BATCH)),
            town.flood(4, partial(next, cycle(self._changes()))),
            town.flood(2, partial(next, cycle(self._tried()))),
            town.flood(1, partial(next, cycle(self._lives()))),
        )

    def _batch(self, town: Town, chats: int) -> bytes:
        batch = [town.fresh(f"batch{number % chats}", TEXT) for number in range(BATCH)]
        return self.tenant.post(array(batch))

    def _changes(self) -> list[bytes]:
        """Each webhook is paced, enabled, merged, given other windows, and no longer paced."""
        asks = []
        for turn, webhook_id in enumerate([*self.ids, "held"]):
            at, window = f"/webhooks/{webhook_id}", WINDOWS[turn % len(WINDOWS)]
            asks += [
                self._ask("PATCH", at, {"rate": "100/10s", "budget": "1000/day"}),
                self._ask("POST", f"{at}/enable", {}),
                self._ask("POST", f"{at}/disable", {}),
                self._ask("PATCH", at, {"aggregation": "24h"}),
                self._ask("POST", f"{at}/merge", {}),
                self._ask("POST", "/replay", {"webhook": webhook_id, "dry_run": False}),
                self._ask("PATCH", at, {"aggregation": window, "rate": None, "budget": None}),
                self._ask("POST", f"{at}/enable", {}),
            ]
        return asks

    def _tried(self) -> list[bytes]:
        asked = {"filter": {"text_contains": WORDS}, "last": 1_000}
        return [self._ask("POST", f"/webhooks/{each}/filter-test", asked) for each in self.ids]

    def _lives(self) -> list[bytes]:
        """The twentieth is made, gets a batch, and is deleted with it."""
        return [
            self._ask("POST", "/webhooks", self.last),
            self._ask("DELETE", "/webhooks/last"),
        ]

    def _ask(self, method: str, what: str, document: Any = None) -> bytes:
        return self.tenant.ask(method, what, document)


class HostileFormats(Scenario):
    """Each begins anew with another format, as soon as its rendering rests. The healthy have a
    format too, which names the messages that the bystander looks for."""

    name = "40 tenants with formats that never end, fill memory or are slow, changed in loops"
    format: Mapping[str, object] | None = {
        "template": {
            "$each": "messages",
            "as": "m",
            "do": {"message_id": "{{ m.message_id }}", "text": "{{ m.text | html }}"},
        }
    }
    grown_mib_max = 250
    tenants: list[Tenant]

    async def prepare(self, town: Town) -> None:
        url = (await town.receiver(takes)).url
        self.tenants = [
            await town.tenant(name, url, aggregation="none") for name in named(town.sized(40))
        ]

    async def attack(self, town: Town) -> None:
        each = (TAKING_TIME, TAKING_MEMORY, ALLOWED_BUT_SLOW)
        await asyncio.gather(
            *(
                self._misuse(town, tenant, each[number % len(each)])
                for number, tenant in enumerate(self.tenants)
            )
        )

    async def _misuse(self, town: Town, tenant: Tenant, template: Any) -> None:
        for turn in count():
            written = {"template": {"turn": str(turn), "of": template}}
            asks = [
                tenant.ask("PATCH", "", {"webhook": {"format": written}}),
                *(tenant.post(town.fresh(f"c{one}", LONG)) for one in range(3)),
                tenant.ask("POST", "/webhooks/outbound/format-test", {"format": written}),
            ]
            line = await Line.open(town.address)
            for ask in asks:
                town.heard(await line.ask(ask))
            line.close()
            await asyncio.sleep(PAUSE_S)


SCENARIOS: tuple[type[Scenario], ...] = (TwentyWebhooks, HostileFormats)
