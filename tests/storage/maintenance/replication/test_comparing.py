"""Copies that are at different places of their log have the same digests as of one of them."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.errors import Overloaded
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.base import NewCopy, chunks
from hookbundle.storage.database.replication.copies import Copy, open_copy
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.maintenance.check_damage import check_in_use
from hookbundle.storage.maintenance.replication import comparing
from hookbundle.storage.maintenance.replication.comparing import LookedThrough, look_through
from hookbundle.tests.storage.page_damage import LEAF, pages_of, zeros
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming

NOTHING: Collected = {}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[ScratchDatabase]:
    db = ScratchDatabase(tmp_path / "data")
    db.workspace()
    for number in range(30):
        db.accept(incoming(f"m{number}", text="x" * 500), chat=f"c{number % 4}")
    yield db
    db.close()


def copy_of(db: ScratchDatabase, path: Path, seq: int = 1) -> Copy:
    made = NewCopy(path)
    for chunk in chunks(db.env, 1 << 20):
        made.put(chunk)
    made.finish(Position("1x0", seq, 0))
    made.close()
    copy = open_copy(path, 1)
    assert copy is not None
    return copy


def told(rows: Collected) -> "Future[Collected]":
    future: Future[Collected] = Future()
    future.set_result(rows)
    return future


def looked(copy: Copy, over: Collected = NOTHING) -> LookedThrough:
    places: list[Position] = []
    found = look_through(copy, places.append, told(over), lambda: None)
    assert len(places) == 1
    return found


def test_what_a_copy_lacks_is_put_over_it(db: ScratchDatabase, tmp_path: Path) -> None:
    first, second = copy_of(db, tmp_path / "1"), copy_of(db, tmp_path / "2")
    with first.read() as txn:
        keys = [bytes(key) for key, _ in txn.cursor() if key != keyspace.POSITION]
    over: Collected = {
        b"\x01before all": b"1",
        keys[3]: None,
        keys[5] + b"behind": b"new",
        keys[8]: b"changed",
        b"\xff\xffbehind all": b"2",
        b"\xff\xffwas never there": None,
    }
    position.follow(first, over.items(), Position("1x0", 9, 0))
    before = looked(second)
    wanted, found = looked(first), looked(second, over)

    assert before.digests != wanted.digests
    assert (found.digests, found.records) == (wanted.digests, wanted.records)
    first.close()
    second.close()


def test_copies_that_differ_say_in_which_kinds(db: ScratchDatabase, tmp_path: Path) -> None:
    first, second = copy_of(db, tmp_path / "1", seq=1), copy_of(db, tmp_path / "2", seq=2)
    same = looked(first), looked(second)
    with second.write() as txn:
        key = next(bytes(key) for key, _ in txn.cursor() if key[:1] == keyspace.CHATS)
        txn.delete(key)
    wanted, found = looked(first), looked(second)

    assert same[0] == same[1], "the position is each copy's own"
    assert same[0].findings == ()
    assert {kind for kind in wanted.digests if wanted.digests[kind] != found.digests[kind]} == {
        "chat"
    }
    assert found.findings
    first.close()
    second.close()


def test_a_page_that_can_not_be_read_is_found_before_lmdb_reads_it(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    copy = copy_of(db, tmp_path / "1")
    zeros(copy.path / DATA, pages_of(copy.path / DATA, LEAF)[-1])
    found = looked(copy)

    assert found.digests == {}
    assert any("can't be read" in each.what for each in found.findings)
    copy.close()


def test_a_moment_is_one_also_if_others_write_before_its_head_is_read(
    db: ScratchDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_of(db, tmp_path / "1")
    read, turns = copy.read_long, iter(range(3))

    def slow() -> Any:
        reading = read()

        class Slow:
            def __enter__(self) -> Any:
                txn = reading.__enter__()
                if next(turns) < 2:
                    for number in range(3):
                        position.follow(copy, [(b"Wz", b"%d" % number)], Position("1x0", 5, 0))
                return txn

            def __exit__(self, *what: Any) -> Any:
                return reading.__exit__(*what)

        return Slow()

    monkeypatch.setattr(copy, "read_long", slow)
    assert list(check_in_use(copy, lambda: None, lambda: None))[-1].where
    assert next(turns, None) is None
    copy.close()


def test_a_database_that_is_closed_does_not_wait_for_who_looks_through_it(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    copy = copy_of(db, tmp_path / "1")
    began, ended, missing = threading.Event(), list[BaseException](), Future[Collected]()

    def look() -> None:
        try:
            look_through(copy, lambda at: began.set(), missing, copy.ends_if_told)
        except Overloaded as exc:
            ended.append(exc)

    looking = threading.Thread(target=look)
    closing = threading.Thread(target=copy.close)
    looking.start()
    assert began.wait(20)
    closing.start()
    closing.join(20)
    is_waiting = closing.is_alive()
    missing.set_result({})  # or neither would end
    looking.join(20)
    closing.join(20)

    assert not is_waiting
    assert len(ended) == 1


def test_of_many_faults_the_first_are_listed(
    db: ScratchDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "FINDINGS_MAX", 2)
    copy = copy_of(db, tmp_path / "1")
    with copy.write() as txn:
        for key in [bytes(key) for key, _ in txn.cursor() if key[:1] == keyspace.CHATS]:
            txn.delete(key)

    assert len(looked(copy).findings) == 2
    copy.close()
