"""A database of 0.1.0 is upgraded: all of it, or nothing of it."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from hookbundle.engine.errors import Unusable
from hookbundle.storage.database import files
from hookbundle.storage.database.files import DATA, MARKER, OLD, STAGING, Marker
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.migration.migrating import migrate, needs_migration
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.tests.storage.fixtures import released
from hookbundle.tests.storage.fixtures.released import held_by, laid_out
from hookbundle.tests.storage.maintenance.migration.upgrading import (
    FILES,
    NOW_MS,
    content_of,
    found_in,
    is_whole,
    mark,
    opened,
    upgraded,
    with_identity,
)


def tick() -> None:
    pass


@pytest.mark.parametrize("name", released.OLD)
def test_an_upgraded_database_holds_everything_and_has_no_contradiction(
    tmp_path: Path, name: str
) -> None:
    path = laid_out(name, tmp_path / "data")
    before = (path / DATA).read_bytes()

    migrated = upgraded(path)

    assert migrated.unreadable == ()
    findings, held = found_in(path)
    assert findings == []
    assert held == held_by(name)
    assert {entry.name for entry in path.iterdir()} == FILES
    assert (path / OLD).read_bytes() == before
    assert files.read_marker(path) == Marker(held["epoch"], 2)


def test_a_database_in_which_nothing_has_happened_is_upgraded(tmp_path: Path) -> None:
    path = with_identity(tmp_path / "data", schema=1)

    migrated = upgraded(path)

    findings, held = found_in(path)
    assert migrated.records == 1
    assert findings == []
    assert (held["epoch"], held["workspaces"]) == ("0123456789", [])


def test_the_progress_rises_to_the_number_of_records(busy: Path) -> None:
    heard: list[tuple[int, int]] = []

    migrated = migrate(busy, NOW_MS, lambda *numbers: heard.append(numbers))

    assert heard[-1] == (migrated.records, migrated.records)
    assert {records for _, records in heard} == {migrated.records}
    assert all(earlier <= later for earlier, later in pairwise(heard))
    assert len(heard) > 2 * migrated.records


@pytest.mark.parametrize("at", [1, 100, 900, 1_500])
def test_an_upgrade_that_is_stopped_changes_nothing(busy: Path, at: int) -> None:
    before = content_of(busy)
    left = [None] * at

    def stop(done: int, records: int) -> None:
        left.pop()
        if not left:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(busy, NOW_MS, stop)

    assert content_of(busy) == before
    assert needs_migration(busy)


# ---- what needs an upgrade


def test_only_a_sound_live_database_of_the_first_schema_needs_an_upgrade(
    tmp_path: Path, busy: Path
) -> None:
    (tmp_path / "empty").mkdir()
    newer = with_identity(tmp_path / "newer", schema=3)
    short = laid_out("schema-1", tmp_path / "short")
    os.truncate(short / DATA, 8_192)
    backup = laid_out("schema-1", tmp_path / "backup")
    mark(backup, "backup")

    asked = [needs_migration(path) for path in (busy, tmp_path / "none", tmp_path / "empty")]

    assert asked == [True, False, False]
    assert not any(map(needs_migration, (newer, short, backup)))
    upgraded(busy)
    assert not needs_migration(busy)


def test_a_database_without_a_marker_needs_an_upgrade_too(busy: Path) -> None:
    (busy / MARKER).unlink()  # a crash while it was made

    assert needs_migration(busy)
    upgraded(busy)
    assert is_whole(busy)


# ---- afterwards


def test_a_cursor_of_before_the_upgrade_continues(busy: Path) -> None:
    feed = held_by("schema-1-busy")["feed"]
    epoch = held_by("schema-1-busy")["epoch"]
    in_the_middle = feed[len(feed) // 2][0]
    upgraded(busy)
    env = open_environment(busy, NOW_MS)
    reader = FeedReader(env)

    start = reader.start(f"cur_{epoch}{in_the_middle:012x}", NOW_MS)
    page = reader.read(start.after, 10_000)

    assert (start.after, start.foreign, page.missed) == (in_the_middle, False, [])
    assert [event.seq for event in page.events] == list(range(in_the_middle + 1, feed[-1][0] + 1))
    env.close()


def test_compacting_removes_the_old_file_and_what_was_deleted_in_it(busy: Path) -> None:
    upgraded(busy)

    backups.compact(busy, NOW_MS, tick)

    assert not (busy / OLD).exists()
    findings, _ = found_in(busy)
    assert findings == []


def test_a_compaction_that_fails_leaves_the_old_file(
    busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgraded(busy)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backups.compact(busy, NOW_MS, stop)

    assert (busy / OLD).exists()


def test_the_marker_of_a_crash_at_the_end_is_corrected_at_the_next_start(busy: Path) -> None:
    upgraded(busy)
    files.write_marker(busy, Marker(held_by("schema-1-busy")["epoch"], 1))

    assert not needs_migration(busy)
    assert is_whole(busy)


def test_a_second_name_left_by_a_crash_before_the_swap_is_removed(busy: Path) -> None:
    os.link(busy / DATA, busy / OLD)
    (busy / STAGING).mkdir()

    with pytest.raises(Unusable, match="start the daemon"):
        open_environment(busy, NOW_MS)

    assert not (busy / OLD).exists()
    assert not (busy / STAGING).exists()


def test_an_old_file_of_an_earlier_upgrade_is_replaced(busy: Path) -> None:
    (busy / OLD).write_bytes(b"left over")
    before = (busy / DATA).read_bytes()

    upgraded(busy)

    assert (busy / OLD).read_bytes() == before
    assert is_whole(busy)


def test_a_held_description_is_compared_in_full(busy: Path) -> None:
    """Else the comparison with what the fixture held would show nothing."""
    upgraded(busy)
    db = opened(busy)
    db.accept("one more", ws=1, chat="c")
    db.close()

    _, held = found_in(busy)

    assert json.dumps(held) != json.dumps(held_by("schema-1-busy"))
    assert held != held_by("schema-1-busy")
