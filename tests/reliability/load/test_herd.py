"""All windows are due at once after a downtime, nine in ten of them in one workspace.

No workspace starves, intake goes on, and each bundle is sealed once. bench/herd.py measures the
speed.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event, receiving
from hookbundle.tests.reliability.harness.battery import size

WINDOWS = size(8_000, 100_000)
QUIET = size(20, 100)  # workspaces that share the remaining tenth
GIANT = "giant"
AT_ONCE = 500
TIMEOUT_S = size(60, 900)


async def test_a_herd_of_windows_starves_no_workspace_and_stops_no_intake(tmp_path: Path) -> None:
    giants = WINDOWS * 9 // 10
    quiet = [f"quiet{number}" for number in range(QUIET)]
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        for ws in (GIANT, *quiet):
            await system.make(ws, receiver, ws, aggregation="1h")
        await system.make("now", receiver, "now")
        await open_windows(system, GIANT, giants)
        for ws in quiet:
            await open_windows(system, ws, (WINDOWS - giants) // QUIET)

        system.clock.move(HOUR_MS)
        async with asyncio.timeout(TIMEOUT_S):
            await receiver.until(1)
            await system.accept("now", event("probe"))
            for ws in (*quiet, "now"):
                await another_until(receiver, partial(receiver.at, ws))
            of_the_giant_meanwhile = len(receiver.at(GIANT))
            await another_until(receiver, lambda: not system.daemon.partition.reads.meta().windows)
        facts = everything(system)

    assert of_the_giant_meanwhile < giants // 10, "the others waited for the giant"
    sealed = [fact for fact in facts if fact.data.get("reason") == "time"]
    (probe,) = [fact for fact in facts if fact.data.get("accepted") == ["probe"]]
    assert sealed[0].seq < probe.seq < sealed[-1].seq, "intake waited for the whole herd"
    bundles = Counter((fact.workspace, fact.chat) for fact in sealed)
    assert len(bundles) == WINDOWS
    assert set(bundles.values()) == {1}
    assert set(Counter(post.id for post in receiver.posts).values()) == {1}


async def open_windows(system: System, ws: str, count: int) -> None:
    """`count` chats of the workspace have an open window each."""
    for first in range(0, count, AT_ONCE):
        chats = range(first, min(first + AT_ONCE, count))
        await system.accept(ws, *(event("m1", f"c{chat}") for chat in chats))


async def another_until(receiver: HookReceiver, what: Callable[[], object]) -> None:
    """`what` has become true; it is checked after each request that arrives."""
    while not what():
        await receiver.until(len(receiver.posts) + 1)


def everything(system: System) -> list[FeedEvent]:
    """The whole feed, read from the database, because so many events take long over a socket."""
    reader, found, after = system.daemon.partition.feed.reader, list[FeedEvent](), 0
    while events := (page := reader.read(after, 10_000)).events:
        found += events
        after = page.after
    return found
