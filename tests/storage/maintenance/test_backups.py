"""Backup, restore and compaction: complete, sound, and without a byte of deleted records."""

import threading
from itertools import count, pairwise
from pathlib import Path

import pytest

from hookbundle.engine.errors import Conflict, CorruptRecord, InUse, Unusable
from hookbundle.storage.database import files, keyspace
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.copying import opened_to_read
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.tables import queue
from hookbundle.tests.storage.deleting import busy, delete, erase
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.populated import change, findings
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase, incoming

SECRET = "the launch code"


def tick() -> None:
    pass


def fill(
    db: ScratchDatabase, ws: int, messages: int, text: str, *, with_delivery: bool = True
) -> None:
    """The workspace has windows, and a delivery, that contain the text many times."""
    for number in range(messages):
        words = f"{text} {number} " * (1 + number % 120)
        db.accept(incoming(f"m{number}", text=words), ws=ws, chat=f"c{number % 5}")
    if with_delivery:
        db.seal("c1", ws=ws)


def occurrences(folder: Path, text: str = SECRET) -> int:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.read_bytes().count(text.encode()) for path in files)


# ---- backup


def test_a_backup_holds_every_record_and_no_byte_of_what_was_deleted(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    kept, gone = db.workspace("kept"), db.workspace("gone")
    fill(db, gone, 300, SECRET)
    fill(db, kept, 300, "a word")
    delete(db, "gone")
    erase(db)

    copied = backups.back_up(db.env, tmp_path / "backup", tick)

    with opened_to_read(tmp_path / "backup") as env, env.read() as txn:
        records = {bytes(key): bytes(value) for key, value in txn.cursor()}
    assert records == db.dump()
    assert (copied.records, copied.findings) == (len(records), ())
    assert occurrences(db.path) > 100
    assert occurrences(tmp_path / "backup") == 0


def test_a_backup_during_writes_is_complete_and_of_one_moment(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    db.workspace(aggregation_ms=0)
    accepted, stop = threading.Event(), threading.Event()
    numbers = count()

    def write() -> None:
        for number in numbers:
            db.accept(f"m{number}", chat=f"c{number % 3}")
            accepted.set()
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    made = []
    for attempt in range(5):
        accepted.clear()
        accepted.wait(30)
        made.append(backups.back_up(db.env, tmp_path / f"backup {attempt}", tick))
    stop.set()
    writer.join()

    assert [backup.findings for backup in made] == [()] * 5
    assert all(a.records < b.records for a, b in pairwise(made))
    backups.restore(tmp_path / "backup 4", tmp_path / "new", START_MS, tick)
    restored = ScratchDatabase(tmp_path / "new")
    ids = [message_id for delivery in restored.queued() for message_id in ids_in(delivery)]
    assert ids == [f"m{number}" for number in range(len(ids))]
    assert len(ids) > 4
    restored.close()


def test_a_backup_requires_an_empty_directory(db: ScratchDatabase, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")

    with pytest.raises(Conflict, match="is not empty"):
        backups.back_up(db.env, tmp_path / "full", tick)
    with pytest.raises(Conflict, match="is in the data directory"):
        backups.back_up(db.env, db.path / "backup", tick)

    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]


def test_an_interrupted_backup_leaves_nothing(db: ScratchDatabase, tmp_path: Path) -> None:
    busy(db)
    ticks = count()

    def stop() -> None:
        if next(ticks) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backups.back_up(db.env, tmp_path / "backup", stop)

    assert list((tmp_path / "backup").iterdir()) == []


def test_a_backup_cannot_be_opened_as_a_data_directory(db: ScratchDatabase, tmp_path: Path) -> None:
    backups.back_up(db.env, tmp_path / "backup", tick)

    with pytest.raises(Unusable, match="is a backup; `hookbundle restore"):
        open_environment(tmp_path / "backup", START_MS)


# ---- restore


def test_a_restored_database_has_a_new_epoch(db: ScratchDatabase, tmp_path: Path) -> None:
    number = busy(db)
    (delivery, *_) = db.queued()
    old_epoch = db.env.identity.epoch
    delivery_id = queue.delivery_id(number, delivery.delivery)
    cursor = FeedReader(db.env).cursor(3)
    backups.back_up(db.env, tmp_path / "backup", tick)

    copied = backups.restore(tmp_path / "backup", tmp_path / "new", db.now_ms, tick).copied

    restored = ScratchDatabase(tmp_path / "new")
    epoch = restored.env.identity.epoch
    assert copied.findings == ()
    assert epoch != old_epoch
    assert delivery_id in [queue.delivery_id(number, k.delivery) for k in restored.queued()]
    assert FeedReader(restored.env).start(cursor, START_MS).foreign
    assert [d.body for d in restored.queued()] == [d.body for d in db.queued()]
    (event,) = restored.events("daemon.restored")
    assert event["data"]["detail"] == f"from a backup of epoch {old_epoch}"
    restored.close()


def test_a_restore_requires_an_empty_directory(db: ScratchDatabase, tmp_path: Path) -> None:
    backups.back_up(db.env, tmp_path / "backup", tick)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")

    for into in (tmp_path / "full", db.path):
        with pytest.raises(Conflict, match="is not empty"):
            backups.restore(tmp_path / "backup", into, START_MS, tick)


def test_a_restore_requires_a_finished_backup(db: ScratchDatabase, tmp_path: Path) -> None:
    backups.back_up(db.env, tmp_path / "backup", tick)
    (tmp_path / "backup" / files.MARKER).unlink()

    for backup in (tmp_path / "backup", db.path, tmp_path):
        with pytest.raises(Unusable, match="is not a finished backup"):
            backups.restore(backup, tmp_path / "new", START_MS, tick)


def test_an_unfinished_restore_cannot_be_opened_and_can_be_repeated(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    busy(db)
    backups.back_up(db.env, tmp_path / "backup", tick)
    ticks = count()

    def stop() -> None:
        if next(ticks) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backups.restore(tmp_path / "backup", tmp_path / "new", START_MS, stop)
    with pytest.raises(Unusable, match="was cut short"):
        open_environment(tmp_path / "new", START_MS)

    backups.restore(tmp_path / "backup", tmp_path / "new", START_MS, tick)

    open_environment(tmp_path / "new", START_MS).close()


# ---- compact


def test_after_compacting_no_byte_of_a_deleted_text_is_left(db: ScratchDatabase) -> None:
    kept, gone = db.workspace("kept"), db.workspace("gone")
    fill(db, gone, 300, SECRET)
    fill(db, kept, 300, "a word")
    delete(db, "gone")
    erase(db)
    fill(db, kept, 50, "another word", with_delivery=False)
    before = db.dump()
    db.close()
    left_before = occurrences(db.path)

    compacted = backups.compact(db.path, db.now_ms, tick)

    db.env = open_environment(db.path, db.now_ms)
    assert left_before > 100
    assert occurrences(db.path) == 0
    assert db.dump() == before
    assert findings(db) == []
    assert compacted.bytes < compacted.bytes_before


def test_compacting_also_erases_what_was_only_deleted(db: ScratchDatabase) -> None:
    fill(db, db.workspace(), 300, SECRET)
    delete(db)
    db.close()

    backups.compact(db.path, db.now_ms, tick)

    db.env = open_environment(db.path, db.now_ms)
    assert occurrences(db.path) == 0
    assert [fact["type"] for fact in db.events("workspace.erased")] == ["workspace.erased"]


def test_a_database_in_use_is_not_compacted(db: ScratchDatabase) -> None:
    with pytest.raises(InUse, match="is in use by the process with pid"):
        backups.compact(db.path, START_MS, tick)


def test_a_damaged_database_is_not_compacted(db: ScratchDatabase) -> None:
    number = db.workspace()
    change(
        db,
        keyspace.owned(keyspace.STATES, number),
        type(db.view().state),
        queued=7,
    )
    before = db.dump()
    db.close()

    with pytest.raises(CorruptRecord, match="says queued 7, counted 0"):
        backups.compact(db.path, START_MS, tick)

    db.env = open_environment(db.path, START_MS)
    assert db.dump() == before
    assert not (db.path / files.STAGING).exists()
