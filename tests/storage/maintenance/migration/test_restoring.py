"""A backup of 0.1.0 is restored into a database of the present schema."""

from pathlib import Path

import msgspec
import pytest

from hookbundle.storage.database import files
from hookbundle.storage.database.files import MARKER, Marker
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.check import Finding
from hookbundle.storage.maintenance.migration import schema_1_keys as keys
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.tests.storage.fixtures.released import held_by
from hookbundle.tests.storage.maintenance.migration.damaging import damage
from hookbundle.tests.storage.maintenance.migration.upgrading import (
    NOW_MS,
    content_of,
    found_in,
    opened,
)


def tick() -> None:
    pass


@pytest.fixture
def backup(busy: Path) -> Path:
    marker = msgspec.json.decode((busy / MARKER).read_bytes(), type=Marker)
    files.write_marker(busy, msgspec.structs.replace(marker, state="backup"))
    return busy


def test_a_restored_backup_holds_everything_under_a_new_epoch(backup: Path, tmp_path: Path) -> None:
    before = content_of(backup)

    copied = backups.restore(backup, tmp_path / "new", NOW_MS, tick).copied

    findings, held = found_in(tmp_path / "new")
    was = held_by("schema-1-busy")
    assert (copied.findings, findings) == ((), [])
    assert held["epoch"] != was["epoch"]
    assert held["workspaces"] == was["workspaces"]  # with the ids of their deliveries
    assert held["feed"][: len(was["feed"])] == was["feed"]
    assert [held[name] for name in ("dues", "mails", "tokens", "erasing", "totals")] == [
        was[name] for name in ("dues", "mails", "tokens", "erasing", "totals")
    ]
    assert files.read_marker(tmp_path / "new") == Marker(held["epoch"], 2)
    assert content_of(backup) == before


def test_a_restore_is_noted_in_the_feed_and_cursors_are_foreign(
    backup: Path, tmp_path: Path
) -> None:
    epoch = held_by("schema-1-busy")["epoch"]

    backups.restore(backup, tmp_path / "new", NOW_MS, tick)

    db = opened(tmp_path / "new")
    (*_, restored) = db.events("daemon.restored")
    assert restored["data"]["detail"] == f"from a backup of epoch {epoch}"
    assert FeedReader(db.env).start(f"cur_{epoch}{200:012x}", NOW_MS).foreign
    db.close()


def test_what_cannot_be_read_of_a_backup_is_among_the_findings(
    backup: Path, tmp_path: Path
) -> None:
    damage(backup, keys.owned(keys.CHATS, 1, b"many"))

    copied = backups.restore(backup, tmp_path / "new", NOW_MS, tick).copied

    findings, _ = found_in(tmp_path / "new")
    what = "can't be read, and was left out"
    assert copied.findings == (Finding("chat 'many' of workspace 1", what),)
    assert findings == []


def test_a_restore_that_is_cut_short_can_be_repeated(backup: Path, tmp_path: Path) -> None:
    left = [None] * 300

    def stop() -> None:
        left.pop()
        if not left:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backups.restore(backup, tmp_path / "new", NOW_MS, stop)

    backups.restore(backup, tmp_path / "new", NOW_MS, tick)

    findings, held = found_in(tmp_path / "new")
    assert findings == []
    assert held["workspaces"] == held_by("schema-1-busy")["workspaces"]
