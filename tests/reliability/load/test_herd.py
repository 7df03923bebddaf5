"""All windows due at once after a downtime, nine in ten of one workspace: nobody starves, intake
goes on, and each bundle is sealed once. How fast it goes is bench/herd.py's business.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hookbundle.storage.reads.feed import Event
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, House, event, living, receiving
from hookbundle.tests.reliability.harness.battery import size

WINDOWS = size(8_000, 100_000)
QUIET = size(20, 100)  # workspaces that share a tenth of them
GIANT = "giant"
AT_ONCE = 500
PATIENCE_S = size(60, 900)


async def test_a_herd_starves_nobody_and_stops_no_intake(tmp_path: Path) -> None:
    giants = WINDOWS * 9 // 10
    quiet = [f"quiet{number}" for number in range(QUIET)]
    async with receiving() as receiver, living(tmp_path) as house:
        for ws in (GIANT, *quiet):
            await house.make(ws, receiver, ws, aggregation="1h")
        await house.make("now", receiver, "now")
        await open_windows(house, GIANT, giants)
        for ws in quiet:
            await open_windows(house, ws, (WINDOWS - giants) // QUIET)

        house.clock.move(HOUR_MS)
        async with asyncio.timeout(PATIENCE_S):
            await receiver.until(1)
            await house.accept("now", event("probe"))
            for ws in (*quiet, "now"):
                await another_until(receiver, partial(receiver.at, ws))
            of_the_giant_meanwhile = len(receiver.at(GIANT))
            await another_until(receiver, lambda: not house.daemon.reads.meta().windows)
        facts = everything(house)

    assert of_the_giant_meanwhile < giants // 10, "the others waited for the giant"
    sealed = [fact for fact in facts if fact.data.get("reason") == "time"]
    (probe,) = [fact for fact in facts if fact.data.get("messages") == ["probe"]]
    assert sealed[0].seq < probe.seq < sealed[-1].seq, "intake waited for the whole herd"
    bundles = Counter((fact.workspace, fact.chat) for fact in sealed)
    assert len(bundles) == WINDOWS
    assert set(bundles.values()) == {1}
    assert set(Counter(post.id for post in receiver.posts).values()) == {1}


async def open_windows(house: House, ws: str, count: int) -> None:
    """So many chats of the workspace have an open window each."""
    for first in range(0, count, AT_ONCE):
        chats = range(first, min(first + AT_ONCE, count))
        await house.accept(ws, *(event("m1", f"c{chat}") for chat in chats))


async def another_until(receiver: HookReceiver, what: Callable[[], object]) -> None:
    """What is so, is asked after each request that comes; the giant's never end."""
    while not what():
        await receiver.until(len(receiver.posts) + 1)


def everything(house: House) -> list[Event]:
    """The whole feed, read where it is kept: so much of it takes long over a socket."""
    reader, found, after = house.daemon.feed.reader, list[Event](), 0
    while events := (page := reader.read(after, 10_000)).events:
        found += events
        after = page.after
    return found
