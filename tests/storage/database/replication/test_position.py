"""A position is a record beside the rows: sound to `check`, nothing to a restore, and durable."""

from pathlib import Path

from hookbundle.storage.database.opening import open_environment, open_read_only
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.maintenance.backups import back_up, restore
from hookbundle.storage.maintenance.check import check
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase

AT = Position("1x0", 7, 3)


def test_rows_of_another_and_the_position_after_them_are_stored_together(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    position.follow(db.env, [(b"Wx", b"1")], AT)

    position.follow(db.env, [(b"Wx", None)], Position("1x0", 8, 3))

    with db.env.read() as txn:
        assert position.read(txn) == Position("1x0", 8, 3)
        assert list(check(txn)) == []


def test_a_map_that_is_too_small_for_anothers_rows_grows(tmp_path: Path) -> None:
    env = open_environment(tmp_path / "data", START_MS, map_bytes=1 << 20)

    position.follow(env, [(b"Wx%d" % n, bytes(1 << 18)) for n in range(12)], AT)

    with env.read() as txn:
        assert len(bytes(txn.get(b"Wx11") or b"")) == 1 << 18
        assert position.read(txn) == AT
    env.close()


def test_a_database_outside_a_cluster_has_no_position_and_a_restored_one_neither(
    db: ScratchDatabase,
) -> None:
    with db.env.read() as txn:
        assert position.read(txn) is None
    position.follow(db.env, [], AT)
    folder = db.env.path.parent

    back_up(db.env, folder / "backup", lambda: None)
    restore(folder / "backup", folder / "restored", START_MS, lambda: None)

    restored = open_read_only(folder / "restored")
    with restored.read() as txn:
        assert position.read(txn) is None
    restored.close()
