"""Whatever happens to the daemon, what its senders still have comes, and comes once."""

import asyncio
from pathlib import Path

from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.actors.writing import Writing
from hookbundle.tests.in_process import daemon_in, receiving, until
from hookbundle.tests.program import program_in
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.running import Running, running
from hookbundle.tests.sources.senders import HABITS, NO_ANSWER, ONCE
from hookbundle.tests.sources.town import Town

KILLS = size(3, 30)
LETTERS_A_LIFE = size(20, 200)
ANSWERS_BEFORE_A_KILL = (7, 60, 25)
LETTERS_AT_ONCE = 4


async def test_over_kills_in_the_midst_of_traffic_nothing_is_lost_and_nothing_comes_twice(
    tmp_path: Path,
) -> None:
    program = program_in(tmp_path, DELIVERY__BACKOFF="5ms")
    async with receiving() as receiver:
        town = Town(receiver)
        for life in range(KILLS):
            async with running(program) as daemon:
                if not life:
                    await town.begins(daemon)
                town.lives(daemon)
                await town.flushed(daemon)  # what comes again now is in no window any more
                await _killed(town, daemon, ANSWERS_BEFORE_A_KILL[life % 3])
        async with running(program) as daemon:
            town.lives(daemon)
            await town.drained()
            await town.flushed(daemon)
            await town.delivered(daemon)
            checked = await daemon.get("/v1/check")

    town.judged()
    assert checked["findings"] == []
    cut_off = {kind for kind, each in town.senders.items() if NO_ANSWER in each.statuses}
    assert cut_off & set(ONCE)
    assert cut_off - set(ONCE)
    assert all(each.taken for each in town.senders.values())


async def test_over_a_full_quota_all_is_taken_of_those_that_send_again(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path, quota=Quota(messages_max=6)) as system:
        town = Town(receiver)
        await town.begins(system)
        for kind in HABITS:
            await system.switch(kind, "disable")
        town.send(10)
        await town.go_on(5)
        held = {kind: set(each.taken) for kind, each in town.senders.items()}
        for kind in HABITS:
            await system.switch(kind, "enable", {})
        await town.drained()
        await town.flushed(system)
        await town.delivered(system)

    town.judged()
    for kind, sender in town.senders.items():
        assert set(sender.statuses) == {200, 429}, kind
        assert held[kind], kind
        assert bool(sender.lost) == (kind in ONCE), kind


async def test_a_sender_that_hangs_up_on_a_slow_disk_finds_its_messages_once(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        town, queue = Town(receiver), system.daemon.partition.store_queue
        await town.begins(system)
        writing = Writing(system)
        await writing.begin()
        try:
            town.send(LETTERS_AT_ONCE)
            posting = asyncio.ensure_future(town.go_on(0))
            # Of each source the first one teaches a name; the others wait to be read after it.
            await until(lambda: queue.places.used >= len(HABITS))
            town.waits(40)  # longer than any of them does, but WAHA
            hanging_up = [each for kind, each in town.senders.items() if kind != "waha"]
            await until(lambda: all(len(each.statuses) == LETTERS_AT_ONCE for each in hanging_up))
        finally:
            writing.end()
        await posting
        await town.drained()
        await town.flushed(system)
        await town.delivered(system)

    town.judged()
    for kind, sender in town.senders.items():
        assert (NO_ANSWER in sender.statuses) == (kind != "waha"), kind
        assert bool(sender.lost) == (kind in ONCE), kind


async def _killed(town: Town, daemon: Running, answers: int) -> None:
    """The daemon is killed after so many answers, with other requests under way."""
    town.send(LETTERS_A_LIFE)
    wanted = town.answered() + answers
    posting = asyncio.ensure_future(town.go_on(1))
    await until(lambda: town.answered() >= wanted or posting.done())
    assert not posting.done(), "all was answered before the kill"
    daemon.process.kill()
    await daemon.ended()
    await posting
    await town.go_on(3)  # it stays away for a while
