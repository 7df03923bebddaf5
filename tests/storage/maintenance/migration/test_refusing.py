"""An upgrade that can't be made is refused, and nothing changes."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hookbundle.engine.errors import CorruptRecord, InUse, Unusable
from hookbundle.storage.database import files
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import open_environment, open_read_only
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.migration import migrating
from hookbundle.storage.maintenance.migration.migrating import migrate
from hookbundle.tests.storage.maintenance.migration.upgrading import (
    NOW_MS,
    content_of,
    is_whole,
    mark,
    upgraded,
    with_identity,
)

ON_A_SMALL_DISK = """
import resource, signal, sys
from pathlib import Path
from hookbundle.engine.errors import StoreFull
from hookbundle.storage.maintenance.migration.migrating import migrate

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
try:
    migrate(Path(sys.argv[1]), 0, lambda done, records: None)
except StoreFull as exc:
    print(exc)
"""


def tick() -> None:
    pass


def test_only_the_daemon_upgrades(busy: Path) -> None:
    before = content_of(busy)

    with pytest.raises(Unusable, match=r"has schema 1, .* start the daemon, which upgrades it"):
        open_environment(busy, NOW_MS)
    with pytest.raises(Unusable, match=r"if it is a backup, .*`hookbundle restore`"):
        open_read_only(busy)
    with pytest.raises(Unusable, match="start the daemon"):
        backups.compact(busy, NOW_MS, tick)

    assert content_of(busy) == before


@pytest.mark.parametrize(
    ("state", "words"), [("backup", "is a backup"), ("restoring", "was cut short")]
)
def test_what_no_daemon_may_run_on_is_not_upgraded(busy: Path, state: str, words: str) -> None:
    mark(busy, state)
    before = content_of(busy)

    with pytest.raises(Unusable, match=words):
        upgraded(busy)

    assert content_of(busy) == before


def test_a_file_that_was_cut_short_is_not_upgraded(busy: Path) -> None:
    os.truncate(busy / DATA, 1_000_000)

    with pytest.raises(Unusable, match="was cut short"):
        upgraded(busy)


def test_a_newer_schema_and_one_that_was_upgraded_are_refused(tmp_path: Path, busy: Path) -> None:
    newer = with_identity(tmp_path / "newer", schema=3)
    upgraded(busy)

    with pytest.raises(Unusable, match="newer hookbundle"):
        upgraded(newer)
    with pytest.raises(Unusable, match="has schema 2 already"):
        upgraded(busy)

    assert is_whole(busy)


def test_a_directory_in_use_is_not_upgraded(busy: Path) -> None:
    with files.locked(busy), pytest.raises(InUse, match="is in use by"):
        upgraded(busy)


def test_nobody_else_can_use_the_directory_during_an_upgrade(busy: Path) -> None:
    refused: list[bool] = []

    def open_it(done: int, records: int) -> None:
        if not refused:
            with pytest.raises(InUse):
                open_environment(busy, NOW_MS)
            refused.append(True)

    migrate(busy, NOW_MS, open_it)

    assert refused == [True]
    assert is_whole(busy)


def test_a_disk_with_too_little_room_is_refused_and_nothing_changes(
    busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (busy / DATA).stat().st_size * 3 // 2
    before = content_of(busy)
    disk = SimpleNamespace(f_bavail=size // 512 - 1, f_frsize=512)
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", lambda path: disk)

        with pytest.raises(Unusable) as refused:
            upgraded(busy)

    assert content_of(busy) == before
    needed = f"needs {size:,} bytes of free space on its disk, and there are {size - 512:,}"
    assert needed in str(refused.value)
    assert "nothing was changed. Free 512 bytes, and start again" in str(refused.value)
    upgraded(busy)
    assert is_whole(busy)


def test_a_disk_that_gets_full_during_the_upgrade_leaves_the_old_database(busy: Path) -> None:
    before = content_of(busy)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    run = subprocess.run(
        [sys.executable, "-c", ON_A_SMALL_DISK, str(busy)],
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "Nothing was changed; free space, and start again" in run.stdout
    assert content_of(busy) == before


def test_a_new_database_with_a_contradiction_does_not_take_the_place_of_the_old_one(
    busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_of(busy)
    found = SimpleNamespace(where="counters", what="are wrong")
    monkeypatch.setattr(migrating, "check", lambda txn, tick: iter([found]))

    with pytest.raises(CorruptRecord, match="counters: are wrong; nothing was changed"):
        upgraded(busy)

    assert content_of(busy) == before
