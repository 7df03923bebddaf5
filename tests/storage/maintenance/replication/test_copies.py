"""A copy is written anew: nothing that was deleted is left in it, and nothing else changes."""

from pathlib import Path

import pytest

from hookbundle.engine.errors import Conflict, CorruptRecord, InUse, Unusable
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.maintenance.replication.copies import rewrite_copy
from hookbundle.tests.storage import deleting
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming

AT = Position("3x2", 7, 2)
CANARY = b"a text that was deleted"


@pytest.fixture
def copy(db: ScratchDatabase) -> ScratchDatabase:
    db.workspace()
    db.accept("kept", chat="other")
    for n in range(40):
        db.accept(incoming(f"m{n}", text=f"{CANARY.decode()} {n}" * 20))
        db.seal()
    position.follow(db.env, [], AT)
    return db


def found_in(folder: Path) -> list[str]:
    return [file.name for file in folder.rglob("*") if CANARY in file.read_bytes()]


def open_again(copy: ScratchDatabase) -> None:
    copy.env = open_environment(copy.path, copy.now_ms)


def test_nothing_that_was_deleted_is_left_and_all_else_is_as_it_was(copy: ScratchDatabase) -> None:
    deleting.delete_chat(copy)
    deleting.erase(copy)
    before = copy.dump()
    assert found_in(copy.path) == ["data.mdb"]
    copy.close()

    done = rewrite_copy(copy.path)

    assert found_in(copy.path) == []
    open_again(copy)
    assert copy.dump() == before
    assert (done.records, done.bytes < done.bytes_before) == (len(before), True)
    with copy.env.read() as txn:
        assert position.read(txn) == AT


def test_while_something_is_erased_a_copy_is_left_as_it_is(copy: ScratchDatabase) -> None:
    deleting.delete_chat(copy)
    before = copy.dump()
    copy.close()

    with pytest.raises(Conflict, match="being erased still"):
        rewrite_copy(copy.path)

    open_again(copy)
    assert copy.dump() == before


def test_a_copy_in_which_the_check_finds_something_is_left_as_it_is(copy: ScratchDatabase) -> None:
    with copy.env.write() as txn:
        txn.delete(keyspace.owned(keyspace.STATES, 1))
    before = copy.dump()
    copy.close()

    with pytest.raises(CorruptRecord, match="the check found something wrong"):
        rewrite_copy(copy.path)

    assert {file.name for file in copy.path.iterdir()} == {
        *("data.mdb", "lock.mdb", "lock", "identity.json"),
    }
    open_again(copy)
    assert copy.dump() == before


def test_a_copy_that_is_open_or_not_there_is_refused(copy: ScratchDatabase, tmp_path: Path) -> None:
    with pytest.raises(InUse):
        rewrite_copy(copy.path)
    with pytest.raises(Unusable, match="there is no copy"):
        rewrite_copy(tmp_path / "none")
