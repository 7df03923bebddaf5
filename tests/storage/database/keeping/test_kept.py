"""What the Store keeps decoded from one commit to the next."""

from pathlib import Path

import pytest

from hookbundle.actors.store_queue import DISK_CHECK_MS
from hookbundle.engine.errors import StoreFull
from hookbundle.storage.database.keeping import kept
from hookbundle.tests.actors.stores import storing


async def test_what_a_failed_commit_had_changed_is_not_kept_for_the_next_one(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace(aggregation_ms=3_600_000)
        await store.do(store.accepting(number, "m1"))
        store.disk.full = True
        with pytest.raises(StoreFull):
            await store.do(store.accepting(number, "m2"))
        store.disk.full = False
        store.clock.move(DISK_CHECK_MS)

        await store.do(store.accepting(number, "m3"))

        view = store.reads.workspace("acme")
        assert (view.state.buffered_messages, store.reads.meta().totals.accepted) == (2, 2)


async def test_where_more_is_in_use_than_may_be_kept_nothing_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "KEPT_MAX", 2)
    async with storing(tmp_path) as store:
        numbers = [await store.workspace(ws) for ws in ("one", "two", "three")]
        assert not store.store_queue.state.kept.states

        await store.do(store.accepting(numbers[0], "m1"))

        assert set(store.store_queue.state.kept.states) == {numbers[0]}
