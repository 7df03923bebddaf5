"""Room is what is free on the disk and inside the file; a commit that finds none is believed."""

from pathlib import Path

import pytest

from hookbundle.engine.errors import StoreFull
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.tests.actors.stores import Stored, storing

MINUTE_MS = 60_000
FLOOR = 1_000_000


async def test_free_pages_inside_the_file_count_as_room(tmp_path: Path) -> None:
    async with storing(tmp_path, floor_bytes=FLOOR) as store:
        number = await store.workspace()
        store.disk.free_bytes, store.disk.free_inside_bytes = 400_000, 600_000

        store.clock.move(1_000)
        with_room = await accepts(store, number)
        store.disk.free_inside_bytes -= 1
        store.clock.move(1_000)

        assert with_room
        assert not await accepts(store, number)


async def test_free_pages_that_a_commit_could_not_take_do_not_open_intake_again(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path, floor_bytes=FLOOR, reserve_bytes=0) as store:
        number = await store.workspace()
        store.disk.free_bytes, store.disk.free_inside_bytes = 0, 5 * FLOOR
        store.disk.full = True
        with pytest.raises(StoreFull):
            await store.do(store.accepting(number, "m1"))
        store.disk.full = False

        store.clock.move(10_000)
        soon = await accepts(store, number)
        store.disk.free_inside_bytes += FLOOR
        store.clock.move(1_000)

        assert not soon
        assert await accepts(store, number)


async def test_free_pages_are_trusted_again_after_a_while(tmp_path: Path) -> None:
    async with storing(tmp_path, floor_bytes=FLOOR, reserve_bytes=0) as store:
        number = await store.workspace()
        store.disk.free_bytes, store.disk.free_inside_bytes = 0, 5 * FLOOR
        store.disk.full = True
        with pytest.raises(StoreFull):
            await store.do(store.accepting(number, "m1"))
        store.disk.full = False

        store.clock.move(MINUTE_MS)

        assert await accepts(store, number)


async def test_the_reserve_is_not_made_where_only_the_file_has_room(tmp_path: Path) -> None:
    async with storing(tmp_path, floor_bytes=FLOOR, reserve_bytes=4_096) as store:
        number = await store.workspace()
        store.disk.path.joinpath("reserve").unlink()
        store.disk.free_bytes, store.disk.free_inside_bytes = 4_095, 5 * FLOOR

        store.clock.move(1_000)

        assert await accepts(store, number)
        assert not store.disk.path.joinpath("reserve").exists()


def test_the_free_pages_of_a_file_are_those_that_deleting_has_freed(tmp_path: Path) -> None:
    env = open_environment(tmp_path / "data", 0)
    with env.write() as txn:
        for number in range(100):
            txn.put(keyspace.numbered(keyspace.MAILS, number), bytes(60_000))
    full = env.usage()
    for number in range(100):
        with env.write() as txn:
            txn.delete(keyspace.numbered(keyspace.MAILS, number))
    deleted = env.usage()
    with env.write() as txn:
        for number in range(50):
            txn.put(keyspace.numbered(keyspace.MAILS, number), bytes(60_000))
    half = env.usage()
    env.close()

    assert full.free_inside_bytes < 100_000
    assert 6_000_000 < deleted.free_inside_bytes < deleted.file_bytes
    assert 2_800_000 < half.free_inside_bytes < 3_300_000
    assert half.file_bytes == deleted.file_bytes


def test_pages_that_were_never_written_are_no_room_inside_the_file(tmp_path: Path) -> None:
    env = open_environment(tmp_path / "data", 0)
    # What is made and freed in one commit is counted, and never written.
    for size in (1_000, 60_000, 90_000):
        with env.write() as txn:
            for number in range(40):
                txn.put(keyspace.numbered(keyspace.MAILS, number), bytes(size))
            for number in range(40):
                txn.delete(keyspace.numbered(keyspace.MAILS, number))
    usage = env.usage()
    env.close()

    on_disk_bytes = (tmp_path / "data" / "data.mdb").stat().st_blocks * 512
    assert usage.free_inside_bytes < on_disk_bytes < usage.used_bytes


async def accepts(store: Stored, number: int) -> bool:
    id_ = f"m{store.clock.now_ms()}"
    try:
        return isinstance(await store.do(store.accepting(number, id_)), Accepted)
    except StoreFull:
        return False
