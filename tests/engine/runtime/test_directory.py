"""Activation and passivation of virtual actors, and the end of their directory."""

import asyncio
import gc
import weakref

import pykka
import pytest

from hookbundle.engine.errors import (
    Overloaded,
)
from hookbundle.tests.engine.runtime.directories import SOON_S, DirectoryUnderTest


async def test_a_message_activates_an_actor_once() -> None:
    directory = DirectoryUnderTest()

    directory.tell("a", 1, 2)
    await directory.handled()

    assert directory.activated == ["a"]
    assert directory.book == [("a", 1), ("a", 2)]
    assert directory.directory.is_active("a")
    assert not directory.directory.is_active("b")
    assert directory.directory.active("b") is None


async def test_virtual_actors_are_in_no_global_registry() -> None:
    directory = DirectoryUnderTest()

    directory.tell("a", 1)

    assert directory.actor("a").actor_ref not in pykka.ActorRegistry.get_all()


async def test_a_virtual_actor_can_be_asked() -> None:
    directory = DirectoryUnderTest()
    directory.tell("a", 1)

    answer = directory.actor("a").actor_ref.ask("well?", block=False)

    assert await asyncio.wait_for(answer, SOON_S) == "well?"


async def test_a_full_directory_passivates_the_least_recently_used_actor() -> None:
    directory = DirectoryUnderTest(active_max=2)
    directory.tell("a", 1)
    directory.tell("b", 1)
    directory.tell("a", 2)
    await directory.handled()

    directory.tell("c", 1)

    assert directory.stopped == ["b"]
    assert directory.directory.active_count == 2


async def test_a_passivated_actor_is_activated_by_its_next_message() -> None:
    directory = DirectoryUnderTest(active_max=1)
    directory.tell("a", 1)
    await directory.handled()
    directory.tell("b", 1)
    await directory.handled()

    directory.tell("a", 2)
    await directory.handled()

    assert directory.activated == ["a", "b", "a"]
    assert directory.book == [("a", 1), ("b", 1), ("a", 2)]


async def test_busy_actors_stay_in_a_full_directory_and_go_once_they_are_idle() -> None:
    directory = DirectoryUnderTest(active_max=1)
    gate = asyncio.Event()
    directory.tell("in a turn", gate)
    directory.tell("has work", 1)
    directory.actor("has work").has_work_under_way = True
    await directory.handled()
    directory.tell("has a message", 1)
    over_the_cap = directory.directory.active_count

    gate.set()
    directory.actor("has work").has_work_under_way = False
    await directory.handled()
    directory.tell("new", 1)

    assert over_the_cap == 3
    assert set(directory.stopped) == {"in a turn", "has work", "has a message"}
    assert directory.directory.active_count == 1


async def test_idle_actors_are_passivated_after_their_time() -> None:
    directory = DirectoryUnderTest()
    directory.tell("old", 1)
    directory.tell("old but busy", 1)
    directory.actor("old but busy").has_work_under_way = True
    directory.now_ms += 500
    directory.tell("young", 1)
    await directory.handled()
    directory.now_ms += 500

    gone = directory.directory.passivate_idle(1_000)

    assert gone == 1
    assert directory.stopped == ["old"]
    assert directory.directory.active_count == 2


@pytest.mark.parametrize("ending", ["passivated", "stopped"])
async def test_an_actor_that_has_gone_is_freed_without_the_garbage_collector(ending: str) -> None:
    directory = DirectoryUnderTest()
    directory.tell("chat", 1)
    await directory.handled()
    actor = weakref.ref(directory.actor("chat"))
    gc.disable()  # it visits old objects rarely, so the memory must not depend on it
    try:
        if ending == "passivated":
            directory.directory.passivate_idle(0)
        else:
            await directory.directory.stop_all()

        assert directory.directory.active_count == 0
        assert actor() is None
    finally:
        gc.enable()


async def test_the_search_for_idle_actors_ends_when_all_are_busy() -> None:
    directory = DirectoryUnderTest()
    for key in ("a", "b"):
        directory.tell(key, 1)
        directory.actor(key).has_work_under_way = True
    await directory.handled()

    assert directory.directory.passivate_idle(0) == 0
    assert directory.directory.active_count == 2


async def test_passivation_can_be_done_in_portions() -> None:
    directory = DirectoryUnderTest()
    for number in range(10):
        directory.tell(f"chat {number}", 1)
    await directory.handled()

    gone = [directory.directory.passivate_idle(0, at_most=4) for _ in range(4)]

    assert gone == [4, 4, 2, 0]


async def test_stop_all_handles_the_queued_messages_and_activates_no_more_actors() -> None:
    directory = DirectoryUnderTest()
    gate = asyncio.Event()
    directory.tell("a", gate, 1)
    directory.tell("b", 2)
    stopping = asyncio.ensure_future(directory.directory.stop_all())
    await directory.handled()
    directory.tell("c", 3)
    still_waiting = not stopping.done()

    gate.set()
    await asyncio.wait_for(stopping, SOON_S)

    assert still_waiting
    assert sorted(directory.book) == [("a", 1), ("b", 2)]
    assert sorted(directory.stopped) == ["a", "b"]
    [(key, message, error)] = directory.dead
    assert (key, message) == ("c", 3)
    assert isinstance(error, Overloaded)
    assert directory.directory.active_count == 0


async def test_stop_all_of_an_empty_directory_is_done_at_once() -> None:
    await asyncio.wait_for(DirectoryUnderTest().directory.stop_all(), SOON_S)


async def test_an_actor_that_stops_itself_leaves_its_messages_to_a_new_activation() -> None:
    directory = DirectoryUnderTest()
    directory.tell("a", 1)
    directory.actor("a").stop()
    stopping = directory.actor("a").actor_ref.stop(block=False)

    directory.tell("a", 2)

    assert await asyncio.wait_for(stopping, SOON_S) is True
    assert directory.activated == ["a", "a"]
    assert directory.book == [("a", 1), ("a", 2)]
