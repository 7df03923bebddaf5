"""A message that ends many windows is stored in several groups, with others' work in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hookbundle.actors import store as actor
from hookbundle.engine.errors import CorruptRecord, HookbundleError, StorageError
from hookbundle.storage.database import keyspace
from hookbundle.storage.transitions import sealing
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.collecting import ending
from hookbundle.storage.transitions.sealing import Sealed
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import ChangeWebhook, WebhookChanged
from hookbundle.tests.actors.stores import TIMEOUT_S, Stored, storing

NAMES = ("b", "c", "d")


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stored]:
    """Each step seals a single window."""
    monkeypatch.setattr(ending, "STEP_WEIGHT", 1)
    monkeypatch.setattr(sealing, "STEP_WEIGHT", 1)
    async with storing(tmp_path) as stored:
        yield stored


async def greedy_of(store: Stored) -> int:
    """A workspace with four webhooks, whose windows are full with two messages."""
    number = await store.workspace("greedy", aggregation_ms=3_600_000, messages_max=2)
    for name in NAMES:
        changes = WebhookChanges(
            url="http://127.0.0.1:9/h", aggregation_ms=3_600_000, messages_max=2
        )
        made = ChangeWebhook(
            workspace_id="greedy",
            webhook_id=name,
            changes=changes,
            precondition=None,
            may_create=True,
            new_secret="whsec_x",
            now_ms=store.clock.now_ms(),
            caller="test",
        )
        assert isinstance(await store.do(made), WebhookChanged)
    await store.do(store.accepting(number, "m0"))
    return number


async def together(store: Stored, *puts: Callable[[], "asyncio.Future[Any]"]) -> list[Any]:
    """What all of them result in; they wait for the Store together."""
    first = await store.hold_up()
    futures = [put() for put in puts]
    store.disk.gate.set()
    async with asyncio.timeout(TIMEOUT_S):
        await first
        return await asyncio.gather(*futures, return_exceptions=True)


def bundles(store: Stored, webhook_id: str = "outbound") -> list[int]:
    found = store.reads.deliveries("greedy", keyspace.QUEUED, 100, webhook_id=webhook_id)
    return [each.messages for each in found]


async def test_a_chats_messages_keep_their_order_and_others_have_their_turns_in_between(
    store: Stored,
) -> None:
    number, quiet = await greedy_of(store), await store.workspace("quiet")
    stored: list[str] = []

    def put(workspace: int, *ids: str) -> Callable[[], "asyncio.Future[Any]"]:
        def submit() -> "asyncio.Future[Any]":
            future = store.put(store.accepting(workspace, *ids))
            future.add_done_callback(lambda _: stored.append(ids[0]))
            return future

        return submit

    # The first ends the windows of all webhooks before it; the others have room in them.
    results = await together(
        store, put(number, "m1", "m2"), put(number, "m3"), put(number, "m4"), put(quiet, "q")
    )

    assert all(isinstance(each, Accepted) for each in results)
    assert stored == ["q", "m1", "m3", "m4"]
    assert [bundles(store, name) for name in ("outbound", *NAMES)] == [[1, 2, 2]] * 4
    assert len(results[0].wake) == 4, "each webhook that became ready on the way is woken"


async def test_a_step_that_is_lighter_than_it_was_thought_is_no_result(
    store: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor, "WEIGHT_UNSURE", 1 << 40)
    number = await greedy_of(store)

    (accepted,) = await together(store, lambda: store.put(store.accepting(number, "m1", "m2")))

    assert isinstance(accepted, Accepted)
    assert bundles(store) == [1, 2]


async def test_a_flush_beside_them_is_done_when_they_are(store: Stored) -> None:
    number = await greedy_of(store)

    accepted, sealed = await together(
        store,
        lambda: store.put(store.accepting(number, "m1", "m2", "m3")),
        lambda: store.put(store.flush(number)),
    )

    assert isinstance(accepted, Accepted)
    assert sealed == Sealed(4, (), windows=4)
    assert bundles(store) == [1, 2, 1]


async def test_a_damaged_window_fails_its_message_alone(store: Stored) -> None:
    number = await greedy_of(store)
    state = store.state_key(number + len(NAMES))
    store.damage(state)

    refused, after = await together(
        store,
        lambda: store.put(store.accepting(number, "m1", "m2")),
        lambda: store.put(store.accepting(number, "x", chat_id="other")),
    )

    assert isinstance(refused, CorruptRecord)
    assert isinstance(after, HookbundleError)
    assert not store.store_queue.unfinished


async def test_when_commits_fail_all_that_waited_is_told(store: Stored) -> None:
    number = await greedy_of(store)
    store.disk.broken = StorageError("the disk is gone")

    async with asyncio.timeout(TIMEOUT_S):
        results = await asyncio.gather(
            store.put(store.accepting(number, "m1", "m2")),
            store.put(store.flush(number)),
            return_exceptions=True,
        )

    assert all(isinstance(each, HookbundleError) for each in results)
    assert not store.store_queue.unfinished


async def test_a_store_that_stops_finishes_what_it_has_begun(store: Stored) -> None:
    number = await greedy_of(store)
    store.disk.hold_up()
    futures = [store.put(store.accepting(number, "m1", "m2")), store.put(store.flush(number))]
    await store.disk.held_up()

    stopping = asyncio.create_task(asyncio.to_thread(store.ref.stop))
    store.disk.gate.set()
    async with asyncio.timeout(TIMEOUT_S):
        accepted, sealed = await asyncio.gather(*futures)
        await stopping

    assert isinstance(accepted, Accepted)
    assert isinstance(sealed, Sealed)
