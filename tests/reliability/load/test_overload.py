"""More requests than the daemon can take at once: it refuses the rest and keeps what it accepted.

All are of one workspace: another one is not refused, and afterwards the daemon works as before.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from hookbundle.actors.store import StoreConfig
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.reads.lookup import Reads
from hookbundle.tests.in_process import Answer, daemon_in, event, receiving
from hookbundle.tests.reliability.harness.battery import Planned, size

WAITING_MAX = 50
ROUNDS = size(1, 20)
CALLERS = size(400, 1_000)
CHATS = 5  # of each request; each is a transition
OTHERS_MAX = 100  # transitions that are no intake, and are never refused
TIMEOUT_S = size(60, 600)


async def test_excess_requests_are_refused_and_accepted_messages_are_kept(tmp_path: Path) -> None:
    store = StoreConfig(floor_bytes=0, reserve_bytes=64 * 1024, waiting_max=WAITING_MAX)
    planned, answers = Planned(["202", "429"]), list[tuple[str, Answer]]()
    most = 0
    async with receiving() as receiver, daemon_in(tmp_path, store=store) as system:
        await system.make("acme", receiver, aggregation="24h")
        await system.make("honest", receiver, "honest")
        store_queue: Any = system.daemon.partition.store_queue
        submit = store_queue.submit

        def submitting(*work: Any) -> None:
            nonlocal most
            submit(*work)
            most = max(most, store_queue.waiting)

        store_queue.submit = submitting
        connector = aiohttp.UnixConnector(str(system.daemon.config.listeners.socket_path), limit=0)
        async with asyncio.timeout(TIMEOUT_S), aiohttp.ClientSession(connector=connector) as many:
            callers = type(system)(many, system.daemon, system.clock, system.facts)

            async def call(name: str) -> None:
                path = "/v1/workspaces/acme/messages"
                events = [event("m1", chat) for chat in chats_of(name)]
                answers.append((name, await callers.ask("POST", path, events)))

            for turn in range(ROUNDS):
                await asyncio.gather(*(call(f"{turn}-{number}") for number in range(CALLERS)))
                await system.accept("honest", event(f"m{turn}"))
                await receiver.until(turn + 1, "honest")
        status = await system.get("/v1/status")

    for _, answer in answers:
        planned.saw(str(answer.status))
        if answer.status == 429:
            assert int(answer.headers["retry-after"]) > 0
            assert "your share of changes" in answer.document["detail"]
    planned.check()
    print(Counter(answer.status for _, answer in answers), most)
    assert WAITING_MAX // 2 - CHATS < most <= WAITING_MAX // 2 + OTHERS_MAX
    assert status["ready"]
    taken = [chat for name, answer in answers if answer.status == 202 for chat in chats_of(name)]
    assert kept(tmp_path / "data", taken) == taken


def chats_of(name: str) -> list[str]:
    return [f"{name}-{number}" for number in range(CHATS)]


def kept(data: Path, chats: list[str]) -> list[str]:
    """The chats that have a window of one message on disk."""
    env = open_environment(data, 0)
    reads = Reads(env)
    found = [chat for chat in chats if (window := reads.window(1, chat)) and window.count == 1]
    env.close()
    return found
