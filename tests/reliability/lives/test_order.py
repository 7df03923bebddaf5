"""Receivers that are slow, fail, reset or never answer don't change the order of deliveries.

Deliveries are sent in the order of sealing, and a workspace has one request open at a time. A
delivery that is always refused delays no other.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from aiohttp import web

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import TIME_LIMITS, AttemptLimits, Cause, code_of
from hookbundle.tests.in_process import SECOND_MS, Facts, System, daemon_in, event
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size

RUNS = size(1, 3)
WORKSPACES = 20
BUNDLES = size(20, 500)  # of each workspace
MESSAGES = 2  # of each bundle
TIMEOUT_S = size(60, 1_200)
MOODS = {"prompt": 50, "slow": 30, "failing": 12, "reset": 6, "silent": 2}
ERRORS = (204, 302, 408, 425, 429, 500, 503)
NO = (400, 404, 410, 422)
SLOW_S_MAX = 0.01
DELIVERIES, GOOD_BETWEEN, REFUSALS = 40, 8, 3
DELIVERIES_PATH = "/v1/workspaces/acme/deliveries"
LIMITS = AttemptLimits(connect_timeout_ms=300, total_timeout_ms=300)
LATE = {*TIME_LIMITS, Cause.STOOD_STILL, Cause.GAVE_WAY}
POLICY = BackoffPolicy(steps_ms=(1,), errors_max=10_000)


@dataclass(slots=True)
class Moody:
    """A receiver that draws its mood from the seed for each request, and records the requests.

    A message whose id begins with "bad" is refused for as long as `refuses`. `cut`: how often a
    connection that had carried another request before was reset over the delivery.
    """

    seed: int
    moods: Mapping[str, int]
    planned: Planned
    refuses: bool = True
    port: int = 0
    seen: defaultdict[str, list[tuple[str, bytes]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    taken: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    beside: list[str] = field(default_factory=list)
    _carried: Counter[object] = field(default_factory=Counter)
    _open: defaultdict[str, list[web.Request]] = field(default_factory=lambda: defaultdict(list))
    _rngs: dict[str, Random] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        path, delivery = request.match_info["path"], request.headers["webhook-id"]
        if any(is_connected(other) for other in self._open[path]):
            self.beside.append(f"{path} {delivery}")
        self._open[path].append(request)
        self._carried[request.protocol] += 1
        try:
            body = await request.read()
            self.seen[path].append((delivery, body))
            return await self._answer(request, self._mood(path), path, delivery, body)
        finally:
            self._open[path].remove(request)

    def _mood(self, path: str) -> str:
        rng = self._rngs.setdefault(path, Random(f"{self.seed} {path}"))
        mood = rng.choices(list(self.moods), list(self.moods.values()))[0]
        self.planned.saw(mood)
        return mood

    async def _answer(
        self, request: web.Request, mood: str, path: str, delivery: str, body: bytes
    ) -> web.Response:
        rng = self._rngs[path]
        if mood == "silent":
            await asyncio.Event().wait()  # until the other side hangs up
        if mood == "slow":
            await asyncio.sleep(rng.uniform(0, SLOW_S_MAX))
        if mood == "reset" and request.transport is not None:
            self.cut[delivery] += self._carried[request.protocol] > 1
            request.transport.abort()
        if mood == "failing":
            return web.Response(status=rng.choice(ERRORS))
        if self.refuses and b'"message_id":"bad' in body:
            return web.Response(status=rng.choice(NO))
        if mood != "reset":
            self.taken[delivery] += 1
        return web.Response()

    def first_seen(self, path: str) -> list[str]:
        return list(dict.fromkeys(delivery for delivery, _ in self.seen[path]))


def is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


@asynccontextmanager
async def receiving(seed: int, moods: Mapping[str, int] = MOODS) -> AsyncIterator[Moody]:
    moody = Moody(seed, moods, Planned(moods))
    app = web.Application()
    app.router.add_post("/{path}", moody.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        moody.port = runner.addresses[0][1]
        yield moody
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
async def test_however_receivers_behave_deliveries_keep_their_order_and_go_one_at_a_time(
    tmp_path: Path, seed: int
) -> None:
    names = [f"ws{number}" for number in range(WORKSPACES)]
    rng, count = Random(seed), WORKSPACES * BUNDLES
    async with (
        receiving(seed) as receiver,
        daemon_in(tmp_path, policy=POLICY, limits=LIMITS) as system,
    ):
        for ws in names:
            await make(system, receiver, ws, aggregation="1s")
        for ws in names:
            chats = [f"chat{number}" for number in range(BUNDLES)] * MESSAGES
            rng.shuffle(chats)
            await system.accept(ws, *(event(f"m{n}", chat) for n, chat in enumerate(chats)))
        system.clock.move(SECOND_MS)
        heard = await until_delivered(system.facts, count)
    said = f"BATTERY_SEED={seed}"
    for ws in names:
        sealed = [of(fact) for fact in heard if is_of(fact, "delivery.sealed", ws)]
        assert len(sealed) == BUNDLES, said
        assert receiver.first_seen(ws) == sealed, f"{said}: {ws} has another order"
        ids = [delivery for delivery, _ in receiver.seen[ws]]
        assert ids == sorted(ids, key=sealed.index), f"{said}: {ws} went back to an earlier one"
        assert len(set(receiver.seen[ws])) == BUNDLES, f"{said}: {ws} has changed its bytes"
    assert receiver.beside == [], f"{said}: sent while another was open"
    lost = [fact for fact in heard if fact["type"] in ("delivery.failed", "delivery.unknown")]
    failed, late = Counter(map(of, lost)), Counter(of(fact) for fact in lost if was_late(fact))
    sent = Counter(delivery for ws in names for delivery, _ in receiver.seen[ws])
    assert len(receiver.taken) == count, f"{said}: some were given up"
    # A connection that rested may have ended before the request: it is sent once more at once.
    excused = failed + receiver.cut
    assert all(sent[each] <= excused[each] + 1 for each in sent), f"{said}: sent again for nothing"
    # On a busy machine the answer of one that took it may come after the time limit of the attempt.
    again = [each for each, times in receiver.taken.items() if times > 1 + late[each]]
    assert not again, f"{said}: sent again after it was taken"
    print(f"{said}: {dict(receiver.planned.seen)}")
    receiver.planned.check()


async def test_deliveries_that_are_always_refused_become_dead_letters_and_hold_up_no_other(
    tmp_path: Path,
) -> None:
    clock, policy = MovableClock(), BackoffPolicy(steps_ms=(1,))
    ids = [f"bad{n}" if n % GOOD_BETWEEN == 0 else f"m{n}" for n in range(DELIVERIES)]
    bad = sum(message_id.startswith("bad") for message_id in ids)
    async with receiving(SEED, moods={"prompt": 1}) as receiver:
        async with daemon_in(tmp_path, clock, policy=policy) as system:
            for ws in ("acme", "other"):
                await make(system, receiver, ws, aggregation="none")
            await system.accept("acme", *(event(message_id) for message_id in ids))
            await system.accept("other", *(event(f"m{n}") for n in range(DELIVERIES)))
            heard = await until_delivered(system.facts, 2 * DELIVERIES - bad)
            hook = await system.hook()
        sealed = [of(fact) for fact in heard if is_of(fact, "delivery.sealed", "acme")]
        dead_letters = [of(fact) for fact in heard if is_of(fact, "delivery.dead_lettered", "acme")]
        tries = Counter(delivery for delivery, _ in receiver.seen["acme"])

        async with daemon_in(tmp_path, clock, policy=policy) as system:
            dead = await system.get(f"{DELIVERIES_PATH}?state=dead_letter&order=queue")
            receiver.refuses = False
            first, second, *rest = dead_letters
            await system.ask("DELETE", f"{DELIVERIES_PATH}/{first}?reason=poison")
            await system.ask("POST", f"{DELIVERIES_PATH}/{second}/retry")
            await system.facts.until("delivery.delivered", delivery=second)
            await system.ask("POST", f"{DELIVERIES_PATH}/retry")
            for delivery in rest:
                await system.facts.until("delivery.delivered", delivery=delivery)

    assert (hook["state"], hook["consecutive_errors"]) == ("enabled", 0)
    assert dead_letters == [delivery for delivery, n in tries.items() if n == REFUSALS]
    assert dead_letters == sealed[::GOOD_BETWEEN] == [one["id"] for one in dead["deliveries"]]
    assert sum(tries.values()) == DELIVERIES - bad + REFUSALS * bad
    assert receiver.first_seen("acme") == sealed
    assert set(receiver.taken) == {*sealed, *receiver.first_seen("other")} - {first}
    assert set(receiver.taken.values()) == {1}
    assert len(set(receiver.seen["acme"])) == DELIVERIES, "one has changed its bytes"


async def make(system: System, receiver: Moody, ws: str, **hook: Any) -> None:
    settings = {"url": f"http://127.0.0.1:{receiver.port}/{ws}", **hook}
    made = await system.ask("PUT", f"/v1/workspaces/{ws}", {"webhook": settings})
    assert made.status == 201, made


async def until_delivered(facts: Facts, count: int) -> list[dict[str, Any]]:
    """The events of the feed up to the `count`-th delivered delivery."""
    heard: list[dict[str, Any]] = []
    async with asyncio.timeout(TIMEOUT_S):
        while count:
            frame = msgspec.json.decode(await facts.reader.readline())
            if "seq" in frame:
                heard.append(frame)
                count -= frame["type"] == "delivery.delivered"
    return heard


def is_of(fact: dict[str, Any], kind: str, ws: str) -> bool:
    return (fact["type"], fact["workspace"]) == (kind, ws)


def was_late(fact: dict[str, Any]) -> bool:
    """Whether the attempt was ended while the receiver may still have taken the delivery.

    An own fault that is one of too many in a row is told as a failure, and begins with its cause.
    """
    return fact["type"] == "delivery.unknown" or code_of(fact["data"]["error"]) in LATE


def of(fact: dict[str, Any]) -> str:
    delivery: str = fact["data"]["delivery"]
    return delivery
