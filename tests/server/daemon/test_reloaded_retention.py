"""A reload of what is kept, as SIGHUP brings it."""

from dataclasses import replace
from pathlib import Path

from hookbundle.actors.history_watch import HistoryTotal
from hookbundle.storage.database.retention import Retention
from hookbundle.tests.in_process import daemon_in, until
from hookbundle.tests.server.cluster.two_nodes import PARTITIONS, two

KEPT = Retention(feed_events=7, feed_ms=1_000, history_ms=0)


async def test_what_is_kept_changes_by_a_reload(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        config, daemon = system.daemon.config, system.daemon
        store = replace(config.store, retention=KEPT, floor_bytes=1)
        daemon.reconfigure(replace(config, store=store, history_total=HistoryTotal(bytes=9)))

        assert daemon.partition.store_queue.retention == KEPT
        assert daemon.config.timer.history_total == HistoryTotal(bytes=9)
        assert daemon.config.store.floor_bytes == config.store.floor_bytes  # by a restart


async def test_each_partition_of_a_node_keeps_by_it_also_one_that_comes_later(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        config = first.config
        first.reconfigure(replace(config, store=replace(config.store, retention=KEPT)))
        await second.stop()
        await until(lambda: len(first.owned) == PARTITIONS)
        kept = {each.partition.store_queue.retention for each in first.owned.values()}

    assert kept == {KEPT}
