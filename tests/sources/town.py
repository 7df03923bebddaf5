"""Six systems, each of a workspace of its own, that post to one daemon."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api
from hookbundle.tests.server.http.resources.sources.posting import make
from hookbundle.tests.sources.letters import LETTERS, SECRETS, Letter
from hookbundle.tests.sources.senders import HABITS, NO_ANSWER, ONCE, Sender

PHONES = tuple(f"1555010{number:04}" for number in range(4))


def wall_s() -> int:
    return int(time.time())


@dataclass(slots=True)
class Town:
    """`sent`: the ids of all messages, by kind."""

    receiver: HookReceiver
    senders: dict[str, Sender] = field(default_factory=dict)
    sent: dict[str, set[str]] = field(default_factory=dict)
    _letters: int = 0

    async def begins(self, api: Api, signing_time_s: Callable[[], int] = wall_s) -> None:
        for kind in HABITS:
            await api.make(kind, self.receiver, kind, aggregation="24h")
            source = await make(api, kind, kind, **SECRETS[kind])
            self.senders[kind] = Sender(kind, source.token, signing_time_s)
            self.sent[kind] = set()
        self.lives(api)

    def lives(self, api: Api) -> None:
        """From now on they post to this daemon, at the address that they know."""
        for sender in self.senders.values():
            sender.session = api.session

    def send(self, letters: int) -> None:
        """So many more of each system, to be posted as soon as its time goes on."""
        for number in range(self._letters, self._letters + letters):
            for kind, sender in self.senders.items():
                phone = PHONES[number % len(PHONES)]
                letter: Letter = LETTERS[kind](number, phone, f"{kind} {number}")
                sender.send(letter)
                self.sent[kind].update(letter.ids)
        self._letters += letters

    async def go_on(self, seconds: float) -> None:
        await asyncio.gather(*(each.until(each.now_s + seconds) for each in self._all()))

    async def drained(self) -> None:
        await asyncio.gather(*(each.drained() for each in self._all()))

    def waits(self, seconds: float) -> None:
        for each in self.senders.values():
            each.waits(seconds)

    def answered(self) -> int:
        return sum(status != NO_ANSWER for each in self._all() for status in each.statuses)

    async def flushed(self, api: Api) -> None:
        """What was taken so far is on its way, in bundles."""
        for kind in self.senders:
            answer = await api.ask("POST", f"/v1/workspaces/{kind}/chats/flush")
            assert answer.status in (200, 202), answer

    async def delivered(self, api: Api) -> None:
        sealed = (await api.get("/v1/status"))["totals"]["sealed"]
        while len({post.id for post in self.receiver.posts}) < sealed:
            await self.receiver.until(len(self.receiver.posts) + 1)

    def judged(self) -> None:
        """Nothing is lost that its sender still had or was told is taken; nothing is there twice,
        and nothing that was never sent."""
        for kind, sender in self.senders.items():
            bundles = {post.id: post.message_ids for post in self.receiver.at(kind)}
            found = Counter(each for ids in bundles.values() for each in ids)
            assert sender.is_done, kind
            assert [each for each, times in found.items() if times > 1] == [], kind
            assert sender.taken <= set(found) <= self.sent[kind], kind
            assert sender.taken | sender.lost == self.sent[kind], kind
            if kind not in ONCE:
                assert sender.lost == set(), kind

    def _all(self) -> list[Sender]:
        """In another order each time, so that none is always the first."""
        senders = list(self.senders.values())
        random.Random(len(senders[0].statuses)).shuffle(senders)
        return senders
