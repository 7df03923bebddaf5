"""Opening, locking and closing a data directory, and growing the map."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from hookbundle.engine.errors import InUse, MapFull, Overloaded, Unusable
from hookbundle.storage.database import environment, keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.tests.storage.database.directories import opened


def in_another_process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


# ---- one process


def test_a_second_process_is_refused_and_told_the_first_one_s_pid(tmp_path: Path) -> None:
    env = opened(tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from hookbundle.storage.database.opening import open_environment\n"
        "open_environment(Path(sys.argv[1]), 0)"
    )

    second = in_another_process(code, tmp_path)

    assert f"is in use by the process with pid {os.getpid()}" in second.stderr
    assert second.returncode == 1
    env.close()


@pytest.mark.parametrize("left", [b"", b"PID\n", b"words"])
def test_the_previous_holder_of_the_lock_is_not_named_as_its_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: bytes
) -> None:
    gone = in_another_process("import os; print(os.getpid())").stdout.encode()
    left = left.replace(b"PID", gone.strip())
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    (tmp_path / "lock").write_bytes(left)

    with (tmp_path / "lock").open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(InUse, match=r"is in use by another process$"):
            opened(tmp_path)

    assert 0 < sum(pauses) < 1


def test_a_process_that_has_just_taken_the_lock_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock"
    lock.write_bytes(b"")
    monkeypatch.setattr(time, "sleep", lambda _: lock.write_bytes(b"%d\n" % os.getppid()))

    with lock.open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(InUse, match=f"is in use by the process with pid {os.getppid()}$"):
            opened(tmp_path)


def test_closing_and_a_failed_opening_release_the_lock(closed: Path) -> None:
    marker = closed / "identity.json"
    whole = marker.read_bytes()
    marker.write_bytes(b"{")
    with pytest.raises(Unusable, match=r"identity\.json can't be read"):
        opened(closed)

    marker.write_bytes(whole)

    opened(closed).close()


# ---- the directory


def test_only_the_owner_can_read_what_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "new"
    before = os.umask(0)
    try:
        opened(path).close()
    finally:
        os.umask(before)

    modes = {file.name: file.stat().st_mode & 0o777 for file in path.iterdir()}

    assert path.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}
    assert {"data.mdb", "identity.json", "lock"} <= modes.keys()


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello")

    with pytest.raises(Unusable, match="can't be used"):
        opened(tmp_path / "file")


def test_a_directory_without_write_permission_is_refused() -> None:
    with pytest.raises(Unusable, match="can't be used"):
        opened(Path("/proc/hookbundle"))


# ---- growing


def nearly_full(path: Path) -> Environment:
    env = opened(path, map_bytes=1 << 20)
    with env.write() as txn:
        txn.put(b"key", bytes(900_000))
    return env


def growing(env: Environment) -> "Future[bool]":
    """Its map grows, on a thread of its own."""
    future: Future[bool] = Future()
    threading.Thread(target=lambda: future.set_result(env.grow_if_needed()), daemon=True).start()
    return future


def test_the_map_grows_only_after_the_readers_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "WAIT_S", 60.0)
    env = nearly_full(tmp_path)

    with env.read() as txn:
        grown = growing(env)
        with pytest.raises(TimeoutError):
            grown.result(timeout=0.1)
        value = txn.get(b"key")

    assert grown.result(timeout=10)
    assert value == bytes(900_000)
    assert env.usage().map_bytes == 2 << 20
    env.close()


def test_readers_that_overlap_without_end_keep_no_map_from_growing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads until the next one does, or until that one has been kept waiting."""
    monkeypatch.setattr(environment, "WAIT_S", 60.0)
    env = nearly_full(tmp_path)
    has_grown, begun = threading.Event(), [threading.Event() for _ in range(100)]
    readers: list[threading.Thread] = []

    def read(number: int) -> None:
        with env.read() as txn:
            begun[number].set()
            if number + 1 < len(begun) and not has_grown.is_set():
                begin(number + 1)
                begun[number + 1].wait(0.2)
            assert txn.get(b"key")

    def begin(number: int) -> None:
        readers.append(threading.Thread(target=read, args=(number,)))
        readers[-1].start()

    begin(0)
    begun[0].wait(10)
    grown = growing(env)
    grown.add_done_callback(lambda _: has_grown.set())

    assert grown.result(timeout=60)
    assert len(readers) < 50, "the map grew only when nobody wanted to read any more"
    for reader in readers:  # the last ones begin after it has grown
        reader.join()
    env.close()


