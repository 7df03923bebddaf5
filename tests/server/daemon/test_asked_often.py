"""Anybody may ask whether the daemon is ready, as often as he likes."""

from pathlib import Path

from hookbundle.server.daemon.watch import RECENT_MS
from hookbundle.tests.in_process import daemon_in


async def test_who_asks_again_at_once_costs_no_second_look(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        watch = system.daemon.watch
        first = watch.recent()
        again = watch.recent()
        system.clock.move(RECENT_MS)

        assert again is first
        assert watch.recent() is not first


async def test_what_stops_it_is_told_at_once_all_the_same(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        assert (await system.ask("GET", "/readyz")).status == 200
        system.daemon.partition.store_queue.state.intake_open = False

        assert (await system.ask("GET", "/readyz")).status == 503
