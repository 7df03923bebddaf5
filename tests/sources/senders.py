"""Stand-ins for the systems that post to sources: each sends again when, and as often as, that one
does by its documents, in a time of its own that a test moves.

    sender = Sender("waha", session, token)
    sender.send(letter)
    await sender.until(10.0)      # ten of its seconds: what is due by then is posted
    sender.taken, sender.lost

What is due at one moment is posted at once, in any order: none of them waits for an answer before
the next event.
"""

import asyncio
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from hookbundle.tests.sources.letters import Letter, headers_of

NO_ANSWER = 0
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Habit:
    """`tries`: requests for one letter. `delay_s`: after so many that failed. `final`: statuses
    after which it is never sent again. `exactly_200`: else any 2xx is a success. `timeout_s`: how
    long it waits for an answer; None: as long as it takes."""

    tries: int
    delay_s: Callable[[int, random.Random], float] = lambda failed, rng: 0.0
    final: frozenset[int] = frozenset()
    exactly_200: bool = False
    timeout_s: float | None = None


EVOLUTION_S = (5, 10, 20, 40, 80, 160, 300, 300, 300)


def _evolution_s(failed: int, rng: random.Random) -> float:
    return EVOLUTION_S[failed - 1] * rng.uniform(0.8, 1.2)


def _meta_s(failed: int, rng: random.Random) -> float:
    """It says "with growing gaps, up to seven days"."""
    return min(30.0 * float(2**failed), DAY_S / 2)


HABITS = {
    "waha": Habit(15, lambda failed, rng: 2.0),
    "evolution": Habit(
        10, _evolution_s, final=frozenset({400, 401, 403, 404, 422}), timeout_s=30.0
    ),
    "meta": Habit(25, _meta_s, exactly_200=True, timeout_s=10.0),
    "chatwoot": Habit(1, timeout_s=5.0),
    "timelinesai": Habit(1, timeout_s=5.0),
    "twilio": Habit(1, timeout_s=15.0),
}
ONCE = tuple(kind for kind, habit in HABITS.items() if habit.tries == 1)


@dataclass(slots=True)
class Sender:
    """`taken`: ids of what was answered with success; `lost`: of what it gave up.

    `statuses`: of all answers, NO_ANSWER where none came. `when_s`: of each request.
    """

    kind: str
    token: str
    signing_time_s: Callable[[], int]
    session: aiohttp.ClientSession | None = None
    at: str = ""  # where it posts instead
    taken: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    statuses: list[int] = field(default_factory=list)
    when_s: list[float] = field(default_factory=list)
    now_s: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(17))
    _due: list[tuple[float, int, int, Letter]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)
    _under_way: dict[asyncio.Task[int], float] = field(default_factory=dict)

    @property
    def habit(self) -> Habit:
        return HABITS[self.kind]

    @property
    def is_done(self) -> bool:
        return not self._due

    def send(self, letter: Letter) -> None:
        self._later(self.now_s, 0, letter)

    async def until(self, end_s: float) -> None:
        """Its time goes on; what is due by then has been posted, and was answered or not."""
        while self._due and self._due[0][0] <= end_s:
            at_s = self.now_s = max(self.now_s, self._due[0][0])
            batch = []
            while self._due and self._due[0][0] <= at_s:
                _, _, failed, letter = heapq.heappop(self._due)
                batch.append(self._one(letter, failed))
            await asyncio.gather(*batch)
        self.now_s = max(self.now_s, end_s)

    async def drained(self) -> None:
        while self._due:
            await self.until(self._due[0][0])

    def waits(self, for_s: float) -> None:
        """So much time goes by while answers are waited for; who does not wait so long hangs up."""
        for task, since_s in list(self._under_way.items()):
            limit_s = self.habit.timeout_s
            if limit_s is not None and self.now_s + for_s - since_s >= limit_s:
                task.cancel()
        self.now_s += for_s

    async def _one(self, letter: Letter, failed: int) -> None:
        task = asyncio.ensure_future(self._post(letter))
        self._under_way[task] = self.now_s
        await asyncio.wait([task])
        del self._under_way[task]
        status = NO_ANSWER if task.cancelled() else task.result()
        self.statuses.append(status)
        habit = self.habit
        if status == 200 or (not habit.exactly_200 and 200 <= status < 300):
            self.taken.update(letter.ids)
        elif status in habit.final or failed + 1 >= habit.tries:
            self.lost.update(letter.ids)
        else:
            self._later(self.now_s + habit.delay_s(failed + 1, self.rng), failed + 1, letter)

    async def _post(self, letter: Letter) -> int:
        self.when_s.append(self.now_s)
        path = f"/v1/sources/{self.token}"
        headers: dict[str, Any] = headers_of(self.kind, letter.body, path, self.signing_time_s())
        assert self.session is not None
        try:
            url = self.at or f"http://hookbundle{path}"
            async with self.session.post(url, data=letter.body, headers=headers) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return NO_ANSWER

    def _later(self, at_s: float, failed: int, letter: Letter) -> None:
        heapq.heappush(self._due, (at_s, next(self._order), failed, letter))
