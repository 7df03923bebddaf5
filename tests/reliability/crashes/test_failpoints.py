"""The daemon is killed at each failpoint, under traffic, and every promise is kept."""

import asyncio
from contextlib import suppress
from pathlib import Path
from random import Random

import aiohttp
import msgspec
import pytest

from hookbundle.actors.store import Store
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Answer, Api, daemon_in, event, facts_of, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.reliability.harness import failpoints, wrapping
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.harness.checker import faults
from hookbundle.tests.reliability.harness.crashing import surviving
from hookbundle.tests.reliability.harness.seen import Seen
from hookbundle.tests.running import running

# The n-th passing that kills the daemon: the smallest and largest n. Making a database passes F15
# several times.
WAYS_TO_DIE = {
    "in": {
        "F15": (1, 9),
        "F1": (1, 30),
        "F1 late": (1, 30),
        "F2": (1, 40),
        "F3": (1, 40),
        "F4": (1, 3),
        "F16": (1, 1),
    },
    "out": {
        "F5": (1, 40),
        "F6": (1, 30),
        "F7": (1, 30),
        "F8": (1, 30),
        "F9": (1, 20),
        "F11": (1, 15),
    },
    "beside": {
        "F10": (1, 99),
        "F12": (1, 1),
        "F13": (1, 1),
        "F14": (1, 12),
        "F17": (1, 4),
    },
}
SEEDS = range(SEED, SEED + size(1, 6))
FIFTY = 50


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("way", WAYS_TO_DIE)
async def test_wherever_the_daemon_dies_nothing_is_lost_invented_or_needlessly_repeated(
    tmp_path: Path, way: str, seed: int
) -> None:
    rng = Random(f"{way} {seed}")
    ranges = WAYS_TO_DIE[way]
    points = rng.sample(sorted(ranges), len(ranges))
    planned = Planned([*ranges, *Seen().classes(), *(["half a body"] if "F6" in ranges else [])])

    async with surviving(tmp_path, seed) as history:
        if "F15" in points:
            points.remove("F15")
            await history.dies_while_made(rng.randint(*ranges["F15"]))
        await history.begins()
        for point in points:
            await history.dies_at(point, rng.randint(*ranges[point]))
        await history.dies_when_all_was_seen()
        seen = await history.ends_well()

    found = faults(seen)
    print(f"{way}, BATTERY_SEED={seed}: {seen.classes()}, died at {seen.killed}, faults: {found}")
    assert not found, f"BATTERY_SEED={seed} makes it again"
    for fired in [*seen.killed[:-1], *(what for what, n in seen.classes().items() if n)]:
        planned.saw(fired)
    if seen.cut_short:
        planned.saw("half a body")
    planned.check()


def test_every_failpoint_is_tried() -> None:
    planned = {f"F{number}" for number in range(1, 20)}

    beside = {"F18", "F19"}  # here below, and in test_three_webhooks.py
    tried = {point for way in WAYS_TO_DIE.values() for point in way} | beside
    assert {point.partition(" ")[0] for point in tried} == planned
    assert {*failpoints.POINTS, "F7"} == tried


def test_a_point_in_a_function_that_was_renamed_is_an_error() -> None:
    point = wrapping.Point(1)

    for wrap in (wrapping.before, wrapping.after, wrapping.replace):
        with pytest.raises(AttributeError, match="_as_it_was_called"):
            wrap(Store, "_as_it_was_called", point)


@pytest.mark.parametrize(
    ("nth", "accepted"), [(1, 0), (2, 1)], ids=["messages stored", "answer stored"]
)
async def test_fifty_at_once_under_one_key_are_one_message_over_a_crash(
    tmp_path: Path, nth: int, accepted: int
) -> None:
    program = program_in(tmp_path)
    async with receiving() as receiver:
        await make_acme(tmp_path, receiver)
        async with running(program, command=failpoints.command("F2", nth)) as daemon:
            first = await fifty(daemon, event("m1"))
            assert await daemon.ended() == -9

        async with running(program) as daemon, facts_of(program.socket_path) as facts:
            second = await fifty(daemon, event("m1"))
            other = await ask(daemon, event("m2"))
            await facts.until("delivery.delivered")
            daemon.process.terminate()
            assert await daemon.ended() == 0

        assert first == [None] * FIFTY, "a client was answered before the crash"
        (answer,) = {(each.status, each.body) for each in second if each is not None}
        expected = {"accepted": accepted, "duplicate": 1 - accepted, "skipped": []}
        assert (answer[0], msgspec.json.decode(answer[1])) == (202, expected)
        assert None not in second
        assert other is not None
        assert other.status == 422
        assert [post.message_ids for post in receiver.posts] == [["m1"]]
        assert len(facts.known("message.received", accepted=["m1"])) == 1


@pytest.mark.parametrize("nth", [1, 2, 4, 7])
async def test_a_replay_goes_on_where_it_was_when_the_daemon_died(tmp_path: Path, nth: int) -> None:
    program, workspace = program_in(tmp_path), "/v1/workspaces/acme"
    async with receiving() as receiver:
        async with daemon_in(tmp_path) as system:
            await system.make("acme", receiver)
            await system.accept("acme", *(event(f"m{number}") for number in range(6)))
            await system.facts.until("delivery.delivered", 6)
            await system.switch("acme", "disable")
        async with running(program, command=failpoints.command("F18", nth)) as daemon:
            with suppress(aiohttp.ClientError, ConnectionError):
                await daemon.ask(
                    "POST", f"{workspace}/replay", {"states": ["delivered"], "dry_run": False}
                )
            assert await daemon.ended() == -9

        async with running(program) as daemon, facts_of(program.socket_path) as facts:
            await daemon.ask("POST", f"{workspace}/webhook/enable")
            await facts.until("replay.ended")
            job = (await daemon.ask("GET", f"{workspace}/replay/1")).document

        first, again = receiver.posts[:6], receiver.posts[6:]
        assert [(post.id, post.body) for post in again] == [(post.id, post.body) for post in first]
        assert (job["state"], job["queued"], job["delivered"]) == ("done", 6, 6)


async def make_acme(folder: Path, receiver: HookReceiver) -> None:
    async with daemon_in(folder) as system:
        await system.make("acme", receiver)


async def fifty(daemon: Api, document: object) -> list[Answer | None]:
    return await asyncio.gather(*(ask(daemon, document) for _ in range(FIFTY)))


async def ask(daemon: Api, document: object) -> Answer | None:
    """The answer to the request under the key; None if the daemon was killed before it."""
    headers = {"Idempotency-Key": "one"}
    try:
        return await daemon.ask("POST", "/v1/workspaces/acme/messages", document, headers=headers)
    except (aiohttp.ClientError, ConnectionError):
        return None