def test_a_reader_that_takes_long_holds_up_neither_the_writer_nor_other_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "WAIT_S", 0.01)
    env = nearly_full(tmp_path)

    with env.read() as slow:
        assert not env.grow_if_needed()
        with env.read() as other:
            assert other.get(b"key") == slow.get(b"key")
        monkeypatch.setattr(environment, "WAIT_S", 60.0)
        assert not env.grow_if_needed(), "it has just waited in vain, and is to let commits pass"

    env._grow_again_s = 0.0
    assert env.grow_if_needed()
    env.close()


def test_a_long_reader_ends_when_no_commit_is_possible_without_a_larger_map(
    tmp_path: Path,
) -> None:
    env = nearly_full(tmp_path)
    reads, ended = threading.Event(), Future[Exception]()

    def check() -> None:
        try:
            with env.read_long():
                reads.set()
                while True:
                    env.ends_if_told()
        except Overloaded as exc:
            ended.set_result(exc)

    env._is_read_only = True  # so that reading makes no room before
    threading.Thread(target=check, daemon=True).start()
    assert reads.wait(10)

    assert not env.grow_if_needed()
    assert not ended.done(), "there is room for some commits more"
    assert env.grow()

    assert "has to grow" in str(ended.result(timeout=10))
    env.close()


def test_the_map_grows_before_a_long_read_so_that_it_need_not_in_it(tmp_path: Path) -> None:
    env = opened(tmp_path, map_bytes=1 << 20)
    with env.write() as txn:
        txn.put(b"key", bytes(600_000))

    assert not env.grow_if_needed()
    with env.read_long() as txn:
        assert len(txn.get(b"key") or b"") == 600_000

    assert env.usage().map_bytes == 2 << 20
    env.close()


def test_a_map_for_which_there_is_no_address_space_stays_as_it_is(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from hookbundle.storage.database.opening import open_environment\n"
        "env = open_environment(Path(sys.argv[1]), 0, map_bytes=1 << 28)\n"
        "with env.write() as txn: [txn.put(b'%d' % n, bytes(2_000_000)) for n in range(110)]\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        "most = pages * 4096 + (1 << 27)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "print(env.grow_if_needed(), env.grow())\n"
        "with env.read() as txn: print(len(txn.get(b'1')))"
    )

    found = in_another_process(code, tmp_path)

    assert found.stdout.split() == ["False", "False", "2000000"], found.stderr


def test_a_full_map_refuses_a_write_and_accepts_it_after_growing(tmp_path: Path) -> None:
    env = opened(tmp_path, map_bytes=1 << 20)
    with env.write() as txn:
        txn.put(b"kept", bytes(800_000))

    with pytest.raises(MapFull, match="no room in its map"), env.write() as txn:
        txn.put(b"too much", bytes(500_000))
    assert env.grow_if_needed()
    with env.write() as txn:
        txn.put(b"too much", bytes(500_000))

    with env.read() as txn:
        assert [len(value) for key, value in txn.cursor() if key != keyspace.IDENTITY] == [
            800_000,
            500_000,
        ]
    env.close()


def test_a_map_with_room_does_not_grow(tmp_path: Path) -> None:
    env = opened(tmp_path)

    assert not env.grow_if_needed()
    env.close()


def test_a_compact_copy_is_the_same_database_without_what_was_deleted(closed: Path) -> None:
    env = opened(closed)
    with env.write() as txn:
        for number in range(100):
            txn.delete(keyspace.numbered(keyspace.MAILS, number))
    copy = closed.parent / "copy"
    copy.mkdir()

    env.copy_compact(copy, lambda: None)

    restored = opened(copy)
    assert restored.identity == env.identity
    assert restored.usage().file_bytes < env.usage().file_bytes // 10
    restored.close()
    env.close()
