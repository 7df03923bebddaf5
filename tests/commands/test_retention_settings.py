"""The settings of what is kept: how they are written, and what the daemon makes of them."""

import pytest

from hookbundle.actors.history_watch import HistoryTotal
from hookbundle.commands.configuration.kinds import DiskShare
from hookbundle.commands.configuration.loading import load
from hookbundle.commands.configuration.settings import AT_START_ONLY
from hookbundle.commands.daemon.assembling import daemon_config
from hookbundle.engine.errors import ConfigError
from hookbundle.storage.database.retention import Retention

GIB = 1 << 30


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("20%", DiskShare(20)),
        ("0%", DiskShare(0)),
        ("100%", DiskShare(100)),
        ("10GiB", 10 * GIB),
        ("10GB", 10**10),
        ("2TiB", 2048 * GIB),
    ],
)
def test_a_total_is_a_size_or_a_part_of_the_disk(written: str, meant: object) -> None:
    loaded = load({}, {"HOOKBUNDLE_HISTORY__TOTAL": written}, [])

    assert loaded.values["history.total"].value == meant


@pytest.mark.parametrize("written", ["101%", "-1%", "%", "20", "1.5%", "²%", "9" * 5_000 + "%", ""])
def test_another_total_is_refused(written: str) -> None:
    with pytest.raises(ConfigError, match=r"history\.total .*percentage of the disk, like 20%"):
        load({}, {"HOOKBUNDLE_HISTORY__TOTAL": written}, [])


def test_the_defaults_are_those_of_the_database() -> None:
    config = daemon_config(load({}, {}, []))

    assert config.store.retention == Retention()
    assert config.history_total == HistoryTotal()
    assert config.timer.floor_bytes == config.store.floor_bytes


def test_the_settings_reach_the_parts_of_the_daemon() -> None:
    given = {
        "HOOKBUNDLE_FEED__KEEP_EVENTS": "5",
        "HOOKBUNDLE_FEED__KEEP_BYTES": "1MiB",
        "HOOKBUNDLE_FEED__KEEP": "1h",
        "HOOKBUNDLE_HISTORY__KEEP": "0",
        "HOOKBUNDLE_HISTORY__BYTES": "2MiB",
        "HOOKBUNDLE_HISTORY__TOTAL": "3GiB",
    }

    config = daemon_config(load({}, given, []))

    assert config.store.retention == Retention(
        feed_events=5, feed_bytes=1 << 20, feed_ms=3_600_000, history_ms=0, history_bytes=2 << 20
    )
    assert config.timer.history_total == HistoryTotal(bytes=3 * GIB)


def test_a_negative_number_of_events_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"feed\.keep_events .*must be from 0 to 1000000000; got '-1'"
    ):
        daemon_config(load({}, {"HOOKBUNDLE_FEED__KEEP_EVENTS": "-1"}, []))


def test_all_of_them_can_be_reloaded() -> None:
    assert not [name for name in AT_START_ONLY if name.startswith(("feed.", "history."))]
