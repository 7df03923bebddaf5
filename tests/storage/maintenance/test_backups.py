"""Backups, restores and compact files: whole, sound, and without a byte of what was deleted."""

import threading
from itertools import count, pairwise
from pathlib import Path

import pytest

from hookbundle.engine.errors import Conflict, CorruptRecord, InUse, Unusable
from hookbundle.storage.database import files, keyspace
from hookbundle.storage.database.environment import open_environment
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.copying import opened_to_read
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.tables import queue
from hookbundle.tests.storage.deleting import busy, delete, erase
from hookbundle.tests.storage.populated import change, findings
from hookbundle.tests.storage.scratch import START_MS, House, ids_in, incoming

SECRET = "the launch code"


def tick() -> None:
    pass


def telling(house: House, ws: int, messages: int, text: str, *, then_sealed: bool = True) -> None:
    """The workspace has windows, and one delivery, that hold the text many times over."""
    for number in range(messages):
        words = f"{text} {number} " * (1 + number % 120)
        house.accept(incoming(f"m{number}", text=words), ws=ws, chat=f"c{number % 5}")
    if then_sealed:
        house.seal("c1", ws=ws)


def occurrences(folder: Path, text: str = SECRET) -> int:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.read_bytes().count(text.encode()) for path in files)


# ---- backup


def test_a_backup_holds_every_record_and_no_byte_of_what_was_deleted(
    house: House, tmp_path: Path
) -> None:
    kept, gone = house.workspace("kept"), house.workspace("gone")
    telling(house, gone, 300, SECRET)
    telling(house, kept, 300, "a word")
    delete(house, "gone")
    erase(house)

    copied = backups.back_up(house.env, tmp_path / "backup", tick)

    with opened_to_read(tmp_path / "backup") as env, env.read() as txn:
        records = {bytes(key): bytes(value) for key, value in txn.cursor()}
    assert records == house.dump()
    assert (copied.records, copied.findings) == (len(records), ())
    assert occurrences(house.path) > 100
    assert occurrences(tmp_path / "backup") == 0


def test_a_backup_during_writes_is_of_one_moment_and_complete(house: House, tmp_path: Path) -> None:
    house.workspace(aggregation_ms=0)
    accepted, stop = threading.Event(), threading.Event()
    numbers = count()

    def write() -> None:
        for number in numbers:
            house.accept(f"m{number}", chat=f"c{number % 3}")
            accepted.set()
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    made = []
    for attempt in range(5):
        accepted.clear()
        accepted.wait(30)
        made.append(backups.back_up(house.env, tmp_path / f"backup {attempt}", tick))
    stop.set()
    writer.join()

    assert [backup.findings for backup in made] == [()] * 5
    assert all(a.records < b.records for a, b in pairwise(made))
    backups.restore(tmp_path / "backup 4", tmp_path / "new", START_MS, tick)
    restored = House(tmp_path / "new")
    ids = [message_id for delivery in restored.pending() for message_id in ids_in(delivery)]
    assert ids == [f"m{number}" for number in range(len(ids))]
    assert len(ids) > 4
    restored.close()


def test_a_backup_is_not_made_where_there_is_something(house: House, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")

    with pytest.raises(Conflict, match="is not empty"):
        backups.back_up(house.env, tmp_path / "full", tick)
    with pytest.raises(Conflict, match="is in the data directory"):
        backups.back_up(house.env, house.path / "backup", tick)

    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]


def test_a_backup_that_is_broken_off_leaves_nothing(house: House, tmp_path: Path) -> None:
    busy(house)
    ticks = count()

    def stop() -> None:
        if next(ticks) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backups.back_up(house.env, tmp_path / "backup", stop)

    assert list((tmp_path / "backup").iterdir()) == []


def test_nobody_runs_on_a_backup(house: House, tmp_path: Path) -> None:
    backups.back_up(house.env, tmp_path / "backup", tick)

    with pytest.raises(Unusable, match="is a backup; `hookbundle restore"):
        open_environment(tmp_path / "backup", START_MS)


