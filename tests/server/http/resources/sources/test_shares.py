"""A source that floods us is refused for its workspace's own share; other workspaces go on."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hookbundle.actors.store import StoreConfig
from hookbundle.engine.fairness import loop_share
from hookbundle.engine.sources.intake import sorting
from hookbundle.tests.actors.writing import Writing
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Answer, daemon_in, receiving, until
from hookbundle.tests.server.http.resources.sources.posting import make, waha

MANY = 30


async def test_a_flood_takes_no_place_of_others(tmp_path: Path) -> None:
    store = StoreConfig(floor_bytes=0, reserve_bytes=0, waiting_max=24)
    async with receiving() as receiver, daemon_in(tmp_path, store=store) as system:
        await system.make("acme", receiver, "acme", aggregation="1h")
        await system.make("other", receiver, "other", aggregation="1h")
        flooding, quiet = await make(system), await make(system, ws="other")
        for source in (flooding, quiet):
            await source.post(waha("0"))
            await source.shown()
        writing = Writing(system)
        await writing.begin()
        try:
            flood = [asyncio.ensure_future(flooding.post(waha(f"f{n}"))) for n in range(MANY)]
            refused = await _refused(flood)
            other = asyncio.ensure_future(quiet.post(waha("q")))
            number = system.daemon.partition.reads.workspace_number("other")
            places = system.daemon.partition.store_queue.places
            await until(lambda: places.held(number) > 0)
        finally:
            writing.end()

        answers = [await each for each in flood]
        assert refused.status == 429
        assert refused.headers["retry-after"]
        assert {each.status for each in answers} == {200, 429}
        assert (await other).document["accepted"] == 1
        assert system.daemon.partition.store_queue.places.used == 0


async def test_a_full_disk_is_507(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        source = await make(system)
        await source.post(waha("A"))
        system.daemon.partition.store_queue.state.intake_open = False

        refused = await source.post(waha("B"))

        assert (refused.status, refused.document["code"]) == (507, "disk_nearly_full")
        assert refused.headers["retry-after"]


async def test_a_deleted_workspace_is_unknown_to_its_sources(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        source = await make(system)
        await source.post(waha("A"))

        await system.ask("DELETE", "/v1/workspaces/acme")

        assert (await source.post(waha("B"))).status == 404
        await system.facts.until("workspace.erased")


async def test_the_thread_that_reads_a_large_request_of_a_source_leaves_others_as_much_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes, or only parts, of which each costs a judgement: neither is read on the loop."""
    worked_s, rests, threads = [0.0], list[float](), set[int]()
    sort = sorting.sort

    def thread_time() -> float:
        worked_s[0] += 0.125
        return worked_s[0]

    def sort_watched(*given: Any) -> sorting.Sorted:
        threads.add(threading.get_ident())
        return sort(*given)

    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="24h")
        source = await make(system, "evolution")
        monkeypatch.setattr(loop_share, "thread_time", thread_time)
        monkeypatch.setattr(loop_share, "sleep", rests.append)
        monkeypatch.setattr(sorting, "sort", sort_watched)

        answers = [
            await source.post({"event": "messages.upsert", "data": [part] * count})
            for part, count in (({}, 600), ({"pad": "x" * 20_000}, 4))
        ]

    assert [answer.document["invalid"] for answer in answers] == [600, 4]
    assert len(rests) >= 2 * 604  # before each event is read, and before it is sorted
    assert set(rests) == {0.125}
    assert threads
    assert threading.get_ident() not in threads


async def _refused(flood: Sequence[asyncio.Future[Answer]]) -> Answer:
    """The first of them that is answered while nothing can be stored."""
    async with asyncio.timeout(TIMEOUT_S):
        done, _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    return done.pop().result()