# ---- restore


def test_a_restored_database_goes_on_under_a_new_epoch(house: House, tmp_path: Path) -> None:
    number = busy(house)
    (delivery, *_) = house.pending()
    old_epoch = house.env.identity.epoch
    delivery_id = queue.delivery_id(number, delivery)
    cursor = FeedReader(house.env).cursor(3)
    backups.back_up(house.env, tmp_path / "backup", tick)

    copied = backups.restore(tmp_path / "backup", tmp_path / "new", house.now_ms, tick)

    restored = House(tmp_path / "new")
    epoch = restored.env.identity.epoch
    assert copied.findings == ()
    assert epoch != old_epoch
    assert delivery_id in [queue.delivery_id(number, kept) for kept in restored.pending()]
    assert FeedReader(restored.env).start(cursor, START_MS).foreign
    assert [d.body for d in restored.pending()] == [d.body for d in house.pending()]
    (told,) = restored.told("daemon.restored")
    assert told["data"]["detail"] == f"from a backup of epoch {old_epoch}"
    restored.close()


def test_a_restore_wants_an_empty_directory(house: House, tmp_path: Path) -> None:
    backups.back_up(house.env, tmp_path / "backup", tick)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")

    for into in (tmp_path / "full", house.path):
        with pytest.raises(Conflict, match="is not empty"):
            backups.restore(tmp_path / "backup", into, START_MS, tick)


def test_a_restore_wants_a_finished_backup(house: House, tmp_path: Path) -> None:
    backups.back_up(house.env, tmp_path / "backup", tick)
    (tmp_path / "backup" / files.MARKER).unlink()

    for backup in (tmp_path / "backup", house.path, tmp_path):
        with pytest.raises(Unusable, match="is not a finished backup"):
            backups.restore(backup, tmp_path / "new", START_MS, tick)


def test_a_restore_that_was_cut_short_is_no_database_and_can_be_repeated(
    house: House, tmp_path: Path
) -> None:
    busy(house)
    backups.back_up(house.env, tmp_path / "backup", tick)
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


def test_after_compacting_no_byte_of_a_deleted_text_is_left(house: House) -> None:
    kept, gone = house.workspace("kept"), house.workspace("gone")
    telling(house, gone, 300, SECRET)
    telling(house, kept, 300, "a word")
    delete(house, "gone")
    erase(house)
    telling(house, kept, 50, "another word", then_sealed=False)
    before = house.dump()
    house.close()
    left_before = occurrences(house.path)

    compacted = backups.compact(house.path, house.now_ms, tick)

    house.env = open_environment(house.path, house.now_ms)
    assert left_before > 100
    assert occurrences(house.path) == 0
    assert house.dump() == before
    assert findings(house) == []
    assert compacted.bytes < compacted.bytes_before


def test_what_was_deleted_and_not_yet_erased_is_gone_as_well(house: House) -> None:
    telling(house, house.workspace(), 300, SECRET)
    delete(house)
    house.close()

    backups.compact(house.path, house.now_ms, tick)

    house.env = open_environment(house.path, house.now_ms)
    assert occurrences(house.path) == 0
    assert [fact["type"] for fact in house.told("workspace.erased")] == ["workspace.erased"]


def test_a_database_in_use_is_not_compacted(house: House) -> None:
    with pytest.raises(InUse, match="is in use by the process with pid"):
        backups.compact(house.path, START_MS, tick)


def test_a_damaged_database_is_left_as_it_is(house: House) -> None:
    number = house.workspace()
    change(
        house,
        keyspace.owned(keyspace.STATES, number),
        type(house.view().state),
        pending=7,
    )
    before = house.dump()
    house.close()

    with pytest.raises(CorruptRecord, match="says pending 7, counted 0"):
        backups.compact(house.path, START_MS, tick)

    house.env = open_environment(house.path, START_MS)
    assert house.dump() == before
    assert not (house.path / files.STAGING).exists()
